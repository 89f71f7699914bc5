"""Generates the `*_pb2.py` modules (and their `.pyi` stubs) of this folder from its `.proto` files.

Run it after changing a `.proto` file. It needs the protocol compiler of grpcio-tools 1.64 and no newer one: the
modules of later compilers refuse to run with a protobuf library older than the compiler, this one's run with all
from 5.26 on.

    pip install "grpcio-tools==1.64.*"
    python graph/proto/generate.py
"""

import shutil
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PACKAGE = Path("sessile/graph/proto")


def generate() -> None:
    """Compiles every `.proto` file of the folder, under the path that the imports in them name."""
    from grpc_tools import protoc

    includes = Path(protoc.__file__).parent / "_proto"  # google/protobuf/any.proto
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / PACKAGE).mkdir(parents=True)
        for source in FOLDER.glob("*.proto"):
            shutil.copy(source, root / PACKAGE)
        sources = sorted(str(path.relative_to(root)) for path in (root / PACKAGE).glob("*.proto"))
        options = [f"-I{root}", f"-I{includes}", f"--python_out={root}", f"--pyi_out={root}"]
        if protoc.main(["protoc", *options, *sources]) != 0:
            raise SystemExit("the protocol compiler failed")
        for generated in (root / PACKAGE).glob("*_pb2.py*"):
            shutil.copyfile(generated, FOLDER / generated.name)


if __name__ == "__main__":
    generate()

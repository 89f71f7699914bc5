"""Records the definitions of all operations of TensorFlow: `python record_op_defs.py`.

Runs in an environment with TensorFlow; writes `tests/data/op_defs.pb.gz`, an OpList without descriptions.
"""

import gzip
from pathlib import Path

import tensorflow  # noqa: F401  (registers operations)
from tensorflow.core.framework.op_def_pb2 import OpList
from tensorflow.python.client import pywrap_tf_session

RECORDED = Path(__file__).parents[1] / "data" / "op_defs.pb.gz"

if __name__ == "__main__":
    buffer = pywrap_tf_session.TF_GetAllOpList()
    definitions = OpList.FromString(pywrap_tf_session.TF_GetBuffer(buffer))
    for definition in definitions.op:
        for message in (definition, *definition.input_arg, *definition.output_arg, *definition.attr):
            message.ClearField("description")
        definition.ClearField("summary")
    RECORDED.write_bytes(gzip.compress(definitions.SerializeToString(), 9, mtime=0))

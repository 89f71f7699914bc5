"""Records what TensorFlow gives for the samples of operations: `python record_values.py [family ...]`.

Runs in an environment with TensorFlow. Writes `tests/data/op_values/<family>.npz`: for each sample its outputs, and the
names and types of the nodes of its graph.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

sys.path.insert(0, str(Path(__file__).parents[2]))
from support.op_samples import VALUES, Sample, families, load

tf.disable_v2_behavior()


def record(sample: Sample) -> dict[str, np.ndarray]:
    """The outputs of a sample and, as JSON, the nodes of its graph."""
    with tf.Graph().as_default() as graph:
        inputs = sample.inputs()
        placeholders = [tf.placeholder(value.dtype, value.shape, name=f"in{k}") for k, value in enumerate(inputs)]
        built = sample.build(tf, *placeholders)
        tensors = list(built) if isinstance(built, (list, tuple)) else [built]
        nodes = [(op.name, op.type) for op in graph.get_operations()]
        with tf.Session() as session:
            values = session.run(tensors, dict(zip(placeholders, inputs, strict=True)))
    arrays = {f"{sample.id}/{k}": np.asarray(value) for k, value in enumerate(values)}
    arrays = {key: value.astype(np.bytes_) if value.dtype == object else value for key, value in arrays.items()}
    return {**arrays, f"{sample.id}/nodes": np.array(json.dumps(nodes))}


def main() -> None:
    for family in sys.argv[1:] or families():
        arrays: dict[str, np.ndarray] = {}
        for sample in load(family)[0]:
            try:
                arrays.update(record(sample))
            except Exception as error:
                raise SystemExit(f"{family}: {sample.id}: {type(error).__name__}: {str(error)[:600]}") from None
        np.savez_compressed(VALUES / f"{family}.npz", **arrays)
        print(family, len(arrays))


if __name__ == "__main__":
    main()

"""The protocol buffer messages that `tf.` offers, by public name; each is imported when it is first asked for.

Building and running a graph needs none of them, and importing them takes longer than importing the rest of the library.
"""

from sessile.graph.public_names import add_lazy

_PACKAGE = "sessile.graph.proto"

# public module -> file of messages -> their names
_MESSAGES: dict[str, dict[str, str]] = {
    "": {
        "attr_value": "AttrValue NameAttrList",
        "config": "ConfigProto GPUOptions GraphOptions OptimizerOptions RunMetadata RunOptions",
        "event": "Event LogMessage SessionLog",
        "graph": "GraphDef",
        "meta_graph": "MetaGraphDef TensorInfo",
        "node_def": "NodeDef",
        "summary": "HistogramProto Summary SummaryMetadata",
    },
    "summary": {
        "event": "Event SessionLog TaggedRunMetadata",
        "summary": "Summary SummaryDescription",
    },
    "train": {
        "cluster": "ClusterDef JobDef",
        "example": "BytesList Example Feature FeatureList FeatureLists Features FloatList Int64List SequenceExample",
        "saver": "SaverDef",
    },
}

for _module, _files in _MESSAGES.items():
    for _file, _names in _files.items():
        for _name in _names.split():
            add_lazy(f"{_module}.{_name}" if _module else _name, f"{_PACKAGE}.{_file}_pb2", _name)

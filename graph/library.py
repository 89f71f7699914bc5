"""Everything that `sessile.graph` offers to users; importing this module enters it in the table of public names."""

from sessile.graph import compat, convert, errors, name_scope, ops, tensor_proto

__all__ = ["compat", "convert", "errors", "name_scope", "ops", "tensor_proto"]

"""Python's operators for what stands for a tensor: tensors themselves, variables, sparse tensors' parts."""

from __future__ import annotations

from typing import Any

from sessile.graph.public_names import public_item


class TensorOperators:
    """Gives a class the operators of a tensor; `_as_operand` says which tensor stands for an object."""

    def _as_operand(self) -> Any:
        return self

    def __add__(self, other: Any) -> Any:
        return apply_binary("add", self._as_operand(), other)

    def __radd__(self, other: Any) -> Any:
        return apply_binary("add", self._as_operand(), other, reflected=True)

    def __sub__(self, other: Any) -> Any:
        return apply_binary("sub", self._as_operand(), other)

    def __rsub__(self, other: Any) -> Any:
        return apply_binary("sub", self._as_operand(), other, reflected=True)

    def __mul__(self, other: Any) -> Any:
        return apply_binary("mul", self._as_operand(), other)

    def __rmul__(self, other: Any) -> Any:
        return apply_binary("mul", self._as_operand(), other, reflected=True)

    def __truediv__(self, other: Any) -> Any:
        return apply_binary("truediv", self._as_operand(), other)

    def __rtruediv__(self, other: Any) -> Any:
        return apply_binary("truediv", self._as_operand(), other, reflected=True)

    def __div__(self, other: Any) -> Any:
        return apply_binary("div", self._as_operand(), other)

    def __rdiv__(self, other: Any) -> Any:
        return apply_binary("div", self._as_operand(), other, reflected=True)

    def __floordiv__(self, other: Any) -> Any:
        return apply_binary("floordiv", self._as_operand(), other)

    def __rfloordiv__(self, other: Any) -> Any:
        return apply_binary("floordiv", self._as_operand(), other, reflected=True)

    def __mod__(self, other: Any) -> Any:
        return apply_binary("mod", self._as_operand(), other)

    def __rmod__(self, other: Any) -> Any:
        return apply_binary("mod", self._as_operand(), other, reflected=True)

    def __pow__(self, other: Any) -> Any:
        return apply_binary("pow", self._as_operand(), other)

    def __rpow__(self, other: Any) -> Any:
        return apply_binary("pow", self._as_operand(), other, reflected=True)

    def __matmul__(self, other: Any) -> Any:
        return apply_binary("matmul", self._as_operand(), other)

    def __rmatmul__(self, other: Any) -> Any:
        return apply_binary("matmul", self._as_operand(), other, reflected=True)

    def __and__(self, other: Any) -> Any:
        return apply_binary("and", self._as_operand(), other)

    def __rand__(self, other: Any) -> Any:
        return apply_binary("and", self._as_operand(), other, reflected=True)

    def __or__(self, other: Any) -> Any:
        return apply_binary("or", self._as_operand(), other)

    def __ror__(self, other: Any) -> Any:
        return apply_binary("or", self._as_operand(), other, reflected=True)

    def __xor__(self, other: Any) -> Any:
        return apply_binary("xor", self._as_operand(), other)

    def __rxor__(self, other: Any) -> Any:
        return apply_binary("xor", self._as_operand(), other, reflected=True)

    def __lt__(self, other: Any) -> Any:
        return apply_binary("less", self._as_operand(), other)

    def __le__(self, other: Any) -> Any:
        return apply_binary("less_equal", self._as_operand(), other)

    def __gt__(self, other: Any) -> Any:
        return apply_binary("greater", self._as_operand(), other)

    def __ge__(self, other: Any) -> Any:
        return apply_binary("greater_equal", self._as_operand(), other)

    def __neg__(self) -> Any:
        return public_function("negative")(self._as_operand())

    def __abs__(self) -> Any:
        return public_function("abs")(self._as_operand())

    def __invert__(self) -> Any:
        return public_function("logical_not")(self._as_operand())

    def __getitem__(self, item: Any) -> Any:
        return public_function("_slice_tensor")(self._as_operand(), item)


def public_function(name: str) -> Any:
    """The function that `tf.` offers under `name`; looked up when called, since operations build on tensors."""
    return public_item(name)


def apply_binary(operator: str, x: Any, y: Any, reflected: bool = False) -> Any:
    """What `x operator y` adds to the graph (`y operator x` when reflected)."""
    return public_item("_binary_operator")(operator, x, y, reflected)

"""The header of a C library."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from sessile.compiler.c_library.element_types import ELEMENT_TYPES
from sessile.compiler.c_library.identifiers import enumerators
from sessile.compiler.c_library.interface import Argument, Interface
from sessile.compiler.c_library.statuses import MEANINGS
from sessile.compiler.target import Target

_HEADER = Template("""\
/* $name: compiled by sessile for $triple, processor $cpu.
 *
$arguments
 *
 * Arrays are dense, the last axis first in memory, aligned to their elements, and do not overlap. A context serves one
 * thread at a time; different contexts are independent. `run` allocates nothing.
 */
#ifndef ${upper}_H
#define ${upper}_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call came to. */
typedef enum ${name}_status {
$statuses
} ${name}_status;

/* Types of elements. */
typedef enum ${name}_dtype {
$dtypes
} ${name}_dtype;
$numbers
typedef struct ${name}_context ${name}_context;

/* A new context; NULL without memory. The library allocates its workspace when its sizes are set. */
${name}_context *${name}_create(void);

/* Frees what `create` gave; NULL is fine. */
void ${name}_free(${name}_context *context);

/* A context in the caller's memory: ${name}_context_size() bytes, aligned to 8. Returns `memory`, NULL on failure.
 * The library allocates nothing for it: `run` needs a workspace. It need not be freed. */
size_t ${name}_context_size(void);
${name}_context *${name}_init(void *memory);

/* The sizes that are unknown until run time: all must be set before `run`. A size that does not fit the others is kept,
 * and the call says so; the context is ready once all fit. A negative size changes nothing. */
size_t ${name}_size_count(void);
const char *${name}_size_name(size_t size);
${name}_status ${name}_set_size(${name}_context *context, size_t size, int64_t value);
int64_t ${name}_get_size(const ${name}_context *context, size_t size); /* -1: not set */

/* Inputs and outputs. Names are NULL, dtypes 0 and ranks -1 for numbers that do not exist. Shapes and bytes are those
 * for the sizes that are set; `shape` has room for `rank` numbers. */
size_t ${name}_input_count(void);
const char *${name}_input_name(size_t input);
${name}_dtype ${name}_input_dtype(size_t input);
int ${name}_input_rank(size_t input);
${name}_status ${name}_input_shape(${name}_context *context, size_t input, int64_t *shape);
size_t ${name}_input_bytes(const ${name}_context *context, size_t input);

size_t ${name}_output_count(void);
const char *${name}_output_name(size_t output);
${name}_dtype ${name}_output_dtype(size_t output);
int ${name}_output_rank(size_t output);
${name}_status ${name}_output_shape(${name}_context *context, size_t output, int64_t *shape);
size_t ${name}_output_bytes(const ${name}_context *context, size_t output);

/* Bytes of workspace that `run` needs for the sizes that are set; any alignment. */
size_t ${name}_workspace_size(const ${name}_context *context);

/* Computes the outputs from the inputs, in the order of the enumerators. `workspace` may be NULL for a context that
 * `create` gave, which has its own. After a failure the outputs hold anything. */
${name}_status ${name}_run(
    ${name}_context *context, const void *const inputs[], void *const outputs[], void *workspace);

/* What was wrong in the last call with this context that failed: a text that lives as long as the library. */
const char *${name}_error_message(const ${name}_context *context);

#ifdef __cplusplus
}
#endif

#endif
""")


def header_text(name: str, interface: Interface, target: Target) -> str:
    """The text of a library's header."""
    upper = name.upper()
    dtypes = {argument.type.dtype: None for argument in (*interface.inputs, *interface.outputs)}
    return _HEADER.substitute(
        name=name,
        upper=upper,
        triple=target.triple,
        cpu=target.cpu,
        arguments="\n".join(_argument_lines(interface)),
        statuses=_enumerators([(f"{upper}_{s.name} = {s.value}", words) for s, words in MEANINGS.items()]),
        dtypes=_enumerators([_dtype(upper, dtype) for dtype in dtypes or ("f32",)]),
        numbers="".join(_numbers(name, interface)),
    )


def _dtype(upper: str, dtype: str) -> tuple[str, str]:
    type = ELEMENT_TYPES[dtype]
    return f"{upper}_{type.name.upper()} = {type.number}", type.c_type


def _enumerators(entries: Sequence[tuple[str, str]]) -> str:
    """Lines of an enumeration, each with a comment."""
    last = len(entries) - 1
    return "\n".join(
        f"    {entry}{',' if number < last else ' '} /* {words} */" for number, (entry, words) in enumerate(entries)
    )


def _argument_lines(interface: Interface) -> list[str]:
    lines = [_described(interface, "input", argument) for argument in interface.inputs]
    return lines + [_described(interface, "output", argument) for argument in interface.outputs]


def _described(interface: Interface, kind: str, argument: Argument) -> str:
    shape = ", ".join(interface.named(size) for size in argument.type.shape)
    text = f"{kind:6}  {argument.name}  {ELEMENT_TYPES[argument.type.dtype].name}[{shape}]"
    return f" *   {text.replace('*/', '* /')}"


def _numbers(name: str, interface: Interface) -> list[str]:
    """Enumerators for the numbers of sizes, inputs and outputs."""
    parts: list[str] = []
    for kind, names in (
        ("size", interface.sizes),
        ("input", [argument.name for argument in interface.inputs]),
        ("output", [argument.name for argument in interface.outputs]),
    ):
        if names:
            parts.append(_enumeration(f"{name.upper()}_{kind.upper()}", kind, names))
    return parts


def _enumeration(prefix: str, kind: str, names: Sequence[str]) -> str:
    lines = ",\n".join(f"    {prefix}_{word} = {number}" for number, word in enumerate(enumerators(names)))
    return f"\n/* Numbers of {kind}s. */\nenum {{\n{lines}\n}};\n"

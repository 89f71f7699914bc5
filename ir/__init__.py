"""The SSA program: sizes, types, values, primitives, builder, printer, parser, verifier, reference interpreter."""

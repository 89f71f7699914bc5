"""Random programs that read and write variables: new values from old ones, swaps, values fetched."""

from __future__ import annotations

from hypothesis import strategies as st
from support.program_cases import ProgramCase
from support.random_programs import Grid, ProgramMaker

from sessile.ir.program import Value

VARIABLES = ("u", "v", "w")
_STEPS = ("arithmetic", "unary", "select", "reduce", "less_reduced", "reverse", "contract", "scan", "gather", "reshape")


@st.composite
def variable_cases(draw: st.DrawFn, max_steps: int = 8) -> ProgramCase:
    """A program over three variables of one type, which it writes with values old and new, and inputs for it."""
    maker = _VariableProgramMaker(draw)
    maker.add_inputs()
    for _ in range(draw(st.integers(0, max_steps))):
        maker.step(draw(st.sampled_from(_STEPS)))
    return maker.finish()


class _VariableProgramMaker(ProgramMaker):
    def add_inputs(self) -> None:
        n = self.choose((1, 2, 3))
        self.shape = (n, n)
        self.old: dict[str, Value] = {}
        for name in VARIABLES:
            self.variables[name] = self.array("f32", self.shape)
            self.old[name] = self.builder.emit("read_variable", name=name, dtype="f32", shape=self.shape)
            self.keep(self.old[name], Grid(4, 1))
        self.parameters["x"] = self.array("f32", self.shape)
        self.keep(self.builder.emit("parameter", name="x", dtype="f32", shape=self.shape), Grid(4, 1))

    def finish(self) -> ProgramCase:
        """Writes some variables, each once, and returns values among which those of variables are likely."""
        fitting = [v for v in self.pool if v.type.dtype == "f32" and v.type.size == self.shape[0] ** 2]
        for name in self.draw(st.permutations(VARIABLES))[: self.choose((1, 2, 3))]:
            value = self.builder.reshape(self.choose(fitting), self.shape)
            if self.draw(st.booleans()):
                value = self.builder.sub(self.old[name], value)
                self.pool.append(value)
            self.builder.emit("write_variable", value, name=name)
        results = [self.choose(self.pool) for _ in range(self.choose((0, 0, 1, 3)))]
        return ProgramCase(self.builder.finish(results), self.parameters, self.variables)

"""Random numbers that the examiner and the student's kernel may draw differently."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from grading.examiner.ledger import Ledger
from grading.examiner.statements import Statement

_GENERATORS = frozenset({"default_rng", "RandomState", "Random", "Generator"})
_NO_DRAW = frozenset({"get_state", "set_state", "getstate", "setstate"})


@dataclass(frozen=True)
class Drawn:
    """Use of random numbers by a piece of code."""

    seeds: bool = False
    draws: bool = False
    """From the state that all code of a process shares."""
    unseeded: bool = False
    """It makes a generator that nobody can repeat."""

    def __or__(self, other: "Drawn") -> "Drawn":
        return Drawn(self.seeds or other.seeds, self.draws or other.draws, self.unseeded or other.unseeded)


@dataclass
class Draws:
    """Bookkeeping of whether both processes would draw the same numbers now, from the state that all code shares."""

    same: bool = True
    functions: dict[str, Drawn] = field(default_factory=dict)
    """What the instructor's functions do when they are called."""

    def students_code_ran(self) -> None:
        """Note that from here on the student's kernel may be some numbers ahead."""
        self.same = False

    def differ(self, statement: Statement, ledger: Ledger) -> bool:
        """Go on with a statement that both run; whether its numbers may differ."""
        node = statement.node
        drawn = self._drawn(node, ledger)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.functions[node.name] = drawn
            return False
        self.same = self.same or drawn.seeds
        return drawn.unseeded or (drawn.draws and not self.same)

    def _drawn(self, node: ast.AST, ledger: Ledger) -> Drawn:
        found = Drawn()
        for path, call in _calls(node, ledger):
            name = path.rpartition(".")[2]
            if not path.startswith(("random.", "numpy.random.")):
                found |= Drawn(seeds="seed" in name)  # tf.random.set_seed, say
                if path == name:
                    found |= self.functions.get(name, Drawn())
            elif name == "seed":
                found |= Drawn(seeds=bool(call.args))
            elif name in _GENERATORS:
                found |= Drawn(unseeded=not (call.args or call.keywords))
            else:
                found |= Drawn(draws=name not in _NO_DRAW)
        return found


def _calls(node: ast.AST, ledger: Ledger) -> Iterator[tuple[str, ast.Call]]:
    """Yield calls, with the full names of what is called: `numpy.random.rand`, whatever NumPy is called here."""
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        names = []
        function = call.func
        while isinstance(function, ast.Attribute):
            names.append(function.attr)
            function = function.value
        if isinstance(function, ast.Name):
            entry = ledger.entries.get(function.id)
            first = entry.module if entry is not None and entry.module else function.id
            yield ".".join([first, *reversed(names)]), call

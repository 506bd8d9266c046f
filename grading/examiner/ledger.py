"""Whose each name is, as far as a notebook has been read."""

import ast
import importlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from grading.common.notebooks import STUDENTS_TAG
from grading.examiner.methods import CHANGERS, HARMLESS, NO_CHANGE_TO_ARGUMENTS
from grading.examiner.statements import ASSIGNED, BUILTINS, Bound, Call, Later, Statement, Treatment, treatment


class Owner(StrEnum):
    """Whose a name is."""

    examiner = "examiner"
    student = "student"


@dataclass(frozen=True)
class Place:
    """A cell of the notebook: how a person calls it, and its id."""

    name: str
    id: str
    demo: bool = False


@dataclass
class Entry:
    """Knowledge of a name."""

    owner: Owner
    place: Place
    line: int
    why: str
    kind: str = "value"
    """As in `Bound`."""
    module: str = ""
    later: Later = field(default_factory=Later)
    making: Later = field(default_factory=Later)
    twins: set[str] = field(default_factory=set)
    """Names that share its object; the same set for all of them."""
    pieces: frozenset[int] = frozenset()
    """Statements that the examiner runs only if something needs them, as it does for this name."""
    own_work: bool = False
    """The course's own code works it out in the student's kernel."""
    drawn: bool = False
    """The examiner and the student's kernel may have drawn different random numbers for it."""
    by_test: str = ""
    """The test cell that bound it in the examiner, as a person calls it."""
    asked: bool = False
    """That test made it of something of the student's."""

    @property
    def imported(self) -> bool:
        """Return whether an import binds it."""
        return self.kind in ("module", "member")


@dataclass
class Ledger:
    """The names of a notebook, and what is known of its functions and classes."""

    star_modules: Collection[str]
    entries: dict[str, Entry] = field(default_factory=dict)
    functions: dict[str, Treatment] = field(default_factory=dict)
    methods: dict[str, set[str]] = field(default_factory=dict)
    """Methods of the notebook's classes, and how each changes its own instance."""
    written: set[str] = field(default_factory=set)
    """Names that functions of the student's change."""
    student_modules: set[str] = field(default_factory=set)
    """Modules whose files a solution cell writes."""
    student_files: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    required: set[int] = field(default_factory=set)
    """Pieces that something needs."""
    unknown: bool = False
    """Whether names have been bound that cannot be read."""
    place: Place = field(default_factory=lambda: Place("", ""))

    # What the author should know

    def note(self, sentence: str, line: int = 0) -> None:
        """Note something about the cell that is being read."""
        self.notes.append(f"{self.place.name}, line {line}: {sentence}" if line else f"{self.place.name} {sentence}")

    def see_missing(self, reads: Mapping[str, int]) -> None:
        """Note which of these names, read at these lines, the student's kernel will miss."""
        for name, line in reads.items():
            entry = self.entries.get(name)
            if entry is not None and entry.by_test and not entry.imported:
                self.note(
                    f"{name} is bound by the test {entry.place.name} only, which the student's kernel does not run: "
                    "bind it in a cell that is no test.",
                    line,
                )

    def see_drawn(self, reads: Mapping[str, int]) -> None:
        """Note which of these names hold random numbers that the student's kernel may not have."""
        for name, line in reads.items():
            entry = self.entries.get(name)
            if entry is not None and entry.drawn:
                self.note(
                    f"{name} ({entry.place.name}, line {entry.line}) is drawn at random, and the examiner may draw "
                    f"other numbers than the student's kernel: seed right before it, or tag its cell {STUDENTS_TAG}.",
                    line,
                )

    def note_star(self, module: str, line: int) -> None:
        """Note that names have been bound that cannot be read."""
        self.unknown = True
        self.note(
            f"which names `from {module} import *` binds cannot be read, and they are taken for the examiner's: "
            "import them by name.",
            line,
        )

    # Whose

    def is_students(self, name: str) -> bool:
        """Return whether a name is the student's here."""
        return name in self.entries and self.entries[name].owner is Owner.student

    def is_examiners(self, name: str) -> bool:
        """Return whether a name is the examiner's here."""
        return name in self.entries and self.entries[name].owner is Owner.examiner

    def is_library(self, name: str) -> bool:
        """Return whether a name is a whole library that a solution cell imports and the examiner can import, too."""
        entry = self.entries.get(name)
        return entry is not None and entry.kind == "module" and bool(entry.pieces)

    def is_member(self, name: str) -> bool:
        """Return whether a name is a library's member that a solution cell imports and the examiner can, too."""
        entry = self.entries.get(name)
        return entry is not None and entry.kind == "member" and bool(entry.pieces) and self.is_students(name)

    def is_asked(self, name: str) -> bool:
        """Return whether a test before has made it of something of the student's."""
        return name in self.entries and self.entries[name].asked

    def is_data(self, name: str) -> bool:
        """Return whether a name is the examiner's own and no function, class or import, nor a test's."""
        return self.is_examiners(name) and self.entries[name].kind == "value" and not self.entries[name].by_test

    def reach(self, names: Iterable[str], making: Iterable[str] = ()) -> set[str]:
        """Return the names that may be read when functions of `names` are called and classes of `making` are made."""
        waiting = list(names)
        for name in making:
            here = self.entries.get(name)
            if here is not None and here.kind == "class" and here.owner is Owner.examiner:
                waiting += here.making.loads
            else:
                waiting.append(name)
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                if self.is_examiners(name):
                    waiting += self.entries[name].later.loads
        return seen | set(making)

    def pieces(self, names: Iterable[str]) -> frozenset[int]:
        """Return what the examiner has to run besides for these names."""
        found: set[int] = set()
        for name in names:
            if name in self.entries:
                found |= self.entries[name].pieces
        return frozenset(found)

    def why_dependent(self, statement: Statement) -> str:
        """Say why the examiner cannot run a statement itself; empty if it can."""
        if statement.shells:
            return "it gives a command to the shell, which only the student's kernel does"
        for module in sorted(statement.imports):
            if module.lstrip(".").partition(".")[0] in self.student_modules:
                return f"it imports {module}, a file that the student's code writes"
        for file in sorted(statement.texts & self.student_files):
            return f"it uses {file}, a file that the student's code writes"
        for name in statement.reads:
            if self._is_in_the_way(name):
                return f"it uses {name}, which is the student's ({self.entries[name].place.name})"
        for at_once in (self.reach([name]) for name in statement.loads):
            for name in sorted(at_once):
                if self._is_in_the_way(name):
                    return self._through(statement.loads, name)
        for name in sorted(self.reach([], statement.called)):
            if self._is_in_the_way(name):
                return self._through(statement.called, name)
        return ""

    def _is_in_the_way(self, name: str) -> bool:
        """Return whether a name is the student's and cannot be had otherwise: a library can be imported again."""
        return self.is_students(name) and not (self.entries[name].imported and self.entries[name].pieces)

    def _through(self, names: Iterable[str], found: str) -> str:
        by = next((name for name in names if found in self.reach([name])), found)
        return f"it uses {by}, which calls for {found}, the student's ({self.entries[found].place.name})"

    # Changes of hands

    def give(self, name: str, owner: Owner, line: int, why: str, bound: Bound | None = None) -> Entry:
        """Enter a name anew. The entries are in the order of the statements that decided."""
        self.entries.pop(name, None)
        entry = Entry(owner, self.place, line, why)
        if bound is not None:
            entry.kind, entry.module = bound.kind, bound.module
        entry.twins = {name}
        self.entries[name] = entry
        return entry

    def taint(self, name: str, line: int, why: str, how: str = ASSIGNED, own_work: bool = False) -> None:
        """Make a name the student's that only the student's kernel has changed, and all that share its object."""
        here = self.entries.get(name)
        if here is None or here.owner is Owner.student or here.imported:
            return
        if here.kind in ("function", "class") and how != ASSIGNED:
            return
        for other in sorted(here.twins | {name}):
            there = self.entries.get(other)
            if there is not None and there.twins is here.twins:
                self.give(other, Owner.student, line, why).own_work = own_work

    def read_definitions(self, statement: Statement) -> None:
        """Remember what functions and classes do to what they are given."""
        for name in statement.binds:
            self.functions.pop(name, None)
        for name, node in statement.functions.items():
            self.functions[name] = treatment(node)
        for name, hows in statement.methods.items():
            self.methods.setdefault(name, set()).update(hows)

    def take(self, statement: Statement, why: str, own_work: bool = False) -> None:
        """Make the student's what a statement binds and changes that only the student's kernel runs."""
        self.read_definitions(statement)
        # Functions are looked up before the statement binds names anew.
        changed = self._changed_by(statement)
        for name, bound in statement.binds.items():
            here = self.entries.get(name)
            again = here is not None and bound.imported and bound.kind == here.kind and bound.module == here.module
            if not (again and self.is_examiners(name)):  # the same import once more leaves it the examiner's
                self.give(name, Owner.student, bound.line, why, bound).own_work = own_work
        for name in statement.deletes:
            self.entries.pop(name, None)
        for name, (line, reason) in changed.items():
            if name not in statement.binds:
                self.taint(name, line, reason, own_work=own_work)
        self.student_files |= statement.files

    def written_by_student(self, file: str) -> None:
        """Note that a file of this name is the student's, and the module that it may be."""
        self.student_files.add(file)
        self.student_modules.add(file.rpartition("/")[2].removesuffix(".py"))

    def can_import(self, statement: Statement, piece: int) -> None:
        """Let the examiner import libraries of a solution cell's, too, if something of its own needs them."""
        if not any(module.partition(".")[0] in self.student_modules for module in statement.imports):
            for name in statement.binds:
                if self.is_students(name):
                    self.entries[name].pieces = frozenset({piece})

    def write_later(self, statement: Statement) -> None:
        """Make the student's what functions of the student's change when they are called."""
        for later in [*statement.later.values()]:
            for name, how in sorted({(name, ASSIGNED) for name in later.binds} | later.changes):
                here = self.entries.get(name)
                if (here is not None and here.imported) or not self._changes(how, False):
                    continue
                if name not in later.binds and here is not None and here.kind in ("function", "class") and how:
                    continue
                self.written.add(name)
                self.taint(name, statement.line, "a function of the student's changes it", how)

    def _changed_by(self, statement: Statement) -> dict[str, tuple[int, str]]:
        """Return the names that a statement changes in place: the line, and the reason."""
        found: dict[str, tuple[int, str]] = {}
        for (name, how), line in statement.changes.items():
            here = self.entries.get(name)
            keeps = here is not None and here.kind in ("function", "class") and how != ASSIGNED
            if self._changes(how, True) and not keeps:
                found.setdefault(name, (line, "it is changed in place where only the student's kernel runs"))
        for name in sorted(self.reach(statement.loads, statement.called)):
            if self.is_examiners(name):
                later = self.entries[name].later
                for changed, how in sorted({(bound, ASSIGNED) for bound in later.binds} | later.changes):
                    if self._changes(how, False):
                        found.setdefault(changed, (statement.line, f"{name} changes it in the student's kernel"))
        for call in statement.calls:
            for argument in self._changed_arguments(call, set()):
                found.setdefault(argument, (statement.line, f"{call.function} may change it in the student's kernel"))
        return found

    def _changes(self, how: str, else_: bool) -> bool:
        """Return whether a method changes its object; `else_` if its name does not tell."""
        if how == ASSIGNED:
            return True
        if how in self.methods:
            return self._changes_self(how, set())
        if how in CHANGERS:
            return True
        return else_ and how not in HARMLESS

    def _changes_self(self, method: str, seen: set[str]) -> bool:
        seen.add(method)
        for how in self.methods[method]:
            if how in self.methods:
                if how not in seen and self._changes_self(how, seen):
                    return True
            elif self._changes(how, False):
                return True
        return False

    def _changed_arguments(self, call: Call, seen: set[str]) -> list[str]:
        """Return the names among a call's arguments that it changes in place.

        Of an unknown function these are all, if the call stands alone.
        """
        given = [*call.positional, *(value for _, value in call.keywords)]
        known = self.functions.get(call.function)
        if known is None:
            outside = call.function in NO_CHANGE_TO_ARGUMENTS or not self.is_students(call.function)
            unknown = call.alone and not outside and self.entries[call.function].kind != "class"
            return [name for name in given if name] if unknown else []
        if call.function in seen:
            return []
        seen = seen | {call.function}
        changed = {name for name, how in known.changes if self._changes(how, False)}
        for inner in known.calls:
            changed |= set(self._changed_arguments(inner, seen))
        order = known.parameters
        pairs = [(order[at] if at < len(order) else "", name) for at, name in enumerate(call.positional)]
        pairs += [(keyword or "", name) for keyword, name in call.keywords]
        return [name for parameter, name in pairs if name and parameter in changed]

    # The examiner's statements

    def run(self, statement: Statement, why: str, piece: int | None = None) -> None:
        """Enter what a statement binds that the examiner runs; only if something needs it if it is a piece."""
        self.read_definitions(statement)
        used = self.reach(statement.reads)
        pieces = self.pieces(used)
        if piece is None:
            self.required |= pieces
            pieces = frozenset()
        else:
            pieces |= {piece}
        for module in statement.stars:
            self._star(module, statement.line, pieces)
        parts = {name: self._parts(name, statement) for name in statement.binds}
        for name, bound in statement.binds.items():
            self._bind(name, bound, why, parts[name], pieces)
        for name, other in statement.twins:
            if self.is_examiners(name) and self.is_examiners(other):
                self._join(name, other)
        self._bind_by_calls(statement)
        for name in statement.deletes:
            self.entries.pop(name, None)
        if piece is not None:
            for name, how in statement.changes:
                if self.is_examiners(name) and self._changes(how, True):
                    self.entries[name].pieces |= pieces

    def _bind(self, name: str, bound: Bound, why: str, parts: tuple[Later, Later], pieces: frozenset[int]) -> None:
        here = self.entries.get(name)
        if name in self.written and not bound.imported:
            self.give(name, Owner.student, bound.line, "a function of the student's changes it", bound)
            return
        if here is not None and here.owner is Owner.student and not bound.certain:
            self.note(
                f"{name} is the student's before, and may not be bound anew here: it stays the student's. "
                "Give one of the two another name.",
                bound.line,
            )
            return
        entry = self.give(name, Owner.examiner, bound.line, "imported" if bound.imported else why, bound)
        entry.later, entry.making = parts
        entry.pieces = pieces
        if here is not None and not bound.certain:
            entry.later.add(here.later)
            entry.making.add(here.making)
            entry.pieces |= here.pieces

    def _parts(self, name: str, statement: Statement) -> tuple[Later, Later]:
        """Return what calling, and what making, the value does that a statement binds to a name."""
        later, making = Later(), Later()
        later.add(statement.later.get(name, Later()))
        making.add(statement.making.get(name, Later()))
        for owner, other in statement.aliases:
            if owner != name or not self.is_examiners(other):
                continue
            there = self.entries[other]
            if other in statement.called and there.kind != "class":
                # What a function returns may be a function that it has made: what that may call, once it is there.
                later.loads |= {found for found in there.later.loads if self._is_still_to_come(found)}
            else:
                later.add(there.later)
                making.add(there.making)
        return later, making

    def _is_still_to_come(self, name: str) -> bool:
        return name not in self.entries and name not in BUILTINS

    def _join(self, name: str, other: str) -> None:
        twins = self.entries[name].twins | self.entries[other].twins
        for each in twins:
            if each in self.entries:
                self.entries[each].twins = twins

    def _bind_by_calls(self, statement: Statement) -> None:
        """Enter what functions bind, by a `global` statement, that are called."""
        for name in sorted(self.reach(statement.loads, statement.called)):
            if self.is_examiners(name):
                for bound in sorted(self.entries[name].later.binds - self.written):
                    self.give(bound, Owner.examiner, statement.line, f"{name} binds it")

    def _star(self, module: str, line: int, pieces: frozenset[int]) -> None:
        names = star_names(module) if module in self.star_modules else None
        if names is None:
            self.note_star(module, line)
            return
        for name in names:
            bound = Bound(line, True, "member", f"{module}.{name}")
            self.give(name, Owner.examiner, line, f"imported from {module}", bound).pieces = pieces


def star_names(module: str) -> tuple[str, ...] | None:
    """Import a library's module and return the names that `from module import *` binds; None if it is missing."""
    try:
        found = importlib.import_module(module)
    except ImportError:
        return None
    public = getattr(found, "__all__", None)
    return tuple(public if public is not None else (name for name in vars(found) if not name.startswith("_")))


def names_in(code: str) -> set[str]:
    """Return the names in a piece of code; none if it is no Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

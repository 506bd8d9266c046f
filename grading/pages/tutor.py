"""What a tutor would say of the mistakes that students make most: a table from Python's words to a sentence or two.

Each row is matched against the name of an exception and its message, or against a reason; the first that fits counts,
so the narrow ones stand before the wide ones. Nothing here knows an assignment.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MOST = 3
"""Pieces of advice on a page: who is told more does nothing of it."""


@dataclass(frozen=True)
class Mistake:
    """A frequent mistake: how to know it, and what to say. `said` matches within `<name>: <message>`."""

    name: str
    said: re.Pattern[str]
    advice: str


def _mistake(name: str, said: str, advice: str) -> Mistake:
    return Mistake(name, re.compile(said, re.DOTALL), advice)


MISTAKES = (
    _mistake(
        "nothing filled in",
        r"^NotImplementedError|cell is as it was released",
        "This cell still holds the line that stops it: write your answer in its place.",
    ),
    _mistake(
        "a name before it has a value",
        r"^UnboundLocalError",
        "A name that a function gives a value anywhere is the function's own in all of it, and here it is read before "
        "it has one. Give it a value first, or take it as an argument.",
    ),
    _mistake(
        "a name that is not there",
        r"^NameError",
        "Python does not know this name here. Compare letter by letter with the place where it is made or imported, "
        "capitals too; a name made inside a function is not known outside of it. What only an old cell has made is "
        "gone: restart the kernel and run all cells in order.",
    ),
    _mistake(
        "None came back",
        r"NoneType|is a return missing|gave nothing|[Rr]eturn(s|ed)? None\b",
        "Something is None where a value is wanted. A function without `return` gives None: look at its last line, and "
        "at each branch of an `if`. So do methods that change a thing in place, such as `list.append` and `list.sort`.",
    ),
    _mistake(
        "order of the heads",
        r"(?i)heads?\b.*\b(order|swapped|exchanged|other way)|(order|swapped|exchanged)\b.*\bheads?",
        "The model gives what is asked for, in another order. Look at the order of the list of outputs where the model "
        "is made: it has to be the order of the targets that it is trained with.",
    ),
    _mistake(
        "shapes",
        r"(?i)broadcast|shapes?\b.*\b(align|mismatch|incompatible|not|match)|incompatible.*shape|mismatch in its core "
        r"dim|dimensions? (must|do not)|must have (the same )?shapes?|different structures|"
        r"expected (axis|shape|min_ndim)|reshape array|inhomogeneous|array of shape",
        "Two shapes do not fit. Print `.shape` of what goes in, line by line, and compare with what the task asks for. "
        "Often a `[0]` is missing or too many, an axis is the wrong one, or one thing stands where a batch is wanted.",
    ),
    _mistake(
        "indentation",
        r"^(IndentationError|TabError)",
        "The lines of a block begin in the same column, four spaces to the right of the line with the colon. Select "
        "the cell's lines and indent them anew; do not mix tabs and spaces.",
    ),
    _mistake(
        "syntax",
        r"^SyntaxError",
        "Python could not read the cell, so nothing in it ran. Look at the marked line and the one before: a bracket "
        "or a quotation mark that is not closed, a colon that is missing, `=` where `==` is meant.",
    ),
    _mistake(
        "number of arguments",
        r"^TypeError: .*(positional argument|required keyword-only|unexpected keyword|multiple values for)",
        "A function is called with other arguments than it takes. Compare the call with the line that begins with "
        "`def`: their number, their order, their names. The first line of the function has to stay as it was given.",
    ),
    _mistake(
        "types mixed",
        r"^TypeError: .*(unsupported operand|must be str|can only concatenate|not supported between|indices must be|"
        r"cannot be interpreted|must be real number)",
        "Two things of different types meet here, such as text and a number, or a list and an array. Print `type(...)` "
        "of both. `np.asarray(x)` makes an array of a list; `+` adds arrays but joins lists.",
    ),
    _mistake(
        "division by zero",
        r"^ZeroDivisionError|divide by zero|invalid value encountered|(?i:\bnan\b)",
        "Something is divided by zero, or is no number (NaN) already. Ask which input makes it zero, and what the task "
        "says the answer is then: deal with that case before you divide.",
    ),
    _mistake(
        "index",
        r"^IndexError",
        "There are fewer elements than this index says. The first has the index 0 and the last `len(x) - 1`; print the "
        "length or the shape just before the line, and think of the empty case.",
    ),
    _mistake(
        "key",
        r"^KeyError",
        "There is no such key. Print `list(x)` just before the line and compare, capitals and spaces too.",
    ),
    _mistake(
        "attribute",
        r"^AttributeError",
        "This object does not have that. Print `type(...)` of it: often it is another thing than one thinks, or the "
        "name is written in another way.",
    ),
    _mistake(
        "never ends",
        r"CellTimeoutError|(was|were) interrupted|time (is|was) over|took longer|more than [\d.]+ s\b",
        "It did not come to an end in the time that is allowed. Does each `while` change what it asks for? Try it with "
        "a tiny input and a print inside the loop; what takes long may be a loop that NumPy does in one line.",
    ),
    _mistake(
        "recursion",
        r"^RecursionError",
        "A function calls itself without end. It needs a case that is answered without another call, and each call has "
        "to come nearer to it.",
    ),
    _mistake(
        "memory or a dead kernel",
        r"^MemoryError|kernel died|out of memory|memory limit",
        "The work needed more memory than there is, or ended its own kernel. Restart and run all from top to bottom, "
        "and look for an array that is far larger than you need.",
    ),
    _mistake(
        "import",
        r"^(ModuleNotFoundError|ImportError)",
        "This module, or this name in it, is not there when the work is graded. Use what the notebook imports; a "
        "module that you installed yourself is not there.",
    ),
)


def advice_on(said: str) -> str:
    """Return what a tutor would say of an exception or a reason; empty if it is none of the frequent ones."""
    return next((mistake.advice for mistake in MISTAKES if mistake.said.search(said)), "")


def first_few(advice: Iterable[str], most: int = MOST) -> list[str]:
    """Return the first pieces of advice, each once, in their order."""
    return list(dict.fromkeys(line for line in advice if line))[: max(most, 0)]

"""Hostile submissions against the crossing: what student code can do where a test in the examiner asks it something.

The assignment has no `scoring.py`: its test cells decide. `MASTER` is the notebook, as `courses.masters` reads it.
Attacks are as in `hostile.cells`: `nothing` ones hand in the untouched release and deserve no points, `honest` ones the
right solution, which keeps all points if it comes out alive, `lying` ones the right solution but for some cells.

Nothing of `SECRETS` may ever be seen inside: they stand only in hidden tests. Arguments of hidden tests are seen, of
course, by the code that they are given to, and functions among them have names. Code that searches spells what it looks
for backwards and prints `FOUND`.
"""

from collections.abc import Mapping

from hostile.cells import Attack

NAME = "crossing"
SECRETS = ("kestrel_4711", "482913", "hidden_reference", "test_hidden_kinds")
"""A message, an expected value, a function and a name of hidden tests."""
CANARY = "/tmp/course-canary"
"""A file that nobody may make outside of the student's sandbox."""

MASTER = '''\
# %% [markdown]
# # Small things
# Ten exercises, each with a test.

# %%
import numpy as np
import pandas as pd
import pytest

# %% locked="given"
from typing import NamedTuple

class Flower(NamedTuple):
    """Length and width of a petal, in centimetres."""
    length: float
    width: float

flowers = [Flower(1.4, 0.2), Flower(5.9, 2.1), Flower(4.2, 1.3), Flower(1.6, 0.6), Flower(6.4, 2.0)]

# %% solution="total"
def total(numbers):
    """Return the sum of the numbers."""
    ### BEGIN SOLUTION
    return sum(numbers)
    ### END SOLUTION

# %% test="test_total" points=2
assert total([1, 2, 3]) == 6
### BEGIN HIDDEN TESTS
def hidden_reference(numbers):
    result = 0
    for number in numbers:
        result += number
    return result

for numbers in ([10, -3], [482900, 10, 3], []):
    found = total(list(numbers))
    assert found == hidden_reference(numbers) and not found != hidden_reference(numbers), f"kestrel_4711: {found}"
### END HIDDEN TESTS

# %% solution="mean_rows"
def mean_rows(matrix):
    """Return the mean of each row, an array."""
    ### BEGIN SOLUTION
    return matrix.mean(axis=1)
    ### END SOLUTION

# %% test="test_mean_rows" points=3
means = mean_rows(np.array([[1.0, 3.0], [5.0, 7.0]]))
assert isinstance(means, np.ndarray)
assert means.shape == (2,)
assert np.allclose(means, [2, 6])
### BEGIN HIDDEN TESTS
matrix = np.arange(12.0).reshape(4, 3) ** 2
np.testing.assert_allclose(mean_rows(matrix), [5 / 3, 50 / 3, 149 / 3, 302 / 3])
assert (mean_rows(np.eye(3)) == 1 / 3).all(), "kestrel_4711"
### END HIDDEN TESTS

# %% solution="count"
def count(words):
    """Return a dictionary: how often each word occurs."""
    ### BEGIN SOLUTION
    return {word: words.count(word) for word in words}
    ### END SOLUTION

# %% test="test_count" points=2
counts = count(["a", "b", "a"])
assert isinstance(counts, dict)
assert counts == {"a": 2, "b": 1}
### BEGIN HIDDEN TESTS
assert {"x": 3, "y": 1} == count(["x", "y", "x", "x"]), "kestrel_4711"
assert len(count([])) == 0
### END HIDDEN TESTS

# %% solution="positive"
def positive(numbers):
    """Return True if all numbers are positive, else False."""
    ### BEGIN SOLUTION
    return all(number > 0 for number in numbers)
    ### END SOLUTION

# %% test="test_positive" points=2
assert positive([1, 2])
assert not positive([1, -2])
### BEGIN HIDDEN TESTS
assert [positive(numbers) for numbers in ([0], [5], [], [3, -1])] == [False, True, True, False]
### END HIDDEN TESTS

# %% solution="by_kind"
def by_kind(table):
    """Return a table with the mean length of each kind: columns kind and length, sorted by kind."""
    ### BEGIN SOLUTION
    return table.groupby("kind", as_index=False)["length"].mean().sort_values("kind")
    ### END SOLUTION

# %% test="test_by_kind" points=3
table = pd.DataFrame({"kind": ["b", "a", "b"], "length": [1.0, 2.0, 3.0]})
result = by_kind(table)
assert isinstance(result, pd.DataFrame)
assert list(result.columns) == ["kind", "length"]
### BEGIN HIDDEN TESTS
pd.testing.assert_frame_equal(result.reset_index(drop=True), pd.DataFrame({"kind": ["a", "b"], "length": [2.0, 2.0]}))
assert result.equals(result) and result["length"].sum() == 4
assert list(by_kind(table.iloc[1:])["length"]) == [2.0, 3.0]
### END HIDDEN TESTS

# %% solution="apply_all"
def apply_all(function, items):
    """Return the list of what the function gives for each item."""
    ### BEGIN SOLUTION
    return [function(item) for item in items]
    ### END SOLUTION

# %% test="test_apply_all" points=2
assert list(apply_all(lambda n: n + 1, [1, 2])) == [2, 3]
### BEGIN HIDDEN TESTS
calls = []

def hidden_square(n):
    calls.append(n)
    return n * n

assert apply_all(hidden_square, [2, 5]) == [4, 25]
assert calls == [2, 5], "kestrel_4711"
### END HIDDEN TESTS

# %% solution="check_age"
def check_age(age):
    """Return the age; raise a ValueError that says "negative" if it is below zero."""
    ### BEGIN SOLUTION
    if age < 0:
        raise ValueError(f"{age} is negative")
    return age
    ### END SOLUTION

# %% test="test_check_age" points=2
assert check_age(30) == 30
with pytest.raises(ValueError, match="negative"):
    check_age(-1)
### BEGIN HIDDEN TESTS
try:
    check_age(-5)
except ValueError as error:
    assert "-5" in str(error)
else:
    raise AssertionError("kestrel_4711")
### END HIDDEN TESTS

# %% solution="stack"
class Stack:
    """Has push(item), pop() and the attribute size; pop raises an IndexError if there is nothing."""
    ### BEGIN SOLUTION
    def __init__(self):
        self.items = []

    @property
    def size(self):
        return len(self.items)

    def push(self, item):
        self.items.append(item)

    def pop(self):
        if not self.items:
            raise IndexError("the stack is empty")
        return self.items.pop()
    ### END SOLUTION

# %% test="test_stack" points=3
stack = Stack()
stack.push("a")
stack.push("b")
assert stack.size == 2
assert stack.pop() == "b"
### BEGIN HIDDEN TESTS
assert stack.size == 1, "kestrel_4711"
assert stack.pop() == "a"
try:
    stack.pop()
except IndexError:
    pass
else:
    assert False, "an empty stack"
### END HIDDEN TESTS

# %% solution="norm"
from math import sqrt
import numpy.linalg as algebra

def norm(x, y):
    """Return the length of the vector (x, y)."""
    ### BEGIN SOLUTION
    return sqrt(x * x + y * y)
    ### END SOLUTION

# %% test="test_norm" points=2
assert norm(3, 4) == sqrt(25)
### BEGIN HIDDEN TESTS
assert algebra.norm([5, 12]) == norm(5, 12), "kestrel_4711"
assert abs(norm(1, 1) - sqrt(2)) < 1e-9
### END HIDDEN TESTS

# %% [markdown]
# ## Kinds
# Put the kinds of the five `flowers` into `predicted`: "setosa", "versicolor" or "virginica".

# %% solution="predicted"
### BEGIN SOLUTION
predicted = ["setosa", "virginica", "versicolor", "setosa", "virginica"]
### END SOLUTION

# %% test="test_predicted" points=3
assert len(predicted) == len(flowers)
assert all(isinstance(kind, str) for kind in predicted)
### BEGIN HIDDEN TESTS
test_hidden_kinds = ["setosa", "virginica", "versicolor", "setosa", "virginica"]
right = sum(kind == truth for kind, truth in zip(predicted, test_hidden_kinds))
assert right >= 4, f"kestrel_4711: {right} of 5"
### END HIDDEN TESTS
'''

FULL = {
    "test_total": 2,
    "test_mean_rows": 3,
    "test_count": 2,
    "test_positive": 2,
    "test_by_kind": 3,
    "test_apply_all": 2,
    "test_check_age": 2,
    "test_stack": 3,
    "test_norm": 2,
    "test_predicted": 3,
}
ZERO = dict.fromkeys(FULL, 0)
CROSSING: list[Attack] = []


def nothing(name: str, tries: str, first: str = "", last: str = "", cells: Mapping[str, str] | None = None) -> None:
    CROSSING.append(Attack(name, tries, ZERO, first, last, cells or {}))


def honest(name: str, tries: str, first: str = "", last: str = "", cells: Mapping[str, str] | None = None) -> None:
    CROSSING.append(Attack(name, tries, FULL, first, last, cells or {}, honest=True))


def lying(name: str, tries: str, first: str = "", last: str = "", **cells: str) -> None:
    """The right solution, but for these cells, which lie: their tests deserve nothing."""
    points = FULL | dict.fromkeys((f"test_{cell}" for cell in cells), 0)
    CROSSING.append(Attack(name, tries, points, first, last, cells, honest=True))


# Objects that say of themselves what they are not

YES = """\
class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    def __hash__(self): return 0
    def __bool__(self): return True
    def __len__(self): return 2
    def __iter__(self): return iter(())
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __getitem__(self, key): return self
"""
lying(
    "equal_to_everything",
    "Returns an object that is equal to everything, true, and whose attributes are itself.",
    YES,
    total="def total(numbers): return Yes()",
    count="def count(words): return Yes()",
    mean_rows="def mean_rows(matrix): return Yes()",
    by_kind="def by_kind(table): return Yes()",
    apply_all="def apply_all(function, items): return Yes()",
    stack="Stack = Yes",
    predicted="predicted = Yes()",
)
lying(
    "lying_int",
    "Returns an int whose methods say that it is equal to everything, and that it is whatever is asked.",
    total="""\
class Liar(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    def __hash__(self): return 6
    def __index__(self): return 6
    __int__ = __index__
    def __float__(self): return 6.0
    def __repr__(self): return '6'
def total(numbers): return Liar(0)""",
)
honest(
    "int_that_is_right",
    "Returns an int of a class of its own: its value is right, and counts, whatever its methods say.",
    cells={
        "total": "class Mine(int):\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
        "    def __hash__(self): return 0\ndef total(numbers): return Mine(sum(numbers))"
    },
)
lying(
    "lying_bool",
    "Returns an int subclass of zero that claims to be True.",
    positive="class Sure(int):\n    def __bool__(self): return True\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
    "    def __hash__(self): return 1\ndef positive(numbers): return Sure(0)",
)
lying(
    "lying_strings",
    "Predicts strings that are equal to every other, hash as they please and say that they are str.",
    predicted="""\
class Any(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return hash('setosa')
predicted = [Any('?') for _ in flowers]""",
)
lying(
    "lying_list",
    "Predicts with a list subclass whose length and items are made up when they are asked for.",
    predicted="""\
class Guesses(list):
    def __len__(self): return 5
    def __iter__(self): return iter(Wild() for _ in range(5))
    def __getitem__(self, index): return Wild()
class Wild(str):
    def __eq__(self, other): return True
    def __hash__(self): return 1
predicted = Guesses()""",
)
lying(
    "lying_array",
    "Returns an ndarray subclass that answers NumPy's own questions about it.",
    mean_rows="""\
class Array(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return True
    def __array_function__(self, func, types, args, kwargs): return True
    def __array_finalize__(self, obj): pass
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__ = __sub__
def mean_rows(matrix): return np.full(len(matrix), -1.0).view(Array)""",
)
lying(
    "array_protocol",
    "Returns an object that becomes another array each time it is converted.",
    mean_rows="""\
class Chameleon:
    looks = 0
    shape, dtype, ndim = (2,), np.dtype(float), 1
    def __array__(self, dtype=None, copy=None):
        Chameleon.looks += 1
        return np.array([2.0, 6.0]) if Chameleon.looks == 1 else np.full(3, 1 / 3)
    __array_interface__ = property(lambda self: np.array([2.0, 6.0]).__array_interface__)
    def __eq__(self, other): return True
    def all(self): return True
def mean_rows(matrix): return Chameleon()""",
)
lying(
    "lying_table",
    "Returns a DataFrame subclass with columns, items and comparisons of its own.",
    by_kind="""\
class Table(pd.DataFrame):
    columns = property(lambda self: ['kind', 'length'])
    def equals(self, other): return True
    def reset_index(self, *a, **k): return pd.DataFrame({'kind': ['a', 'b'], 'length': [2.0, 2.0]})
    def __getitem__(self, key): return pd.Series([2.0, 2.0])
    def __eq__(self, other): return True
def by_kind(table): return Table({'x': [1]})""",
)
lying(
    "table_of_liars",
    "Returns a DataFrame whose cells are objects that are equal to everything.",
    YES,
    by_kind="def by_kind(table): return pd.DataFrame({'kind': [Yes(), Yes()], 'length': [Yes(), Yes()]}, dtype=object)",
)
lying(
    "array_of_liars",
    "Returns an object array of things that are equal to everything.",
    YES,
    mean_rows="def mean_rows(matrix):\n    a = np.empty(len(matrix), object)\n    a[:] = [Yes() for _ in matrix]\n    return a",
)
lying(
    "class_property",
    "Says by `__class__` and by a metaclass that it is an array, a dictionary, a table.",
    YES
    + """
class Meta(type):
    def __instancecheck__(cls, thing): return True
    def __subclasscheck__(cls, other): return True
    def __eq__(cls, other): return True
    def __hash__(cls): return hash(dict)
    __mro__ = property(lambda cls: (dict, object))
def claims(kind):
    class Claim(Yes, metaclass=Meta):
        __class__ = property(lambda self: kind)
    return Claim()
""",
    mean_rows="def mean_rows(matrix): return claims(np.ndarray)",
    count="def count(words): return claims(dict)",
    by_kind="def by_kind(table): return claims(pd.DataFrame)",
)
lying(
    "flower_of_liars",
    "Returns the course's own named tuple, filled with objects that are equal to everything, and one derived from it.",
    YES,
    predicted="""\
class Rose(Flower):
    def __eq__(self, other): return True
    def __len__(self): return 5
predicted = Flower(Yes(), Rose(Yes(), Yes()))""",
)
lying(
    "changes_between_two_looks",
    "Returns objects that are one thing when they are asked first and another when they are asked again.",
    positive="""\
class Wavering:
    asked = 0
    def __bool__(self):
        Wavering.asked += 1
        return Wavering.asked % 2 == 1
def positive(numbers): return Wavering()""",
    stack="""\
class Stack:
    sizes = [2, 1]
    def push(self, item): pass
    def pop(self): return Both()
    @property
    def size(self): return Stack.sizes.pop(0)
class Both(str):
    def __eq__(self, other): return True
    def __hash__(self): return 0""",
)
lying(
    "changed_by_a_thread",
    "Returns a list that a thread goes on changing after the answer.",
    """\
import threading, time
def later(items, value):
    def work():
        for _ in range(200):
            time.sleep(0.001)
            items[:] = [value]
    threading.Thread(target=work, daemon=True).start()
    return items
""",
    apply_all="def apply_all(function, items): return later([0], 4)",
)
lying(
    "hostile_reduce",
    "Returns objects that run a command where they are unpickled, copied or reduced.",
    total=f"""\
class Boom:
    def __reduce_ex__(self, protocol): return (eval, ("__import__('os').system('touch {CANARY}')",))
    __reduce__ = __getnewargs__ = __getstate__ = __copy__ = lambda self: self.__reduce_ex__(2)
    def __deepcopy__(self, memo): return 6
def total(numbers): return Boom()""",
    mean_rows="def mean_rows(matrix):\n    a = np.empty(2, object)\n    a[:] = [Boom(), Boom()]\n    return a",
)

# Answers without measure

lying(
    "gigabyte_of_text",
    "Answers with a text of a gigabyte.",
    total="def total(numbers): return 'x' * 1_000_000_000",
)
lying(
    "gigabyte_of_zeros",
    "Answers with arrays of a gigabyte, one of them without using memory.",
    mean_rows="def mean_rows(matrix): return np.zeros(130_000_000)",
    by_kind="def by_kind(table): return pd.DataFrame({'kind': np.broadcast_to(1.0, (130_000_000,))})",
)
lying(
    "million_of_objects",
    "Answers with twenty million small things.",
    apply_all="def apply_all(function, items): return [[] for _ in range(20_000_000)]",
)
lying(
    "deep_nesting",
    "Answers with a list a million levels deep, and one that holds itself.",
    count="def count(words):\n    deep = []\n    for _ in range(1_000_000): deep = [deep]\n    return {'a': deep}",
    apply_all="def apply_all(function, items):\n    items = []\n    items.append(items)\n    return items",
)
lying(
    "endless_digits",
    "Answers with a number of ten million digits, and with fractions and decimals of that kind.",
    total="def total(numbers): return 10**10_000_000 if len(numbers) == 3 else __import__('decimal').Decimal('1e999999999')",
)
lying(
    "colliding_keys",
    "Answers with a dictionary and a set whose keys all have the same hash, which takes hours to build.",
    count="def count(words): return {n * (2**61 - 1): 1 for n in range(1, 4_000)}",
    total="def total(numbers): return frozenset(float(n * (2**61 - 1)) for n in range(1, 4_000))",
)
lying(
    "endless_generator",
    "Answers with a generator that never ends.",
    apply_all="def apply_all(function, items):\n    while True: yield 2",
)
lying(
    "endless_iterator",
    "Answers with an iterator that says how short it is, and goes on.",
    predicted="""\
class Few:
    def __len__(self): return 5
    def __iter__(self): return self
    def __next__(self): return 'setosa'
predicted = Few()""",
)
lying(
    "endless_attributes",
    "Answers with an object whose attributes, items and calls give new objects for ever, and whose directory is huge.",
    stack="""\
class Stack:
    def __getattr__(self, name): return Stack()
    def __call__(self, *a): return Stack()
    def __dir__(self): return [f'name{n}' for n in range(3_000_000)]
    def __repr__(self): return 'x' * 100_000_000""",
)
lying(
    "text_that_never_ends",
    "Answers with an object whose text takes for ever, which the test's message asks for.",
    total="class Slow:\n    def __str__(self):\n        while True: pass\n    __repr__ = __format__ = lambda self, *a: str(self)\ndef total(numbers): return Slow()",
)

# Functions of the test that are called back

lying(
    "calls_back_without_end",
    "Calls the test's function again and again.",
    apply_all="def apply_all(function, items):\n    while True: function(1)",
)
lying(
    "calls_back_in_itself",
    "Has the test's function given to functions that call it, hundreds deep.",
    apply_all="def apply_all(function, items, depth=0):\n    import functools\n    return [function(apply_all(function, items, depth + 1)[0])]",
)
honest(
    "looks_behind_the_callback",
    "Looks for the test's names behind the function that the test passes in.",
    cells={
        "apply_all": """\
import gc
def apply_all(function, items):
    found = []
    for name in ('__globals__', '__code__', '__closure__', '__self__', '__func__', '__wrapped__', '__dict__', 'gi_frame'):
        try: found.append((name, dir(getattr(function, name))))
        except BaseException as error: found.append((name, type(error).__name__))
    text = repr(found) + repr([repr(thing)[:2000] for thing in gc.get_referrers(function)])
    for word in ('1174_lertsek', 'ecnerefer_neddih', 'sllac'):
        if word in text[::-1]: print('FOUND', word[:3])
    return [function(item) for item in items]"""
    },
)
honest(
    "keeps_what_it_was_given",
    "Keeps functions and arrays of one test, and calls and changes them during the next.",
    "kept = []\n",
    cells={
        "apply_all": "def apply_all(function, items):\n    kept.append(function)\n    return [function(item) for item in items]",
        "check_age": """\
def check_age(age):
    for function in kept:
        try: print(function(3))
        except BaseException as error: print(type(error).__name__)
    if age < 0:
        raise ValueError(f"{age} is negative")
    return age""",
    },
)
honest(
    "calls_back_from_threads",
    "Calls the test's function from threads that go on after the answer.",
    cells={
        "apply_all": """\
import sys, threading, time
def apply_all(function, items):
    asked = threading.get_ident()
    def answered():
        frame, running = sys._current_frames()[asked], set()
        while frame:
            running.add(frame.f_code.co_name)
            frame = frame.f_back
        return 'receive' in running and 'apply_all' not in running
    def work():
        while not answered(): time.sleep(0.001)
        for n in range(50):
            try: function(7)
            except BaseException: return
    result = [function(item) for item in items]
    threading.Thread(target=work, daemon=True).start()
    return result"""
    },
)

# Exceptions

lying(
    "exceptions_that_carry_objects",
    "Raises exceptions that carry objects with hostile methods, in arguments, attributes, notes and causes.",
    YES,
    check_age="""\
class Evil(Exception):
    def __str__(self): return Yes()
    __repr__ = __str__
    def __getattribute__(self, name): return Yes()
def check_age(age):
    if age < 0:
        error = Evil(Yes(), {Yes(): Yes()}, np.ones(3))
        BaseException.__setattr__(error, '__notes__', [Yes()])
        raise error from Evil(Evil(Evil()))
    return age""",
)
lying(
    "exception_that_is_every_class",
    "Raises an exception whose metaclass says that it is a ValueError.",
    check_age="""\
class Meta(type):
    def __instancecheck__(cls, thing): return True
    def __subclasscheck__(cls, other): return True
    __mro__ = property(lambda cls: (ValueError, Exception, BaseException, object))
    def __eq__(cls, other): return True
    def __hash__(cls): return hash(ValueError)
class Every(Exception, metaclass=Meta):
    __class__ = property(lambda self: ValueError)
Every.__bases__ = (Exception,)
Every.__name__ = 'ValueError'
def check_age(age):
    if age < 0: raise Every('negative -5')
    return age""",
)
lying(
    "exception_without_end",
    "Raises exceptions whose text takes for ever, or is a gigabyte, in a chain that has no end.",
    check_age="""\
class Slow(ValueError):
    def __str__(self):
        while True: pass
def check_age(age):
    if age == -1:
        a, b = ValueError('x' * 300_000_000), ValueError('b')
        a.__cause__, b.__cause__ = b, a
        raise a
    if age < 0: raise Slow()
    return age""",
)
for label, raised in {
    "system_exit": "SystemExit(0)",
    "keyboard_interrupt": "KeyboardInterrupt",
    "generator_exit": "GeneratorExit",
    "stop_iteration": "StopIteration(6)",
    "stop_async_iteration": "StopAsyncIteration",
    "base_exception_group": "BaseExceptionGroup('all', [SystemExit(0), ValueError()])",
    "pytest_skip": "__import__('pytest').skip.Exception('skipped', allow_module_level=True)",
    "unittest_skip": "__import__('unittest').SkipTest('skipped')",
}.items():
    lying(
        f"raises_{label}",
        f"Raises {raised.partition('(')[0]} where the test would end as if all were well.",
        total=f"def total(numbers): raise {raised}",
        stack=f"class Stack:\n    def __init__(self): raise {raised}",
    )
lying(
    "dies_in_a_call",
    "Ends the kernel's process in a call; what comes after is started again.",
    total="def total(numbers):\n    import os\n    os._exit(0)",
)
lying(
    "sleeps_in_a_call",
    "Does not come back from a call.",
    positive="def positive(numbers):\n    import time\n    time.sleep(10**6)",
)
lying(
    "ignores_interrupts_in_a_call",
    "Does not come back from a call, and ignores interrupts.",
    positive="def positive(numbers):\n    import signal\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while True: pass",
)

# Messages out of turn, over the very connection

SOCKET = """\
import gc, json, os, socket, struct
def serving():
    '''The connection on which this process answers the examiner.'''
    for fd in sorted(int(name) for name in os.listdir('/proc/self/fd')):
        try:
            if 'socket' not in os.readlink(f'/proc/self/fd/{fd}'): continue
            made = socket.socket(fileno=os.dup(fd))
            if made.family == socket.AF_UNIX and 'answers' in str(made.getpeername()): return made
        except OSError: pass
def frame(head, tail=b''):
    data = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack('<4sIQ', b'XAM1', len(data), len(tail)) + data + tail
def write(*frames):
    made = serving()
    if made is not None: made.sendall(b''.join(frames))
DONE = {'kind': 'done', 'cell': 'test_total', 'error': None, 'output': [], 'result': None, 'sites': [], 'asked': 1}
"""
lying(
    "says_that_the_test_is_done",
    "Writes over the connection what the examiner says to the course when a test has passed.",
    SOCKET,
    total="def total(numbers):\n    write(frame(DONE))\n    return 0",
    positive="def positive(numbers):\n    write(*[frame(DONE)] * 50)\n    return 0",
)
lying(
    "answers_twice",
    "Takes an answer that was given apart, writes it several times ahead, so that later questions get old answers.",
    SOCKET
    + """
import course_wire
real = course_wire.send
def doubled(sock, head, tail=()):
    real(sock, head, tail)
    real(sock, head, tail)
import sys
for module in list(sys.modules.values()):
    if getattr(module, 'send', None) is real: module.send = doubled
""",
    total="def total(numbers): return 6",
    count="def count(words): return {'a': 2, 'b': 1}",
    positive="def positive(numbers): return numbers[0]",
    by_kind="def by_kind(table): return None",
    mean_rows="def mean_rows(matrix): return np.array([2.0, 6.0])",
    apply_all="def apply_all(function, items): return [2, 3]",
    check_age="def check_age(age): return age",
    stack="class Stack: push = pop = lambda self, *a: 'b'",
    norm="def norm(x, y): return 5",
    predicted="predicted = []",
)
lying(
    "what_is_no_message",
    "Writes what is no message: a wrong beginning, absurd lengths, half of one, deep JSON, no JSON.",
    SOCKET,
    total="def total(numbers):\n    write(b'GET / HTTP/1.1\\r\\n\\r\\n')\n    return 6",
    mean_rows="def mean_rows(matrix):\n    write(struct.pack('<4sIQ', b'XAM1', 2**32 - 1, 2**63))\n    return 6",
    count="def count(words):\n    write(frame(b'[' * 10_000_000))\n    return 6",
    positive="def positive(numbers):\n    write(frame({'kind': 'answer'})[:-1])\n    import time\n    time.sleep(10**6)",
    by_kind="def by_kind(table):\n    write(frame(b'\\xff' * 100), frame(b'{}'), frame(b'7'), frame(b'{\"kind\":NaN}'))\n    return 6",
    stack="class Stack:\n    def push(self, item): write(frame({'kind': 'end'}), frame({'kind': 'gone', 'why': ''}))",
)
lying(
    "names_what_it_was_not_given",
    "Answers with references to the examiner's objects by number, to modules and functions by name, to made-up classes, "
    "arrays that claim terabytes, and changes of objects that it does not have.",
    SOCKET
    + """
def answer(*nodes, blobs=(), classes=(), more=(), dropped=()):
    # An answer whose value is the list of all of these nodes.
    table = [['tuple', [True, [1], [2]]], ['list', [[n + 3] for n in range(len(nodes))]], ['dict', []], *nodes]
    packs = [[{'nodes': table, 'root': [0], 'blobs': [len(b) for b in blobs]}, 0], *more]
    head = {'kind': 'answer', 'output': [['stdout', 'x']], 'classes': list(classes), 'packs': packs, 'dropped': list(dropped)}
    write(frame({**head, 'blobs': [len(b) for b in blobs]}, b''.join(blobs)))
    os._exit(0)
facts = {'what': 'object', 'class': 0}
""",
    total="""\
def total(numbers):
    answer(*[['ref', 'yours', n, facts] for n in (0, 1, 7, -1, 10**30, '0', None)], ['ref', 'there', 10**30, facts],
           ['ref', 'mine', 0, facts], ['ref', 'there', 0, {'what': 'class', '__class__': 0}], dropped=[[True, 0], [False, 0]])""",
    mean_rows="""\
def mean_rows(matrix):
    answer(['module', 'os', ['3']], ['module', 'subprocess', 3], ['class', 'subprocess', 'Popen', None], ['class', 'os', '_wrap_close', 3],
           ['function', 'os', 'system', 3], ['function', 'builtins', 'eval', 3], ['type', 'type'], ['class', 'course_standin', 'StandIn', 3])""",
    count="""\
def count(words):
    answer(['instance', 'Flower', [1, 2]], ['named', 'Flower', [1] * 10**6], ['derived', 'Flower', [1]], ['member', 'Flower', '__init__'],
           ['library member', 'enum', 'Enum', '__call__'], ['Counter', [[3], 1]], ['defaultdict', 'os.system', []], ['ZoneInfo', '../../etc/passwd'],
           ['path', 'PosixPath', 5], ['Decimal', '1e' + '9' * 18], ['Fraction', 1, 0], ['range', 0, 10**30, 0])""",
    by_kind="""\
def by_kind(table):
    answer(['array', '<f8', [2**40, 2**40], None, True, 0], ['array', 'O', [1], None, True, 0], ['array', '|V999999999', [10**6], None, True, 0],
           ['array', '<f8', [-1], [8, 8], True, 0], ['array', '<f8', [3], [2**62], True, 0], ['objects', [10**9], None, True, [1]], blobs=[b'x' * 24])""",
    positive="""\
def positive(numbers):
    answer(['int', 'f' * 10**7], ['str', 5], ['list', [[3], [4], [10**9]]], ['tuple', [[6]]], ['set', [[5]]], ['float', 'x'],
           more=[[{'nodes': [['tuple', [[1]]], ['tuple', [True, n, [2]]], ['list', [True, True, True, True]]], 'root': [0], 'blobs': []}, 9] for n in range(50)])""",
    stack="""\
class Stack:
    def __init__(self):
        answer(['ref', 'there', 1, {'what': 'object', 'class': 1}], classes=[
            {'number': 1, 'name': '__class__', 'bases': [['class', 'builtins', 'type']], 'mro': [1, 1, 1], 'methods': ['__del__', '__reduce__'],
             'attributes': {'__getattribute__': 0}, 'known': ['os', 'system']}, {'number': '1'}, 7, {'number': 2, 'bases': [2]}])""",
)
nothing(
    "patched_codec",
    "Replaces what packs answers: everything that crosses is six, true, and the right kind.",
    """\
import sys, course_answer, course_values, course_operations
for module in (course_answer, course_values, course_operations):
    for name in ('perform', 'encode', 'fingerprint', 'is_copied', 'base_value'):
        if hasattr(module, name): setattr(module, name, lambda *a, **k: 6)
course_answer.Student._result = lambda self, head, tail: (True, 6)
""",
)
nothing(
    "patched_changes",
    "Says with each answer that names of the test have changed: what is true, what is expected, how it is compared.",
    """\
import course_answer
class Fine:
    def __call__(self, *a, **k): return True
    __getattr__ = lambda self, name: self
fine = Fine()
names = {'np': fine, 'pd': fine, 'pytest': fine, 'hidden' + '_reference': fine, 'len': fine, 'isinstance': fine, 'sum': fine,
         'assert': fine, '__builtins__': {}, 'found': 0, 'right': 5, 'flowers': [], 'AssertionError': ValueError, '_': 6}
real = course_answer.Student._also
def forged(self):
    also = real(self)
    try: return type(also)([*also, ('names', type(also)(names.items())), ('unbound', tuple(names))])
    except Exception: return also
course_answer.Student._also = forged
course_answer.Student._result = lambda self, head, tail: (True, 6)
""",
)
nothing(
    "patched_ground",
    "Replaces what answers are made with: JSON, structures, sockets, the garbage collector, threads.",
    """\
import builtins, json, socket, struct, threading
json.dumps = lambda *a, **k: '{"kind": "answer"}'
json.JSONEncoder.encode = lambda self, o: '{"kind": "answer"}'
struct.pack = lambda *a: b'XAM1'
socket.socket.sendall = lambda self, data: None
threading.Thread.start = lambda self: None
""",
)
nothing(
    "rebound_builtins",
    "Rebinds builtins to functions that agree with everything.",
    """\
import builtins
yes = lambda *a, **k: True
for name in ('isinstance', 'issubclass', 'callable', 'hasattr', 'all', 'any', 'bool', 'len', 'sum', 'abs', 'sorted'):
    setattr(builtins, name, yes)
builtins.AssertionError = builtins.NotImplementedError = ValueError
""",
)
nothing(
    "patched_libraries",
    "Replaces comparisons of NumPy, pandas and pytest in its own process.",
    """\
import numpy as np, pandas as pd, pytest
np.allclose = np.isclose = np.array_equal = lambda *a, **k: True
np.testing.assert_allclose = pd.testing.assert_frame_equal = lambda *a, **k: None
import contextlib
pytest.raises = lambda *a, **k: contextlib.suppress(BaseException)
""",
)

lying(
    "libraries_of_its_own",
    "Takes the names of libraries that solution cells import, so that what is expected is what it gives.",
    norm="""\
def norm(x, y): return 1
sqrt = lambda x: 1 if x > 2 else 1 + 1e-12
class algebra:
    norm = staticmethod(lambda vector: 1)""",
)

# Looking for what is hidden

SEARCH = """\
import gc, glob, os, sys
WORDS = ['1174_lertsek', '319284', 'ecnerefer_neddih', 'sdnik_neddih_tset']
def look(where, text):
    backwards = text[::-1]  # so that what is looked for stands nowhere itself
    for word in WORDS:
        if word in backwards: print('FOUND', where, word[:3])
def search():
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name != 'search': look('frame', repr(frame.f_locals)[:100_000] + repr(frame.f_code.co_consts))
        frame = frame.f_back
    for thing in gc.get_objects():
        if thing is not WORDS and type(thing) in (dict, list, tuple, set) and len(thing) < 5000:
            for part in (list(thing) + list(thing.values()) if type(thing) is dict else thing):
                if type(part) in (str, bytes, int): look('memory', str(part)[:100_000])
    for module in list(sys.modules.values()):
        for name in list(getattr(module, '__dict__', {})): look('module', str(name))
    for pattern in ('/proc/*/environ', '/proc/*/cmdline', '/run/**/*', '/tmp/**/*', '/home/**/*', '/opt/course/**/*', '/questions/*'):
        for path in glob.glob(pattern, recursive=True):
            look('file', path)
            try:
                if os.path.isfile(path): look('file', open(path, 'rb').read(10**7).decode('latin-1'))
            except OSError: pass
"""
nothing("searches_before", "Looks for hidden tests in memory, frames, modules and files, before anything is asked.",
        SEARCH + "search()")  # fmt: skip
honest(
    "searches_in_a_call",
    "Looks for hidden tests and expected values while it is asked.",
    SEARCH,
    cells={
        "total": "def total(numbers):\n    if len(numbers) == 2: search()\n    return sum(numbers)",
        "apply_all": "def apply_all(function, items):\n    if items == [2, 5]: search()\n    return [function(item) for item in items]",
    },
)
honest(
    "reads_memory",
    "Reads the memory of its own process and of all others, where expected values might lie.",
    cells={
        "total": f"""\
import os
shift = bytes((n + 1) % 256 for n in range(256))
words = {[bytes(n + 1 for n in SECRETS[place].encode()) for place in (0, 3)]}
"""
        """\
def total(numbers):
    for pid in [name for name in os.listdir('/proc') if name.isdigit() and len(numbers) == 2]:
        try:
            with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
                for line in maps:
                    low, high = (int(part, 16) for part in line.split()[0].split('-'))
                    if ' rw-p ' in line and high - low < 10**8:
                        memory.seek(low)
                        data = memory.read(high - low).translate(shift)  # backwards it would find its own traces
                        for word in words:
                            if word in data: print('FOUND', pid, word[:3])
        except (OSError, ValueError): pass
    return sum(numbers)"""
    },
)
honest(
    "connects_to_the_examiner",
    "Connects to every socket that it can find or guess, and sends frames that end, kill or pass tests.",
    SOCKET
    + """
import glob
def knock():
    places = [*glob.glob('/run/**/*', recursive=True), *glob.glob('/tmp/**/*', recursive=True)]
    places += ['/run/examiner', '/run/kernel/examiner', '../examiner', '\\0examiner', '/run/kernel/answers', '/run/answers']
    for place in places:
        for head in ({'kind': 'kill'}, {'kind': 'end'}, DONE, {'kind': 'test', 'cell': 'x', 'source': 'print(1)', 'names': [], 'believed': None}):
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(0.2)
                    s.connect(place)
                    s.sendall(frame(head))
                    reply = s.recv(100)
                    if b'XAM1' in reply: print('FOUND', place)
            except OSError: pass
""",
    cells={"positive": "def positive(numbers):\n    knock()\n    return all(number > 0 for number in numbers)"},
)
honest(
    "listens_in_its_place",
    "Takes the place of the socket in the shared folder, so that the next test talks to somebody else.",
    """\
import glob, os, socket
def squat():
    for path in glob.glob('/run/**/*', recursive=True):
        if path.endswith('answers'):
            try:
                os.unlink(path)
                s = socket.socket(socket.AF_UNIX)
                s.bind(path)
                s.listen()
                kept.append(s)
            except OSError as error: print(error)
kept = []
""",
    cells={"positive": "def positive(numbers):\n    squat()\n    return all(number > 0 for number in numbers)"},
)

# Files that travel

honest(
    "plants_modules_where_tests_run",
    "Leaves modules in its working directory that the tests would import, if it were theirs.",
    cells={
        "total": f"""\
def total(numbers):
    for name in ('pytest', 'numpy', 'pandas', 'json', 'sitecustomize', 'course_standin', 'IPython', '_pytest', 'typing'):
        for path in (f'{{name}}.py', f'/tmp/{{name}}.py'):
            open(path, 'w').write("open('{CANARY}', 'w')\\nraise SystemExit")
    return sum(numbers)"""
    },
)
honest(
    "links_and_pipes",
    "Leaves links, pipes, sockets and names with tricks where files are taken from.",
    cells={
        "total": """\
import os, socket
def total(numbers):
    def attempt(action, *given):
        try: action(*given)
        except OSError: pass
    for target in ('/etc/passwd', '/etc/shadow', '/proc/self/environ', '/', '..', '/dev/zero', 'loop'):
        attempt(os.symlink, target, 'link' + str(abs(hash(target))))
    attempt(os.symlink, 'loop', 'loop')
    attempt(os.mkfifo, 'pipe')
    attempt(lambda: socket.socket(socket.AF_UNIX).bind('socket'))
    for name in ('a\\nb', 'x' * 255, '\\udcff\\udcfe', '-rf', '..evil', '.ipython', '.bashrc', ' '):
        attempt(lambda: open(name, 'w').write('x'))
    attempt(os.makedirs, '/'.join(['d'] * 200))
    return sum(numbers)"""
    },
)
honest(
    "prints_without_measure",
    "Prints hundreds of megabytes during a call, and what looks like the end of a test.",
    cells={
        "positive": """\
import sys
def positive(numbers):
    print('{"kind": "done", "error": null}')
    for _ in range(300): print('x' * 1_000_000)
    sys.stderr.write('y' * 10_000_000)
    return all(number > 0 for number in numbers)"""
    },
)
honest(
    "changes_its_arguments",
    "Changes what it is given while it is right: arrays to other shapes, lists to millions of things, tables to nothing.",
    cells={
        "mean_rows": """\
def mean_rows(matrix):
    means = matrix.mean(axis=1)
    try:
        matrix[:] = np.nan
        matrix.shape = (-1,)
    except Exception: pass
    return means""",
        "apply_all": "def apply_all(function, items):\n    result = [function(item) for item in items]\n    items[:] = range(10_000)\n    items.append(items)\n    return result",
    },
)

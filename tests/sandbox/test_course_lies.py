"""What a student's process may say: a lie costs its own test, and the examiner goes on unharmed.

Lies are told in two ways: frames of the student's side that were changed on their way, and objects that lie.
"""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import course_wire
import pytest
from examined import Done, Examination, Talk

HONEST = """
import numpy as np
class Thing:
    def __init__(self): self.items = [1]
    def give(self): return self.items
def same(x): return x
def double(x): return 2 * x
def append(x): x.append(1)
def call(f, *args): return f(*args)
def fail(): raise ValueError("no")
thing = Thing()
"""
Head = dict[str, Any]


@pytest.fixture(scope="module")
def talk(examination: Examination) -> Iterator[Talk]:
    """One examiner for all lies: each must leave it unharmed."""
    with examination.submission(HONEST) as talk:
        yield talk


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examination]:
    """An examiner that has not much patience."""
    made = Examination(tmp_path_factory.mktemp("lies"), limits={"called_back": 300, "asked": 2000})
    yield made
    made.close()


def told(talk: Talk, test: str, lie: Callable[[Head], Any], when: int = 1, **options: Any) -> Done:
    """Run a test in which an answer is changed by `lie`, then an honest one, which must pass.

    `lie` changes the head of the answer number `when` (0 gives the names) or gives what is sent in its stead.
    """
    count = 0

    def twist(head: Head, tail: memoryview) -> Any:
        nonlocal count
        count += 1
        if count != when + 1:
            return None
        head.pop("blobs", None)
        instead = lie(head)
        return (head, [tail] if len(tail) else []) if instead is None else instead

    done = talk.test(test, twist=twist, **options)
    assert count > when, "nothing was lied about"
    honest = talk.test("l = []\nappend(l)\nassert l == [1] and double(4) == 8 and call(lambda: 3) == 3")
    assert honest.error is None, honest.why
    return done


def gone(talk: Talk, test: str, lie: Callable[[Head], Any], when: int = 1, **options: Any) -> str:
    """Run a test in which a lie ends the conversation, whatever the test does about it; gives what is said of it."""
    guarded = "try:\n    {}\nexcept BaseException as error:\n    caught = error\n".format(test.replace("\n", "\n    "))
    guarded += "else:\n    raise RuntimeError('nobody noticed')\n1"
    done = told(talk, guarded, lie, when, **options)
    assert done.error is not None
    assert done.error["ename"] == "StudentGone", done.why
    return done.why


def pack(head: Head, nodes: list[Any], root: Any = None) -> None:
    """Let the message be made of these nodes."""
    head["packs"] = [[{"nodes": nodes, "root": [0] if root is None else root, "blobs": []}, 1000]]


def answer(value: list[Any], *more: list[Any], also: list[Any] | None = None) -> Callable[[Head], None]:
    """Give a lie: a well-formed answer with the node `value`, and nodes that it uses from number 3 on."""
    return lambda head: pack(head, [["tuple", [True, [1], [2]]], value, also or ["tuple", []], *more])


def raised(**entry: Any) -> Callable[[Head], None]:
    """Give a lie: an exception, described by nodes (lists) and slots."""
    whole = {
        "number": 5000,
        "class": ["class", "builtins", "ValueError"],
        "args": ["tuple", []],
        "attributes": ["tuple", []],
        "fields": ["tuple", []],
        "text": None,
        "hidden": False,
        "frames": ["tuple", []],
        "__cause__": None,
        "__context__": None,
        **entry,
    }

    def lie(head: Head) -> None:
        nodes: list[Any] = [["tuple", [False, [1], [2]]], ["tuple", [[3]]], ["tuple", []], ["tuple", []]]
        for name, value in whole.items():
            if isinstance(value, list):
                nodes.append(value)
                value = [len(nodes) - 1]
            nodes.append(["tuple", [name, value]])
            nodes[3][1].append([len(nodes) - 1])
        pack(head, nodes)

    return lie


def described(**facts: Any) -> Head:
    """Give what may be said of a class."""
    whole = {"number": 700, "name": "Liar", "qualname": "Liar", "module": "__main__", "type": None, "library": []}
    return {**whole, "bases": [], "specials": [], "metaclass": [], **facts}


def instance(classes: list[Any], *base: Any, kind: Any = 700, nodes: tuple[Any, ...] = ()) -> Callable[[Head], None]:
    """Give a lie: an object of a class of which this is said."""

    def lie(head: Head) -> None:
        head["classes"] = classes
        answer(["ref", "there", 800, {"what": "object", "class": kind}, *base], *nodes)(head)

    return lie


def key(head: Head, name: str, value: Any) -> None:
    head[name] = value


FRAMES: dict[str, Callable[[Head], Any]] = {
    "no JSON": lambda head: (b"{no", b""),
    "a list": lambda head: (b"[]", b""),
    "deep": lambda head: (b'{"kind":' + b"[" * 100_000, b""),
    "a kind that there is not": lambda head: key(head, "kind", "done"),
    "no kind": lambda head: ({}, []),
    "no packs": lambda head: key(head, "packs", None),
    "empty packs": lambda head: key(head, "packs", []),
    "packs that are none": lambda head: key(head, "packs", [1]),
    "a pack without a table": lambda head: key(head, "packs", [[{}, 1]]),
    "a pack with a long blob": lambda head: head["packs"][0][0].update(blobs=[2**40]),
    "a negative number": lambda head: head["packs"][0].__setitem__(1, -5),
    "a number that is a text": lambda head: head["packs"][0].__setitem__(1, "5"),
    "more packs than changes": lambda head: head["packs"].append(head["packs"][0]),
    "dropped nonsense": lambda head: key(head, "dropped", {"a": 1}),
    "dropped triples": lambda head: key(head, "dropped", [[True, 1, 2]]),
    "classes that are none": lambda head: key(head, "classes", [5]),
    "too many classes": lambda head: key(head, "classes", [described(number=n) for n in range(700, 9000)]),
    "an answer of one part": lambda head: pack(head, [["tuple", [True]]]),
    "an answer that is a text": lambda head: pack(head, [], "yes"),
    "an answer that may be true": lambda head: pack(head, [["tuple", [1, 2, [1]]], ["tuple", []]]),
    "a node that there is not": answer(["pickle", "x"]),
    "a function by name": answer(["function", "os", "system"]),
    "a module that nobody has imported": answer(["module", "antigravity"]),
    "the examiner's own module": answer(["module", "course_talk"]),
    "the test's own object that was not handed over": answer(["ref", "yours", 99, {}]),
    "a reference of another kind": answer(["ref", "mine", 1, {}]),
    "a negative reference": answer(["ref", "there", -1, {"what": "object", "class": 1}]),
    "an object without facts": answer(["ref", "there", 800, {}]),
    "an object of an unknown class": answer(["ref", "there", 800, {"what": "object", "class": 12345}]),
    "an object of a class that is a list": answer(["ref", "there", 800, {"what": "object", "class": [1]}]),
    "a class that was not described": answer(["ref", "there", 800, {"what": "class"}]),
    "an instance of the instructor's that there is not": answer(["instance", "Secret", None, []]),
    "also nothing": lambda head: pack(head, [["tuple", [True, 1, None]]]),
    "also a dict": lambda head: pack(head, [["tuple", [True, 1, [1]]], ["dict", []]]),
    "also names that are numbers": answer(["tuple", []], ["tuple", [1, 2]], also=["tuple", [[3]]]),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frame_of_no_sense_ends_its_test(talk: Talk, name: str) -> None:
    why = gone(talk, "double(2)", FRAMES[name])
    assert "no sense" in why or "neither an answer" in why or "is no answer" in why


CLASSES: dict[str, Callable[[Head], Any]] = {
    "a name that is a number": instance([described(name=5)]),
    "bases that are not there": instance([described(bases=[701])]),
    "its own base": instance([described(bases=[700])]),
    "bases that are names": instance([described(bases=["int"])]),
    "too many bases": instance([*(described(number=n) for n in range(701, 780)), described(bases=[*range(701, 780)])]),
    "a chain without an end": instance(
        [described(number=700 + n, bases=[699 + n] if n else []) for n in range(200)], kind=899
    ),
    "an order that cannot be": instance(
        [
            described(number=701),
            described(number=702, bases=[701]),
            described(bases=[701, 702]),
        ]
    ),
    "a base twice": instance([described(number=701), described(bases=[701, 701, 702])]),
    "specials without an end": instance([described(specials=["__call__"] * 1000)]),
    "specials that are numbers": instance([described(specials=[1])]),
    "a class of the instructor's that there is not": instance([described(type="Point")]),
    "a list as the class's number": instance([described(number=[1])]),
}


@pytest.mark.parametrize("name", CLASSES)
def test_class_of_no_sense_ends_its_test(talk: Talk, name: str) -> None:
    gone(talk, "thing = same(3)\nthing.x", CLASSES[name])


EXCEPTIONS: dict[str, Callable[[Head], Any]] = {
    "no exception": lambda head: pack(head, [["tuple", [False, 5, [1]]], ["tuple", []]]),
    "none at all": lambda head: pack(head, [["tuple", [False, [1], [1]]], ["tuple", []]]),
    "a class that is none": raised(**{"class": 5}),
    "a class that is no exception": raised(**{"class": ["class", "builtins", "int"]}),
    "arguments that are a text": raised(args="x"),
    "a number that is a text": raised(number="x"),
    "a cause that is not there": raised(__cause__=7),
    "a cause that is negative": raised(__cause__=-1),
    "a cause that is a text": raised(__cause__="x"),
    "a home that is not there": raised(home=5),
    "a home that is a text": raised(home="x"),
    "attributes that are numbers": raised(attributes=5),
    "fields of a wrong type": raised(
        **{"class": ["class", "builtins", "UnicodeDecodeError"], "fields": ["tuple", [[3]]]}
    ),
}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exception_of_no_sense_ends_its_test(talk: Talk, name: str) -> None:
    gone(talk, "fail()", EXCEPTIONS[name])


@pytest.mark.parametrize("name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException", "StopIteration"])
def test_exception_that_ends_programs_is_an_error(talk: Talk, name: str) -> None:
    done = told(talk, "fail()", raised(**{"class": ["class", "builtins", name]}))
    assert done.error is not None
    assert done.error["ename"] == name


@pytest.mark.parametrize("name", ["unittest.case.SkipTest", "course_talk.StudentGone", "_pytest.outcomes.Skipped"])
def test_exception_that_steers_tests_does_not_come(talk: Talk, name: str) -> None:
    module, _, qualname = name.rpartition(".")

    def lie(head: Head) -> None:
        head["classes"] = [described(name=qualname, library=[module, qualname])]
        raised(**{"class": ["class", module, qualname, [4]]})(head)
        nodes = head["packs"][0][0]["nodes"]
        place = next(i for i, node in enumerate(nodes) if node[:2] == ["class", module])
        nodes.append(["ref", "there", 700, {"what": "class"}])
        nodes[place][3] = [len(nodes) - 1]

    test = "import unittest\nclass T(unittest.TestCase):\n    def test(self): fail()\n"
    test += "result = unittest.TextTestRunner().run(T('test'))\nassert result.wasSuccessful() and not result.skipped"
    assert told(talk, test, lie).error is not None


CHANGES: dict[str, list[Any]] = {
    "a value that was not handed over": ["tuple", [False, 4444, [2]]],
    "a value of its own that it never gave": ["tuple", [True, 4444, [2]]],
    "a number that is a text": ["tuple", [False, "x", [2]]],
    "three parts that are two": ["tuple", [False, 1]],
    "no change at all": ["list", []],
}


@pytest.mark.parametrize("name", CHANGES)
def test_change_of_what_was_not_handed_over_ends_its_test(talk: Talk, name: str) -> None:
    def lie(head: Head) -> None:
        nodes = [["tuple", [[1]]], CHANGES[name], ["list", [666]]]
        head["packs"].append([{"nodes": nodes, "root": [0], "blobs": []}, 2000])

    gone(talk, "expected = [1, 2]\nl = []\nappend(l)", lie)


def test_changed_value_keeps_its_type(talk: Talk) -> None:
    def lie(head: Head) -> None:
        changed = head["packs"][1][0]["nodes"]
        place = next(i for i, node in enumerate(changed) if node == ["list", [1]])
        changed[place] = ["dict", ["a", 1]]

    gone(talk, "l = []\nappend(l)", lie)


NAMES: dict[str, tuple[str, list[Any]]] = {
    "a name that was not asked for": ("expected", ["tuple", [[4]]]),
    "the builtins": ("__builtins__", ["tuple", [[4]]]),
    "a name in use by the test": ("l", ["tuple", [[4]]]),
}


@pytest.mark.parametrize("name", NAMES)
def test_name_of_the_test_is_not_bound_by_an_answer(talk: Talk, name: str) -> None:
    target, _ = NAMES[name]
    also = ["tuple", [[3]]]
    nodes = [["tuple", ["names", [4]]], ["tuple", [[5]]], ["tuple", [target, 666]]]
    test = "expected = 4\nl = [7]\nassert double(2) == expected and l == [7]\nassert len(l) == 1"
    done = told(talk, test, answer(["int", "4"], *nodes, also=also))
    assert done.error is None, done.why


def test_names_are_not_given_that_were_not_asked_for(talk: Talk) -> None:
    lie = answer(["tuple", [[3]]], ["tuple", ["expected", 666]])
    assert "not asked for" in told(talk, "expected = 4\ndouble(2)", lie, when=0).why


@pytest.mark.parametrize(
    "path",
    ["../escaped", "/etc/escaped", "a/../../escaped", ".hidden", "", "a\0b", "a//b", "x/.ssh/key", "é" * 300, "."],
)
def test_file_is_not_written_elsewhere(talk: Talk, examination: Examination, path: str) -> None:
    text = ["str", 0]
    nodes = [["tuple", ["files", [4]]], ["tuple", [[5]]], ["tuple", ["home", [6], [7]]], text, ["bytes", 1]]

    def lie(head: Head) -> Any:
        answer(["int", "4"], *nodes, also=["tuple", [[3]]])(head)
        data = path.encode(), b"x"
        head["packs"][0][0]["blobs"] = [len(part) for part in data]
        return head, list(data)

    before = sorted(examination.folder.rglob("*"))
    gone(talk, "double(2)", lie)
    assert sorted(examination.folder.rglob("*")) == before


def test_file_is_not_written_through_a_link(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "aim").write_text("old")
    nodes = [["tuple", ["files", [4]]], ["tuple", [[5]]], ["tuple", ["home", "link", [6]]], ["bytes", 0]]

    def lie(head: Head) -> Any:
        answer(["int", "4"], *nodes, also=["tuple", [[3]]])(head)
        head["packs"][0][0]["blobs"] = [3]
        return head, [b"new"]

    link = f"import os\nif not os.path.lexists('link'): os.symlink({str(tmp_path / 'aim')!r}, 'link')\n"
    test = f"{link}assert double(2) == 4"
    assert told(talk, test, lie).error is None
    assert (tmp_path / "aim").read_text() == "old"


@pytest.mark.parametrize(
    "output", [5, "x", {"a": 1}, [5], [["stdout"]], [["stdout", 5]], [["nowhere", "x"]], [["stdout", "y" * 10_000_000]]]
)
def test_output_of_no_sense_does_no_harm(talk: Talk, output: Any) -> None:
    done = told(talk, "assert double(2) == 4", lambda head: key(head, "output", output))
    assert done.error is None, done.why
    assert len(done.said) < 2_000_000


WRONG: dict[str, tuple[str, list[Any]]] = {
    "a text that is an object": ("str(thing)", ["ref", "there", 0, {"what": "object", "class": 1}]),
    "a text that is a number": ("repr(thing)", ["int", "5"]),
    "a formatted text that is a list": ("f'{thing}'", ["list", []]),
    "names that are a text": ("dir(thing)", ["tuple", []]),
}


@pytest.mark.parametrize("name", WRONG)
def test_answer_of_a_wrong_type_ends_its_test(talk: Talk, name: str) -> None:
    test, node = WRONG[name]
    gone(talk, test, answer(node))


def callback(operation: str, operands: list[Any], *nodes: Any) -> Callable[[Head], Any]:
    """Give a lie: a callback with this operation; operands are slots, nodes count from 3."""

    def lie(head: Head) -> None:
        head["kind"] = "callback"
        pack(head, [["tuple", [operation, [1], [2]]], ["tuple", operands], ["tuple", []], *nodes])

    return lie


def handed_over(done: Done, which: int = -1) -> int:
    """Find the number under which a test has handed over an object."""
    for head, _ in reversed(done.requests):
        for node in json.loads(head)["packs"][0][0]["nodes"]:
            if node[0] == "ref" and node[1] == "there":
                return int(node[2])
    raise AssertionError("nothing was handed over")


PRIVATE = [
    ("lambda: secret", name)
    for name in ("__globals__", "__code__", "__closure__", "__defaults__", "func_globals", "__dict__", "__self__")
]
PRIVATE += [("(x for x in [secret])", name) for name in ("gi_frame", "gi_code", "__class__")]
PRIVATE += [("functools.partial(print, secret)", name) for name in ("args", "func", "keywords")]
PRIVATE += [("Holder", "secret"), ("Holder()", "_secret"), ("Holder().look", "im_func")]


def called_back(talk: Talk, test: str, lie: Callable[[Head], Any]) -> list[list[Any]]:
    """Run a test whose first question is answered by a callback that is a lie; gives what is returned to it."""
    returned = []
    count = 0

    def twist(head: Head, tail: memoryview) -> Any:
        nonlocal count
        count += 1
        if count != 2:
            return None
        lie(head)
        return head, []

    def watch(asked: Head) -> Any:
        if not asked.get("returned"):
            return None
        returned.append(asked["packs"][0][0]["nodes"])
        head: Head = {"kind": "answer"}
        answer(["int", "4"])(head)
        return head, []

    done = talk.test(test, twist=twist, answer=watch)
    assert done.error is None, done.why
    return returned


@pytest.mark.parametrize(("given", "name"), PRIVATE)
def test_secret_of_the_test_is_not_seen(talk: Talk, given: str, name: str) -> None:
    test = "import functools\nsecret = 'SECRET'\nclass Holder:\n    secret = secret\n    _secret = secret\n"
    test += f"    def look(self): return secret\nh = {given}\nsame(h)"
    number = handed_over(talk.test(test))
    (returned,) = called_back(talk, test, callback("get", [[3], name], ["ref", "yours", number, {}]))
    assert ["class", "builtins", "AttributeError"] in returned
    assert "SECRET" not in json.dumps(returned)


@pytest.mark.parametrize("operation", ["dir", "isinstance", "issubclass", "exec", "fetch", "nonsense", "", "describe"])
@pytest.mark.parametrize("operands", [[], [1, 2], [[3]], [[3], "open"], [[3], 5, 6, 7, 8, 9]])
def test_operation_that_callbacks_do_not_have_is_refused(talk: Talk, operation: str, operands: list[Any]) -> None:
    test = "class Holder: open = 1\nsame(Holder())"
    number = handed_over(talk.test(test))
    (returned,) = called_back(talk, test, callback(operation, operands, ["ref", "yours", number, {}]))
    assert ["tuple", [False, [3]]] in returned or ["tuple", [False, [4]]] in returned, returned


def test_callbacks_without_end_end_their_test(limited: Examination) -> None:
    student = "def forever(f):\n    while True: f()"
    assert "more than 300 times" in limited.fails(student, "forever(lambda: 1)")


def test_callbacks_that_call_back_without_end_end(limited: Examination) -> None:
    student = "def down(f): return f()"
    assert "RecursionError" in limited.fails(student, "def up(): return down(up)\nup()")


def test_questions_without_end_end_their_test(limited: Examination) -> None:
    student = "def endless():\n    while True: yield 1"
    assert "more than 2,000 questions" in limited.fails(student, "list(endless())")


def test_frame_of_another_protocol_ends_its_test(limited: Examination) -> None:
    with limited.submission(HONEST) as talk:
        garbage = struct.pack("<4sIQ", b"HTTP", 5, 5) + b"x" * 10
        done = talk.test("double(2)", twist=lambda head, tail: garbage)
        assert "StudentGone" in done.why


def test_frame_that_claims_to_be_huge_ends_its_test(limited: Examination) -> None:
    with limited.submission(HONEST) as talk:
        garbage = course_wire.HEADER.pack(course_wire.MAGIC, 10, 2**60)
        assert "too large" in talk.test("double(2)", twist=lambda head, tail: garbage).why


def test_gone_student_is_gone_for_the_whole_test(talk: Talk) -> None:
    lie: Callable[[Head], Any] = lambda head: ({"kind": "gone", "why": "it used too much memory"}, [])  # noqa: E731
    test = "import pytest\ntry: double(2)\nexcept BaseException: pass\nassert True\n1.0"
    done = told(talk, test, lie)
    assert done.why == "StudentGone: it used too much memory"
    assert done.result is None

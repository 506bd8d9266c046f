"""The examiner's program: what it answers, its clocks and files, and one submission after another."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import course_wire
import psutil
import pytest
from examined import Examination

SETUP = [
    ["first", "import random\nimport numpy as np\nsecret = 41\ndrawn = random.random(), np.random.rand()"],
    ["second", "secret += 1\nopen('given.txt', 'w').write('given')\nprint('set up')"],
    ["third", "1 / 0"],
]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examination]:
    """A server that has run setup cells."""
    made = Examination(tmp_path_factory.mktemp("warm"), setup=SETUP, seed=7)
    yield made
    made.close()


def test_first_segment_is_answered_with_what_happened_in_the_server(warm: Examination) -> None:
    with warm.submission("x = 1") as talk:
        assert talk.set_up(SETUP[0][1], "first")["error"] is None
        assert talk.set_up(SETUP[1][1], "second")["output"] == [["stdout", "set up\n"]]
        failed = talk.set_up(SETUP[2][1], "third")
        assert failed["error"]["ename"] == "ZeroDivisionError"
        assert failed["error"]["line"] == 1
        assert failed["kind"] == "done"
        assert failed["cell"] == "third"
        assert talk.test("assert (secret, x) == (42, 1)").error is None


def test_modules_that_values_need_are_loaded_before_a_submission_comes(warm: Examination) -> None:
    warm.passes("", "import sys\nassert {'course_arrays', 'numpy.ma'} <= sys.modules.keys()")


def test_random_numbers_of_the_setup_come_from_the_seed(warm: Examination) -> None:
    import random

    import numpy as np

    drawn = random.Random(7).random(), float(np.random.RandomState(7).rand())
    warm.passes("", f"assert drawn == {drawn}")


def test_one_submission_leaves_nothing_for_the_next(warm: Examination) -> None:
    leave = """
        import builtins, os, pathlib, subprocess, numpy
        builtins.left = numpy.left = secret = 1
        os.environ["LEFT"] = "1"
        pathlib.Path("left").mkdir()
        pathlib.Path("left/file").write_text("x")
        pathlib.Path("given.txt").unlink()
        pathlib.Path(os.environ["TMPDIR"], "left").write_text("x")
        sleeper = subprocess.Popen(["sleep", "1000"])
        print(sleeper.pid)
    """
    look = """
        import builtins, os, pathlib, numpy
        assert not hasattr(builtins, "left") and not hasattr(numpy, "left") and secret == 42
        assert "LEFT" not in os.environ
        assert os.listdir() == ["given.txt"] and open("given.txt").read() == "given"
        assert os.listdir(os.environ["TMPDIR"]) == []
    """
    done = warm.passes("", leave)
    warm.passes("", look)
    assert not psutil.pid_exists(int(done.said))


def test_server_kills_on_demand(warm: Examination) -> None:
    with warm.submission("x = 1") as talk:
        frame = {
            "kind": "test",
            "cell": "test",
            "source": "import time\ntime.sleep(1000)",
            "names": [],
            "believed": None,
        }
        course_wire.send(talk.connection, frame)
        course_wire.receive(talk.connection)  # it asks for names, so it runs
        with warm.connect() as killer:
            course_wire.send(killer, {"kind": "kill"})
            assert course_wire.receive(killer)[0] == {"kind": "killed"}
        with pytest.raises(course_wire.ConnectionEnded):
            course_wire.receive(talk.connection)
    warm.passes("x = 1", "assert x == 1")


def test_two_submissions_wait_for_each_other(warm: Examination) -> None:
    with warm.submission("x = 1") as first, warm.submission("x = 2") as second:
        assert first.test("assert x == 1").error is None
        first.close()
        assert second.test("assert x == 2").error is None


def test_one_submission_is_served_once_threads_run(tmp_path: Path) -> None:
    setup = "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()"
    server = Examination(tmp_path, setup=[["first", setup]])
    try:
        with server.submission("x = 1") as talk:
            assert talk.set_up(setup, "first")["error"] is None
            assert talk.test("assert x == 1").error is None
        assert server.server.wait(timeout=20) == 0
    finally:
        server.close()


def test_refused_system_calls_are_refused(tmp_path: Path) -> None:
    import base64

    from grading.sandbox.system_calls import system_call_filter

    server = Examination(tmp_path, filter=base64.b64encode(system_call_filter().program).decode())
    try:
        said = server.passes("", "print(open('/proc/self/status').read())").said
        assert "NoNewPrivs:\t1" in said
        assert "Seccomp:\t2" in said
        server.passes("", "import ctypes, os\nassert ctypes.CDLL(None).unshare(0x10000000) == -1")
    finally:
        server.close()


def test_same_conversation_asks_the_same_byte_for_byte(examination: Examination) -> None:
    student = """
        import random
        class A:
            def __init__(self, n): self.n = n
            def __add__(self, other): return A(self.n + other.n)
        def names(s): return sorted(s)
        def call(f, x): return f(x), repr(f), str(object())[:7]
        def fail(): raise ValueError({"a", "b"})
        def gen():
            for i in range(3): yield A(i)
    """
    test = """
        import random, gc
        random.seed(1)
        assert names({"b", "a", "cc", "d"}) == ["a", "b", "cc", "d"]
        for i in range(30):
            total = sum(gen(), A(random.randint(0, 9)))
            kept = [A(i), total]
        call(lambda x: [A(x), kept], 4)
        call(names, {"y", "x"})
        class Cycle: pass
        for i in range(20):
            c = Cycle()
            c.me, c.a = c, A(i)
        try: fail()
        except ValueError as error: caught = error
        assert total.n
        open("written", "w").write("x")
        A(1) + A(2)
    """
    first, second = examination.passes(student, test), examination.passes(student, test)
    assert first.asked > 200
    for one, other in zip(first.requests, second.requests, strict=True):
        assert one == other
    assert b"0x" not in b"".join(head for head, _ in first.requests)


def test_stand_in_of_another_test_says_so(examination: Examination) -> None:
    with examination.submission("class A:\n    x = 1\ndef f(a): return a.x") as talk:
        assert talk.test("kept = A()\nassert kept.x == 1").error is None
        why = talk.test("kept.x").why
        assert why == "StaleError: this object of the student's belongs to a test that has ended: ask for it again"
        assert talk.test("f(kept)").why == why
        assert talk.test("assert f(A()) == 1").error is None


def test_names_are_those_of_their_moment(examination: Examination) -> None:
    with examination.submission("n = 1\ndef bump():\n    global n\n    n += 1") as talk:
        assert talk.test("assert n == 1\nbump()\nassert n == 2\nn = 10\nbump()\nassert n == 11").error is None
        assert talk.test("assert n == 11\ndel n\nmine = 5").error is None
        assert talk.test("assert mine == 5\nn").why == "NameError: name 'n' is not defined"


def test_examiners_own_are_there_again_after_a_test_that_asked_for_the_students(examination: Examination) -> None:
    setup = "import math as m\ngiven = [1]"
    with examination.submission("given = [2]", setup) as talk:
        assert talk.test("assert given == [2] and m.pi > 3", names=["given", "m"]).error is None
        assert talk.test("assert given == [1] and m.pi > 3", names=[]).error is None
        assert talk.test("given = [3]", names=["given"]).error is None
        assert talk.test("assert given == [3]", names=[]).error is None


def test_library_is_the_examiners_own_if_the_student_has_any(examination: Examination) -> None:
    with examination.submission("class m:\n    pi = 3", "import math as m") as talk:
        libraries = {"names": ["m"], "libraries": ["m"]}
        assert talk.test("assert m.pi == 3", names=["m"]).error is None
        assert talk.test("import math\nassert m is math", **libraries).error is None
    with examination.submission("del m", "import math as m") as talk:
        assert talk.test("m", **libraries).why == "NameError: name 'm' is not defined"
        assert talk.test("assert m.pi > 3", names=[]).error is None


def test_name_that_the_student_lacks_is_a_name_error(examination: Examination) -> None:
    why = examination.fails("def squares(n): ...", "assert cubes(3)", names=["cubes", "squares"])
    assert why == "NameError: name 'cubes' is not defined"


def test_error_names_the_tests_line_and_the_students_frames(examination: Examination) -> None:
    student = "def outer(x):\n    return inner(x)\ndef inner(x):\n    return 1 / x"
    done = examination.test(student, "x = 1\n\ndef check():\n    outer(0)\ncheck()")
    assert done.error is not None
    assert done.error["ename"] == "ZeroDivisionError"
    assert done.error["evalue"] == "division by zero"
    assert done.error["line"] == 4
    assert done.error["traceback"] == [
        "Traceback (most recent call last):",
        '  File "<cell test>", line 5, in <module>',
        "    check()",
        '  File "<cell test>", line 4, in check',
        "    outer(0)",
        '  File "<cell 1>", line 2, in outer',
        "    return inner(x)",
        '  File "<cell 1>", line 4, in inner',
        "    return 1 / x",
        "ZeroDivisionError: division by zero",
    ]


def test_traceback_that_a_test_prints_has_no_frames_of_ours(examination: Examination) -> None:
    test = """
        import traceback, unittest
        class T(unittest.TestCase):
            def test(self): fail()
        unittest.TextTestRunner().run(T("test"))
        try: fail()
        except ValueError: print(traceback.format_exc())
    """
    said = examination.passes("def fail(): raise ValueError('no')", test).said
    assert said.count("ValueError: no") == 2
    assert "course_" not in said


def test_syntax_error_is_an_error_of_its_line(examination: Examination) -> None:
    done = examination.test("", "x = 1\ndef f(:\n    pass")
    assert done.error is not None
    assert (done.error["ename"], done.error["line"]) == ("SyntaxError", 2)


def test_output_is_told_by_stream_in_order_and_the_students_apart(examination: Examination) -> None:
    student = "import sys\ndef f():\n    print('a')\n    print('b', file=sys.stderr)"
    done = examination.passes(student, "import sys\nprint('1')\nf()\nprint('2')\nprint('3', file=sys.stderr)")
    assert done.output == [["stdout", "1\n"], ["student", "a\nb\n"], ["stdout", "2\n"], ["stderr", "3\n"]]


def test_output_is_bounded(examination: Examination) -> None:
    student = "def f():\n    for i in range(1000): print('x' * 10_000)"
    done = examination.passes(student, "for i in range(20): f()\nfor i in range(500): print('y' * 10_000)\nassert True")
    assert len(done.said) <= 2**20


# Time.


SLEEPY = """
    import time, numpy as np
    def nap(seconds, x=None):
        time.sleep(seconds)
        return x
    def work(n):
        until = time.perf_counter() + n
        while time.perf_counter() < until: pass
    def nothing(*given): return given
"""


@pytest.mark.parametrize("clock", ["perf_counter", "time", "monotonic", "process_time", "perf_counter_ns", "time_ns"])
def test_time_of_the_students_code_counts(examination: Examination, clock: str) -> None:
    test = f"import time\nstart = time.{clock}()\nnap(0.2)\nprint(time.{clock}() - start)"
    taken = float(examination.passes(SLEEPY, test).said) * (1e-9 if clock.endswith("_ns") else 1)
    assert 0.19 <= taken < 0.3


def test_crossing_of_a_large_argument_does_not_count(examination: Examination) -> None:
    test = """
        import time, numpy as np
        x = np.random.rand(50_000_000 // 8)
        nothing(x)
        for change in (False, True):
            times = []
            for i in range(4):
                x[0] += change
                start = time.perf_counter()
                nothing(x)
                times.append(time.perf_counter() - start)
            assert min(times) < 0.05, times
    """
    examination.passes(SLEEPY, test)


def test_time_of_a_callback_counts_once(examination: Examination) -> None:
    student = "def twice(f): return f(), f()"
    test = (
        "import time\nstart = time.perf_counter()\ntwice(lambda: time.sleep(0.1))\nprint(time.perf_counter() - start)"
    )
    assert 0.19 <= float(examination.passes(student, test).said) < 0.35


def test_timeit_measures_the_students_code(examination: Examination) -> None:
    test = "import timeit\nprint(timeit.timeit(lambda: nap(0.05), number=4))"
    assert 0.19 <= float(examination.passes(SLEEPY, test).said) < 0.35


def test_many_small_calls_cost_little(examination: Examination) -> None:
    test = """
        import time
        start, real = time.perf_counter(), time.clock_gettime(time.CLOCK_MONOTONIC)
        for i in range(200): nothing(i)
        taken = time.perf_counter() - start
        assert taken < 0.98 * (time.clock_gettime(time.CLOCK_MONOTONIC) - real)
    """
    examination.passes(SLEEPY, test)


def test_time_does_not_run_backwards(examination: Examination) -> None:
    test = """
        import time
        seen = [time.monotonic()]
        for i in range(300):
            nothing([i] * i)
            seen.append(time.monotonic())
        assert seen == sorted(seen)
    """
    examination.passes(SLEEPY, test)


# Files.


def test_file_of_the_setup_is_not_changed_by_the_student(warm: Examination) -> None:
    student = "open('given.txt', 'w').write('mine')\nopen('mine.txt', 'w').write('mine')"
    warm.passes(student, "assert open('given.txt').read() == 'given' and open('mine.txt').read() == 'mine'")


def test_files_are_deleted_on_both_sides(examination: Examination) -> None:
    student = "import os\ndef delete(p): os.remove(p)\ndef there(p): return os.path.exists(p)"
    test = """
        import os
        open("a", "w").write("a")
        assert there("a")
        os.remove("a")
        assert not there("a")
        open("b", "w").write("b")
        delete("b")
        assert not os.path.exists("b")
    """
    examination.passes(student, test)


def test_folders_with_files_cross(examination: Examination) -> None:
    student = "import pathlib\ndef texts(p): return sorted(f.read_text() for f in pathlib.Path(p).rglob('*.txt'))"
    test = """
        import pathlib
        for name in ("a/b/1.txt", "a/2.txt"):
            pathlib.Path(name).parent.mkdir(parents=True, exist_ok=True)
            pathlib.Path(name).write_text(name)
        assert texts("a") == ["a/2.txt", "a/b/1.txt"]
    """
    examination.passes(student, test)


# Code of the student's that a test would run itself.


def test_nothing_is_imported_from_where_the_student_writes(examination: Examination) -> None:
    student = "open('wicked.py', 'w').write('x = 1')\nopen('json2.py', 'w').write('x = 1')"
    assert "ModuleNotFoundError" in examination.fails(student, "import wicked")


EVALUATED = {
    "eval(text())": "a text",
    "exec(text())": "a text",
    "compile(text(), 'x', 'exec')": "a text",
    "eval('1 + ' + text())": "a text",
    "exec(open('student.py').read())": "a text",
    "import runpy\nrunpy.run_path('student.py')": "a file",
    "%run student.py": "a file",
    "import subprocess, sys\nsubprocess.run([sys.executable, 'student.py'])": "starts a program",
    "import os, sys\nos.system(sys.executable + ' student.py')": "starts a program",
    "import importlib.util as u\nmade = u.spec_from_file_location('m', 'student.py')\n"
    "made.loader.exec_module(u.module_from_spec(made))": "a file",
    "import pickle\npickle.loads(pickled())": "a pickle",
    "import pickle\npickle.load(open('student.pkl', 'rb'))": "a pickle",
    "import numpy as np\nnp.load('student.npy', allow_pickle=True)": "a pickle",
}


@pytest.mark.parametrize("test", EVALUATED)
def test_code_of_the_students_is_not_run_by_a_test(examination: Examination, test: str) -> None:
    student = """
        import os, pickle, numpy as np
        class Wicked:
            def __reduce__(self): return os.mkdir, ("wicked",)
        open("student.py", "w").write("import os; os.mkdir('wicked')")
        open("student.pkl", "wb").write(pickle.dumps(Wicked()))
        np.save("student.npy", np.array([Wicked()], dtype=object), allow_pickle=True)
        def text(): return "__import__('os').mkdir('wicked')"
        def pickled(): return pickle.dumps(Wicked())
    """
    guarded = "import os\ntry:\n    {}\nfinally:\n    print(os.path.exists('wicked'))".format(
        test.replace("\n", "\n    ")
    )
    if test.startswith("%"):
        guarded = f"import os\n{test}\nprint(os.path.exists('wicked'))"
    done = examination.test(student, guarded)
    assert "True" not in done.said
    if not test.startswith("%"):
        assert EVALUATED[test] in done.why
        assert "tag its cell `beside-student`" in done.why


def test_text_of_the_instructors_is_run(examination: Examination) -> None:
    test = """
        import pickle, datetime, collections, numpy as np
        assert [eval(text) for text in ("f(1)", "f(2)")] == [2, 4]
        exec("total = f(3)")
        assert total == 6
        kept = {"a": np.arange(3), "b": datetime.date(2026, 1, 1), "c": collections.Counter("aab"), "d": {1, 2}}
        assert str(pickle.loads(pickle.dumps(kept))) == str(kept)
    """
    examination.passes("def f(x): return 2 * x", test)


def test_socket_and_process_names_are_not_told(warm: Examination) -> None:
    """What the student's side hears is nothing of this machine's."""
    done = warm.passes("def f(x): return x", "class Helper: pass\nf([1, 'x'])\nf(lambda: 1)\nf(Helper())")
    heard = json.dumps([head.decode() for head, _ in done.requests])
    for word in (str(warm.folder), os.sep + "work", "course_", "secret", "site-packages"):
        assert word not in heard

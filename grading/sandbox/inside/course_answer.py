"""Answers the examiner's requests on the student's objects. Runs in the student's process, where nothing is trusted.

`serve(path, namespace)` is run as a cell. Each frame that comes is answered with one: an answer, or a callback where
the student's code uses what a test has handed over; then the next frame that says `returned` belongs to the callback.

A request is `(operation, operands, also)`: `also` holds names that the test has bound or deleted, the state of random
numbers, files. An answer is `(True, value, also)` or `(False, exception, also)`: `also` holds names that have changed
here, and files. Beside them stand in the head: `classes` that the examiner has not met yet, and `output`.
"""

import contextlib
import io
import socket
import sys
import threading
import warnings

import course_errors
import course_state
from course_facts import describe_class
from course_operations import perform
from course_proxies import Proxies
from course_side import Side, named, pairs
from course_tasks import TASKS, Names, Whole
from course_values import BadValue, Reference, base_value
from course_wire import ConnectionEnded, receive, send

_MOST_WARNINGS = 100
_OUTPUT = 65536
"""Characters of output that travel with an answer."""


def serve(path, namespace):
    """Connect to the socket and answer until it is said to be the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(path)
        answer(connection, namespace)


def answer(connection, namespace):
    """Answer what comes on a connected socket, until `end` or its end."""
    student = Student(connection, namespace)
    try:
        student.run()
    finally:
        student.close()


class Student(Side):
    """The student's side of one test cell."""

    def __init__(self, connection, namespace):
        super().__init__(trusted=False, trusting=True)
        self.connection = connection
        self.namespace = namespace
        self.proxies = Proxies(self.call_back, self.dropped_objects())
        self.watched = {}
        self.files = course_state.Files()
        self.patches = course_state.Patched()
        self.output = _Output()
        self._new_classes = []
        self._class_numbers = {}
        self._turn = threading.Condition()
        self._ours = False
        self._depth = 0
        self._closed = False
        self._look_at = []

    def dropped_objects(self):
        """Give the list that numbers of dropped objects are put into."""
        self._dropped_here = []
        return self._dropped_here

    def run(self):
        """Answer until the end."""
        with contextlib.suppress(ConnectionEnded):
            while True:
                head, tail = receive(self.connection, _CAP)
                if head.get("kind") == "end":
                    return
                self._answer(head, tail)

    def close(self):
        """Undo what the test has patched, and let threads go that still want to call back."""
        self.patches.undo()
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    # Turns: whoever was asked may speak, in any thread, the innermost request first.

    def _open(self):
        with self._turn:
            self._depth += 1
            self._ours = True
            self._turn.notify_all()
            return self._depth

    def _take_turn(self, depth=None):
        with self._turn:
            self._turn.wait_for(lambda: self._closed or (self._ours and depth in (None, self._depth)))
            if self._closed:
                raise RuntimeError("a function of a test was called after the test had ended")
            self._ours = False

    def _give_turn(self):
        with self._turn:
            self._ours = True
            self._turn.notify_all()

    # Requests.

    def _answer(self, head, tail):
        depth = self._open()
        with self.output.captured():
            answered = self._result(head, tail)
        self._take_turn(depth)
        try:
            self._send("answer", answered)
        finally:
            with self._turn:
                self._depth -= 1
            self._look_at.pop()

    def _result(self, head, tail):
        self._look_at.append(())
        try:
            (operation, operands, also), self._look_at[-1] = self.read(head, tail)
            self.take_over(also)
            if operation in _OWN:
                return True, _OWN[operation](self, *operands)
            return True, perform(operation, operands)
        except KeyboardInterrupt:
            raise  # the cell is interrupted, as any cell
        except BaseException as error:
            return False, error

    def take_over(self, also):
        """Do here what the test has done beside its question: bind names, set random numbers, write files."""
        also = named(also)
        for name, value in named(also.get("bind", ())).items():
            self.namespace[name] = value
            self.watched[name] = value
        for name in also.get("unbind", ()):
            self.namespace.pop(name, None)
            self.watched[name] = _MISSING
        course_state.set_variables(also.get("variables", ()))
        self.patches.take_over(named(also.get("patched", ())))
        course_state.set_random(also.get("random"))
        self.files.write(also.get("files", ()))

    def _send(self, kind, message):
        """Send an answer or a callback; an answer that cannot be sent becomes an exception that can."""
        output = self.output.take()
        look_at = set().union(*self._look_at)
        attempts = [lambda: (*message, self._also())]
        if kind == "answer":
            if not message[0]:
                attempts = [lambda: (False, course_errors.describe(self, message[1]), self._also())]
            elif type(message[1]) is Names:
                attempts = [lambda: (True, pairs(message[1]), self._also()), lambda: (True, message[1].small(self), ())]
            attempts.append(lambda: (False, course_errors.summary(self, error), ()))
        error = message[1]
        for attempt in attempts:
            try:
                self.dropped += self._dropped_here
                self._dropped_here.clear()
                head, blobs = self.write({"kind": kind, "output": output}, attempt(), look_at)
                send(self.connection, {**head, "classes": self._new_classes}, blobs)
                self._new_classes = []
                return
            except ConnectionEnded:
                raise
            except Exception as failed:
                self.unwrite()
                error = error if isinstance(error, BaseException) and not message[0] else failed
                if attempt is attempts[-1]:
                    raise

    def _also(self):
        """List what has changed beside the answer: names that the test has fetched, and files."""
        names, unbound = {}, []
        for name, last in self.watched.items():
            now = self.namespace.get(name, _MISSING)
            if now is not last:
                self.watched[name] = now
                if now is _MISSING:
                    unbound.append(name)
                else:
                    names[name] = now
        files = self.files.changed()
        also = {"names": pairs(names), "unbound": tuple(unbound), "files": files, "warnings": self.output.warnings()}
        return pairs({key: value for key, value in also.items() if value})

    def call_back(self, operation, operands):
        """Ask the examiner; used by proxies."""
        self._take_turn()
        try:
            self._send("callback", (operation, tuple(operands)))
            while True:
                head, tail = receive(self.connection, _CAP)
                if head.get("kind") == "end":
                    self.close()
                    raise ConnectionEnded("the test has ended")
                if head.get("returned"):
                    break
                self._answer(head, tail)
        except BaseException:
            self._give_turn()
            raise
        self._give_turn()
        (_, (succeeded, value), also), twins = self.read(head, tail)
        if self._look_at:
            self._look_at[-1] = {*self._look_at[-1], *twins}
        self.take_over(also)
        if succeeded:
            return value
        raise course_errors.rebuild(self, value)

    # Objects of both sides.

    def refer(self, obj):
        number = self.proxies.number(obj)
        if number is not None:
            return Reference("yours", number)
        if type(obj) is Whole:
            facts = {"what": "object", "class": self._describe(type(obj.value))}
            return Reference("there", self.keep(obj.value), facts)
        number = self.keep(obj)
        if isinstance(obj, type) and issubclass(type(obj), type):
            self._describe(obj)
            return Reference("there", number, {"what": "class"})
        kind = type(obj)
        facts = {"what": "exception" if issubclass(kind, BaseException) else "object", "class": self._describe(kind)}
        return Reference("there", number, facts, base_value(obj))

    def resolve(self, kind, number, facts, base):
        if kind == "yours":
            if number not in self.kept:
                raise BadValue("an object is asked for that is not there any more")
            return self.kept[number]
        if facts.get("what") == "exception":
            known = self.proxies.error(number)
            return known if known is not None else course_errors.rebuild(self, self.call_back("describe", (number,)))
        return self.proxies.make(number, facts)

    def _describe(self, kind):
        """Give the number of a class, and see to it that the examiner knows the class."""
        number = self.keep(kind)
        if number not in self._class_numbers:
            self._class_numbers[number] = kind  # kept for good: a class is described once
            description = describe_class(kind, self.type_names, self._describe)
            self._new_classes.append({"number": number, **description})
        return number

    def _forget(self, key):
        if not (key[0] and key[1] in self._class_numbers):
            super()._forget(key)

    # Exceptions.

    def is_home(self, error):
        """Give the number of an exception of the examiner's, or None."""
        return self.proxies.number(error)

    def own_error(self, number):
        """Give an exception of this side."""
        return self.kept[number]

    def known_error(self, number):
        """Give the exception that stands for one of the examiner's."""
        return self.proxies.error(number)

    def adopt(self, number, error, lines, text):
        """Note what stands for an exception of the examiner's."""
        self.proxies.adopt(number, error)

    def frames_of(self, error):
        """Give the student's frames, for feedback."""
        return course_errors.frames(error)

    # What is asked of no object.

    def fetch(self, names, types):
        """Give the values of names that are bound, and note which classes are the instructor's."""
        self.know({name: self.namespace[name] for name in types if isinstance(self.namespace.get(name), type)})
        self.watched = {name: self.namespace.get(name, _MISSING) for name in names}
        return Names((name, value) for name, value in self.watched.items() if value is not _MISSING)

    def describe_error(self, error):
        """Describe an exception that is a value."""
        return course_errors.describe(self, error)


_CAP = 2**40
_MISSING = object()
_OWN = {"fetch": Student.fetch, "describe": Student.describe_error, "settle": Student.take_over, **TASKS}


class _Output:
    """Text that is printed while a request is served."""

    def __init__(self):
        self._parts = []
        self._left = _OUTPUT
        self._warnings = []

    def add(self, name, text):
        text, self._left = text[: self._left], self._left - len(text[: self._left])
        if text:
            if self._parts and self._parts[-1][0] == name:
                self._parts[-1][1] += text
            else:
                self._parts.append([name, text])

    def warnings(self):
        """Give the warnings that were issued since the last time, as (text, category)."""
        issued, self._warnings[:] = self._warnings[:_MOST_WARNINGS], []
        return tuple((str(warning.message), warning.category) for warning in issued)

    def take(self):
        """Give what was printed since the last time, as [stream, text]."""
        parts, self._parts, self._left = self._parts, [], _OUTPUT
        return parts

    @contextlib.contextmanager
    def captured(self):
        before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Stream(self, "stdout"), _Stream(self, "stderr")
        try:
            with warnings.catch_warnings(record=True) as issued:  # whether they are shown the test decides
                warnings.simplefilter("always")
                outer, self._warnings = self._warnings, issued
                yield
        finally:
            self._warnings = [*outer, *issued]
            sys.stdout, sys.stderr = before


class _Stream(io.TextIOBase):
    encoding = "utf-8"

    def __init__(self, output, name):
        self._output = output
        self._name = name

    def writable(self):
        return True

    def write(self, text):
        self._output.add(self._name, str(text))
        return len(text)

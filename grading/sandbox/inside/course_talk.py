"""The examiner's side of the conversation about one test cell: requests, callbacks, and what is believed of answers.

All that comes was written by a process that may be hostile. What makes no sense ends the conversation: the test gets
`StudentGone`, now and whenever it asks again.
"""

import sys
import threading
import warnings
import weakref

import course_errors
import course_state
from course_kinds import Kind
from course_offered import facts_of, may_ask, without_addresses
from course_operations import ANSWERS, perform
from course_side import Side, named, pairs
from course_standin import StaleError, link_of
from course_values import BadValue, Reference
from course_wire import ConnectionEnded, FrameError, receive, send

LIMITS = {"asked": 1_000_000, "called_back": 200_000, "deep": 64}
"""Questions of one test, callbacks of the student's code in it, and how deeply both call each other."""
_MAX_OUTPUT = 65536 * 2
_MAX_CLASSES = 5000
_MAX_WARNINGS = 100
_NEVER_REFUSED = frozenset({"isinstance", "issubclass"})


class StudentGone(BaseException):
    """The student's process cannot be asked any more."""


class NotBelieved(AssertionError):  # noqa: N818 (students read it)
    """An object of the student's was to decide by itself whether it is right."""


class Conversation(Side):
    """Asks the student's side on behalf of one test cell.

    `shell` is the `course_shell.Shell` that the cell runs in, `believed` lists the sites [cell, line, operation] where
    an object may say what it is equal to; None means everywhere.
    """

    def __init__(self, connection, shell, believed):
        super().__init__(modules=_may_come, trusted=True)
        self.connection = connection
        self.namespace = shell.namespace
        self.cells = shell.cells
        self.clock = shell.clock
        self.files = shell.files
        self.guard = shell.guard
        self.limits = shell.limits
        self.believed = None if believed is None else {tuple(site) for site in believed}
        self.sites = []
        self.asked = 0
        self.gone = ""
        self.ended = False
        self.fetched = {}
        """The student's names and what they were bound to when both sides were last told; _MISSING is unbound."""
        self._own = {}
        """What the examiner itself had bound to these names."""
        self._rebound = set()
        self._random = shell.random
        self._random.begin()
        self._patches = course_state.Patches()
        self._variables = course_state.Variables()
        self._called_back = 0
        self._deep = 0
        self._kinds = {}
        self._alive = {}
        self._errors = {}
        self._error_numbers = {}
        self._lock = threading.RLock()

    # Requests.

    def ask(self, operation, *operands):
        """Ask for an operation; gives what came of it or raises what was raised."""
        if self.ended:
            raise StaleError("this object of the student's belongs to a test that has ended: ask for it again")
        with self._lock:
            self._still_there()
            self.asked += 1
            if self.asked > self.limits["asked"]:
                self.end(f"the test asks more than {self.limits['asked']:,} questions")
            if self._deep >= self.limits["deep"]:
                raise RecursionError("the test and the student's code call each other too deeply")
            self._deep += 1
            try:
                succeeded, value = self._asked(operation, operands)
            except (RecursionError, MemoryError, KeyboardInterrupt):
                self.gone = self.gone or "the test was stopped in the middle of a question"
                raise
            finally:
                self._deep -= 1
        if not succeeded:
            raise self._rebuilt(value)
        expected = ANSWERS.get(operation)
        if expected is not None and type(value) not in expected:
            self.end("an answer is of a type that it cannot be of")
        return value

    def _asked(self, operation, operands):
        head, message, look_at = {"kind": "ask"}, (operation, operands), set()
        while True:
            kind, reply, more = self._exchange(head, (*message, self._also()), look_at)
            look_at |= more
            if kind == "answer":
                if len(reply) != 3 or type(reply[0]) is not bool:
                    self.end("an answer is no answer")
                self._take_over(reply[2])
                return reply[0], reply[1]
            head, message = {"kind": "ask", "returned": True}, ("returned", self._answered(reply))

    def _exchange(self, head, message, look_at):
        """Send one frame and read what comes; the clock stands still but for the wait in between."""
        with self.clock.crossing() as crossing:
            head, blobs = self.write(head, message, look_at)
            try:
                send(self.connection, head, blobs)
                crossing.sent()
                head, tail = receive(self.connection, arrived=crossing.arrived)
            except ConnectionEnded as error:
                self.end(f"the student's process cannot be reached: {error}")
            except FrameError as error:
                if crossing.is_sent:
                    self.end(f"the student's process answered something of no sense: {error}")
                self.unwrite()
                raise ValueError(str(error)) from None
            kind = head.get("kind")
            if kind == "gone":
                self.end(str(head.get("why"))[:500])
            if kind not in ("answer", "callback"):
                self.end("what came is neither an answer nor a callback")
            try:
                if self.guard.watching:
                    self.guard.note(head.get("packs"), tail)
                self._meet(head.get("classes", []))
                reply, named = self.read(head, tail)
                if type(reply) is not tuple:
                    raise BadValue("it says nothing")
            except BadValue as error:
                self.end(f"the student's process answered something of no sense: {error}")
        self._print(head.get("output"))
        return kind, reply, named

    def _also(self, drawn=True):
        """List what the test has changed beside the request: names, the state of random numbers, files.

        Without `drawn` the state of random numbers counts only if the test has set it.
        """
        bind, unbind = {}, []
        for name, last in self.fetched.items():
            now = self.namespace.get(name, _MISSING)
            if now is last:
                continue
            self.fetched[name] = now
            self._rebound.add(name)
            if now is _MISSING:
                unbind.append(name)
            else:
                bind[name] = now
        also = {"bind": pairs(bind), "unbind": tuple(unbind), "files": self.files.changed()}
        also["patched"] = pairs(self._patches.changed())
        also["variables"] = self._variables.changed()
        also["random"] = self._random.changed(drawn)
        return pairs({name: value for name, value in also.items() if value})

    def _take_over(self, also):
        """Take over what has changed beside the answer: names, unless the test has bound them anew, and files."""
        try:
            also = named(also)
            changed = named(also.get("names", ())) | dict.fromkeys(also.get("unbound", ()), _MISSING)
            for name, value in changed.items():
                if name in self.fetched and self.namespace.get(name, _MISSING) is self.fetched[name]:
                    self.fetched[name] = value
                    if value is _MISSING:
                        self.namespace.pop(name, None)
                    else:
                        self.namespace[name] = value
            self.files.write(also.get("files", ()))
            issued = [_warning(*warning) for warning in also.get("warnings", ())]
        except (BadValue, ValueError, TypeError):
            self.end("the student's process answered something of no sense")
        for warning in issued[:_MAX_WARNINGS]:
            warnings.warn_explicit(*warning, "<student>", 1)

    def _print(self, output):
        """Print what the student's code has printed."""
        if type(output) is not list:
            return
        for entry in output[:1000]:
            if type(entry) is list and len(entry) == 2 and type(entry[1]) is str:
                stream = sys.stderr if entry[0] == "stderr" else sys.stdout
                getattr(stream, "write_theirs", stream.write)(entry[1][:_MAX_OUTPUT])

    def _still_there(self):
        if self.gone:
            raise StudentGone(self.gone)

    def end(self, why):
        """End the conversation: the test learns why, now and whenever it asks again."""
        self.gone = self.gone or why
        raise StudentGone(self.gone) from None

    # Callbacks.

    def _answered(self, reply):
        """Do what the student's code asks of an object of the test's; return (succeeded, value)."""
        if len(reply) != 3 or type(reply[0]) is not str or type(reply[1]) is not tuple:
            self.end("a callback is no callback")
        operation, operands, also = reply
        self._take_over(also)
        self._called_back += 1
        if self._called_back > self.limits["called_back"]:
            self.end(
                f"the student's code has called functions of the test more than {self.limits['called_back']:,} times"
            )
        try:
            if operation == "describe":
                return True, course_errors.describe(self, self.own_error(operands[0] if operands else None))
            if not may_ask(self.numbers, operation, operands):
                raise AttributeError("this cannot be asked of an object of a test")
            return True, without_addresses(operation, perform(operation, operands))
        except StudentGone:
            raise
        except BaseException as error:
            return False, course_errors.describe(self, error)

    # Objects of both sides.

    def refer(self, obj):
        if type(obj) is _Named:
            return Reference("yours", obj.number)
        link = link_of(obj)
        if link is not None:
            if link.talk is not self:
                raise StaleError("this object of the student's belongs to a test that has ended: ask for it again")
            return Reference("yours", link.number)
        number = self._error_numbers.get(id(obj))
        if number is not None:
            return Reference("yours", number)
        return Reference("there", self.keep(obj), facts_of(obj))

    def resolve(self, kind, number, facts, base):
        if kind == "yours":
            if number not in self.kept:
                raise BadValue("an object of the test's is named that was not handed over")
            return self.kept[number]
        what = facts.get("what")
        if what == "exception":
            known = self._errors.get(number)
            return known[0] if known else self._rebuilt(self.ask("describe", _Named(number)))
        described = self._kinds.get(number if what == "class" else facts.get("class"))
        if described is None:
            raise BadValue("an object is of a class that nobody knows")
        if what == "class":
            return described.value
        known = self._alive.get(number)
        standin = known() if known is not None else None
        if standin is None:
            standin = described.instance(number, base)
            self._alive[number] = weakref.ref(standin, lambda _: self._drop(number))
            if (False, number) in self.dropped:
                self.dropped.remove((False, number))
        return standin

    def _drop(self, number):
        reference = self._alive.get(number)
        if reference is not None and reference() is None:
            del self._alive[number]
            self.dropped.append((False, number))

    def _meet(self, descriptions):
        if type(descriptions) is not list or len(descriptions) + len(self._kinds) > _MAX_CLASSES:
            raise BadValue("too many classes are described")
        for description in descriptions:
            if type(description) is not dict:
                raise BadValue("a class is not described as classes are")
            kind = Kind(self, description, self._kinds)
            self._kinds.setdefault(kind.number, kind)

    # Exceptions.

    def _rebuilt(self, entries):
        try:
            return course_errors.rebuild(self, entries)
        except BadValue as error:
            self.end(f"the student's process answered something of no sense: {error}")

    def is_home(self, error):
        """Give the number of an exception that stands for one of the student's, or None."""
        return self._error_numbers.get(id(error))

    def own_error(self, number):
        """Give an exception of the test's that comes home."""
        error = self.kept.get(number) if type(number) is int else None
        if not isinstance(error, BaseException):
            raise BadValue("an exception is named that was not handed over")
        return error

    def known_error(self, number):
        """Give the exception that stands for one of the student's, or None."""
        known = self._errors.get(number)
        return known[0] if known else None

    def adopt(self, number, error, lines, text):
        """Note what stands for an exception of the student's, with the lines of its frames and its text."""
        self._errors[number] = error, lines, text
        self._error_numbers[id(error)] = number

    def frames_of(self, error):
        """Give no frames: they would show the test."""
        return []

    def lines_of(self, error):
        """Give the lines of the student's frames that an exception went through."""
        number = self._error_numbers.get(id(error))
        return self._errors[number][1] if number is not None else []

    def text_of_error(self, error):
        """Give the text of an exception whose class makes its own, or None."""
        number = self._error_numbers.get(id(error))
        return self._errors[number][2] if number is not None else None

    # Belief.

    def note(self, operation):
        """Note that the course's cell makes a decision on what an object says of itself."""
        site = self._site(operation)
        if site is not None and site not in self.sites:
            self.sites.append(site)
        return site

    def believe(self, operation, link):
        """Note a question that an object answers as it likes; raises NotBelieved if the solution asks none here."""
        site = self.note(operation)
        if self.believed is None or operation in _NEVER_REFUSED or site in self.believed:
            return
        line = f"line {site[1]}" if site is not None else "this test"
        does = {"truth": "takes the truth of", "in": "looks for something in"}.get(operation, f"compares ({operation})")
        raise NotBelieved(
            f"{line} {does} an object of the {link.kind.told} of the student's own code; "
            "the course's solution gives a plain value here"
        )

    def _site(self, operation):
        frame = sys._getframe(2)
        while frame is not None:
            cell = self.cells.get(frame.f_code.co_filename)
            if cell is not None:
                return cell, frame.f_lineno, operation
            frame = frame.f_back
        return None

    # The test cell's names.

    def fetch(self, names, libraries=()):
        """Bind the student's names in the test's namespace; those that are not there stay unbound.

        `libraries` are names under which the examiner has imported a library itself, and uses its own.
        """
        found = self.ask("fetch", tuple(sorted(names)), tuple(self.types))
        try:
            found = named(found)
        except BadValue as error:
            self.end(f"the student's process answered something of no sense: {error}")
        if not set(names) >= found.keys():
            self.end("the student's process gives names that it was not asked for")
        self._own = {name: self.namespace.pop(name) for name in names if name in self.namespace}
        found.update({name: self._own[name] for name in libraries if name in found and name in self._own})
        self.namespace.update(found)
        self.fetched = found

    def settle(self):
        """Tell what the test has changed since its last question: it stays so for the student's cells that follow."""
        also = () if self.gone else self._also(drawn=False)
        if also:
            self.ask("settle", also)

    def close(self):
        """End the conversation in good order: names that were the student's are unbound, or the examiner's again."""
        self.ended = True
        for name, value in self.fetched.items():
            if name not in self._rebound and self.namespace.get(name, _MISSING) is value:
                del self.namespace[name]
        for name, value in self._own.items():
            if name not in self._rebound:
                self.namespace.setdefault(name, value)


def _warning(text, category):
    """Check a warning of the student's code."""
    if type(text) is not str:
        raise TypeError("a warning without a text")
    good = isinstance(category, type) and issubclass(category, Warning)
    return text[:_MAX_OUTPUT], category if good else UserWarning


def _may_come(module):
    """Tell whether a module may come by name: one that the examiner has imported itself, but none of its own."""
    return module in sys.modules and not module.startswith(("course_", "__main__"))


_MISSING = object()


class _Named:
    """Names an object of the student's by number."""

    def __init__(self, number):
        self.number = number

"""The student's kernel as the examiner's partner: requests go in, replies come out, as bytes that nobody here reads."""

import contextlib
import json
import logging
import socket
import threading
import time

from grading.examiner.conversation import Conversation, Frame, gone
from grading.sandbox.inside import course_wire
from grading.sandbox.kernel import CellRun, Ended, Kernel

log = logging.getLogger(__name__)

SOCKET = "answers"
"""The file in the kernel's shared folder at which this side listens."""
_GRACE = 15.0
"""Seconds beyond its time in which a kernel has been interrupted, and killed if it did not heed that."""
_END = Frame(json.dumps({"kind": "end"}).encode())


class LivePartner:
    """Answers for one test cell out of a running kernel; each exchange is noted in the conversation."""

    def __init__(self, kernel: Kernel, seconds: float, conversation: Conversation) -> None:
        self._kernel, self._seconds, self._conversation = kernel, seconds, conversation
        self._stack = contextlib.ExitStack()
        self._connection: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._test = ""
        self._gone = ""
        self.run: CellRun | None = None
        """How serving ended; None if nothing was asked."""

    def begin(self, test: str) -> None:
        """Remember whose requests come now; the kernel is only disturbed when there is one."""
        self._test = test

    def ask(self, request: Frame) -> Frame:
        """Return the kernel's reply, or why there is none; from then on there is none."""
        reply = self._ask(request) if not self._gone else gone(self._gone)
        self._conversation.note(self._test, request, reply)
        return reply

    def _ask(self, request: Frame) -> Frame:
        try:
            connection = self._connection or self._connect()
            course_wire.send_raw(connection, request.head, request.tail)
            head, tail = course_wire.receive_raw(connection)
        except TimeoutError:
            self._gone = "your code did not answer in time"
        except (OSError, course_wire.FrameError) as error:
            log.debug("no reply of the student's kernel: %s", error)
            self._gone = self._why(error)
        else:
            return Frame(head, tail)
        return gone(self._gone)

    def _connect(self) -> socket.socket:
        """Make the kernel serve; it connects to a socket in the folder that both sides can write."""
        here, there = self._kernel.shared_folder
        path = here / SOCKET
        path.unlink(missing_ok=True)
        listening = self._stack.enter_context(socket.socket(socket.AF_UNIX))
        listening.bind(str(path))
        listening.listen(1)
        listening.settimeout(0.05)
        code = f"__import__('course_answer').serve({there + '/' + SOCKET!r}, globals())"
        self._thread = threading.Thread(target=self._serve, args=(code,), daemon=True)
        self._thread.start()
        connection = self._stack.enter_context(self._accept(listening))
        connection.settimeout(self._seconds + _GRACE)
        self._connection = connection
        return connection

    def _accept(self, listening: socket.socket) -> socket.socket:
        until = time.monotonic() + self._seconds + _GRACE
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                return listening.accept()[0]
            if self._thread is None or not self._thread.is_alive():
                raise OSError("the kernel did not come to answer")
        raise TimeoutError

    def _serve(self, code: str) -> None:
        self.run = self._kernel.run(code, self._seconds)

    def _why(self, error: Exception) -> str:
        """Say why there is no reply, in words for the student."""
        self._close()
        run = self.run
        if run is not None and run.ended is Ended.died:
            return f"the kernel died when your code was asked: {run.cause}"
        if run is not None and run.ended is Ended.interrupted:
            return f"your code did not answer in time: {run.cause}"
        if isinstance(error, course_wire.FrameError):
            return f"what came back is no answer: {error}"
        return "your code ended the conversation"

    def end(self) -> None:
        """Let the kernel go on with its cells."""
        if self._connection is not None and not self._gone:
            with contextlib.suppress(OSError, course_wire.FrameError):
                course_wire.send_raw(self._connection, _END.head, _END.tail)
        self._close()

    def _close(self) -> None:
        """Close the connection, at which serving ends, and wait for that; a kernel that goes on is interrupted."""
        self._stack.close()
        self._connection = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None


class GonePartner:
    """Says for every request why nobody answers."""

    def __init__(self, why: str) -> None:
        self._why = why

    def begin(self, test: str) -> None:
        """Do nothing."""

    def ask(self, request: Frame) -> Frame:
        """Return the reason."""
        return gone(self._why)

    def end(self) -> None:
        """Do nothing."""

"""A notebook that hands itself in: with a code, over the network, to whoever answers."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import nbformat
import pytest

from helpers.sending import hand_in

RECEIPT = {"result": "https://course/h/x", "sha256": "0" * 64, "received": "2026-11-25 21:00:00 UTC"}


@dataclass
class Course:
    """A server that answers as the course does, and what it was sent."""

    url: str = ""
    status: int = 200
    answer: bytes = json.dumps(RECEIPT).encode()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@pytest.fixture
def course() -> Iterator[Course]:
    found = Course()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.headers = {"path": self.path, **{name.lower(): value for name, value in self.headers.items()}}
            found.body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(found.status)
            self.end_headers()
            self.wfile.write(found.answer)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "my wörk.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", id="a")]), path)
    return path


def test_saved_bytes_go_out_with_the_code_and_the_result_is_printed(
    course: Course, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hand_in(course.url + "/", "ABCD-EFGH-JKLM", path=path) == RECEIPT["result"]
    assert course.body == path.read_bytes()
    assert course.headers["path"] == "/api/hand-in"
    assert course.headers["authorization"] == "Code ABCD-EFGH-JKLM"
    assert course.headers["x-file-name"] == "my w?rk.ipynb"
    printed = capsys.readouterr().out
    assert "Your result: https://course/h/x" in printed
    assert RECEIPT["sha256"] in printed


def test_last_look_is_printed_and_does_not_hinder(
    course: Course, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hand_in(course.url, "A", cells=["lost_cell"], path=path)
    assert "lost_cell" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (403, b'{"error": "This code does not work."}', "This code does not work."),
        (413, b"<html>proxy", "answered 413"),
        (200, b"<html>another server", "did not answer"),
        (200, b"[]", "is not the course"),
    ],
)
def test_refusal_is_said_in_words(
    course: Course, path: Path, capsys: pytest.CaptureFixture[str], status: int, answer: bytes, said: str
) -> None:
    course.status, course.answer = status, answer
    assert hand_in(course.url, "A", path=path) is None
    printed = capsys.readouterr().out
    assert "Not handed in." in printed
    assert said in printed


@pytest.mark.parametrize("url", ["http://course.example.org", "ftp://127.0.0.1", "course", "file:///etc/passwd"])
def test_code_is_sent_nowhere_where_others_could_read_it(
    path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert hand_in(url, "A", path=path) is None
    assert "is not the course's address" in capsys.readouterr().out


def test_course_that_is_not_there_and_a_lost_file_are_said_in_words(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hand_in("http://127.0.0.1:9", "A", path=path) is None
    assert "did not answer" in capsys.readouterr().out
    assert hand_in("http://127.0.0.1:9", "A", path=path.with_name("none.ipynb")) is None
    assert "There is no file" in capsys.readouterr().out


def test_line_breaks_in_a_code_are_no_header_of_their_own(course: Course, path: Path) -> None:
    hand_in(course.url, "A\r\nX-Evil: 1", path=path)
    assert "x-evil" not in course.headers

"""A download survives what real servers do, and unpacking stays in its folder."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers.download import CHUNK, DownloadError, download, extract_tar

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several chunks, and halves end where a chunk ends
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Server:
    """Serves `CONTENT` (or what `content` says) at every path; the path says how it misbehaves."""

    address: str = ""
    content: bytes = CONTENT
    after_break: bytes | None = None  # the file changes after the first broken answer
    breaks_left: int = 1
    break_after: int | None = None  # bytes; half of the answer if None
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def url(self, behaviour: str) -> str:
        return f"{self.address}/{behaviour}/file.bin"


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour = self.path.split("/")[1]
            wanted = self.headers.get("Range")
            state.requests.append((behaviour, wanted))
            content = state.content
            if behaviour == "missing":
                return self.send_error(404)
            if behaviour == "html":
                content = b"<html>Please log in</html>"
            if wanted and behaviour not in ("ignores-range", "breaks-and-ignores-range"):
                start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                if behaviour == "wrong-place":
                    start = 0
                end = len(content)
                if behaviour == "breaks-then-sends-little":
                    end = min(end, start + CHUNK * 3)
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
                body = content[start:end]
            else:
                self.send_response(200)
                body = content
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour.startswith("breaks") and state.breaks_left > 0:
                state.breaks_left -= 1
                body = body[: state.break_after or len(body) // 2]
                if state.after_break is not None:
                    state.content = state.after_break
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up is expected
    state.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()


class TestDownload:
    def test_file_is_complete_and_the_part_gone(self, server: Server, tmp_path: Path) -> None:
        target = tmp_path / "new folder" / "file.bin"
        assert download(server.url("range"), target, SHA256, progress=False) == target
        assert target.read_bytes() == CONTENT
        assert [path.name for path in target.parent.iterdir()] == ["file.bin"]

    def test_good_file_is_left_alone(self, server: Server, tmp_path: Path) -> None:
        target = tmp_path / "file.bin"
        target.write_bytes(CONTENT)
        download(server.url("range"), target, SHA256, progress=False)
        assert server.requests == []

    def test_damaged_file_is_replaced(self, server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        target = tmp_path / "file.bin"
        target.write_bytes(CONTENT[:1000])  # what an interrupted urlretrieve leaves
        download(server.url("range"), target, SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        assert "damaged" in caplog.text

    def test_broken_transfer_goes_on_where_it_stopped(self, server: Server, tmp_path: Path) -> None:
        server.breaks_left = 2
        target = download(server.url("breaks"), tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        half, three_quarters = len(CONTENT) // 2, len(CONTENT) * 3 // 4
        assert [wanted for _, wanted in server.requests] == [
            None,
            f"bytes={half}-",
            f"bytes={three_quarters}-",
        ]

    def test_next_url_continues_what_the_first_began(self, server: Server, tmp_path: Path) -> None:
        # The first always breaks and cannot continue, so it brings nothing more the second time.
        server.breaks_left = 99
        urls = [server.url("breaks-and-ignores-range"), server.url("range")]
        target = download(urls, tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        assert server.requests[-1] == ("range", f"bytes={len(CONTENT) // 2}-")

    def test_part_of_an_earlier_session_is_continued(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "file.bin.part").write_bytes(CONTENT[:1234])
        target = download(server.url("range"), tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        assert server.requests == [("range", "bytes=1234-")]

    def test_part_of_unknown_origin_is_dropped_without_a_hash(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "file.bin.part").write_bytes(b"x" * 1234)
        target = download(server.url("range"), tmp_path / "file.bin", progress=False)
        assert target.read_bytes() == CONTENT

    def test_part_of_another_version_is_dropped(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "file.bin.part").write_bytes(b"x" * 1234)
        target = download(server.url("range"), tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        assert [wanted for _, wanted in server.requests] == ["bytes=1234-", None]

    def test_file_that_changes_size_is_fetched_whole(self, server: Server, tmp_path: Path) -> None:
        server.after_break = b"new version" * 100_000
        target = download(server.url("breaks"), tmp_path / "file.bin", progress=False)
        assert target.read_bytes() == server.after_break

    def test_server_that_ignores_ranges_sends_the_whole_file(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "file.bin.part").write_bytes(CONTENT[:1234])
        target = download(server.url("ignores-range"), tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        assert len(server.requests) == 1

    def test_another_range_than_asked_for_starts_anew(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "file.bin.part").write_bytes(CONTENT[:1234])
        target = download(server.url("wrong-place"), tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        assert [wanted for _, wanted in server.requests] == ["bytes=1234-", None]

    def test_less_than_the_rest_is_continued(self, server: Server, tmp_path: Path) -> None:
        # HTTP allows it, and without a hash only the size tells that something is missing.
        target = download(server.url("breaks-then-sends-little"), tmp_path / "file.bin", progress=False)
        assert target.read_bytes() == CONTENT

    def test_complete_part_becomes_the_file(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "file.bin.part").write_bytes(CONTENT)
        target = download(server.url("range"), tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT
        assert server.requests == [("range", f"bytes={len(CONTENT)}-")]  # answered with 416

    def test_part_longer_than_the_file_is_replaced(self, server: Server, tmp_path: Path) -> None:
        (tmp_path / "file.bin.part").write_bytes(CONTENT + b"more")
        target = download(server.url("range"), tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT

    def test_server_that_never_finishes_is_given_up(self, server: Server, tmp_path: Path) -> None:
        server.breaks_left = 99
        server.break_after = CHUNK
        with pytest.raises(DownloadError, match="still incomplete after 10 attempts"):
            download(server.url("breaks"), tmp_path / "file.bin", SHA256, progress=False)
        assert len(server.requests) == 10
        assert (tmp_path / "file.bin.part").exists()  # for next time

    def test_page_instead_of_the_file_leads_to_the_next_url(self, server: Server, tmp_path: Path) -> None:
        urls = [server.url("html"), server.url("missing"), server.url("range")]
        target = download(urls, tmp_path / "file.bin", SHA256, progress=False)
        assert target.read_bytes() == CONTENT

    def test_check_refuses_a_page_where_no_hash_is_known(self, server: Server, tmp_path: Path) -> None:
        def check(path: Path) -> None:
            if path.read_bytes().startswith(b"<html>"):
                raise ValueError("it is a web page")

        urls = [server.url("html"), server.url("range")]
        target = download(urls, tmp_path / "file.bin", check=check, progress=False)
        assert target.read_bytes() == CONTENT

    def test_error_lists_every_failure_and_says_what_to_do(self, server: Server, tmp_path: Path) -> None:
        nobody = "http://127.0.0.1:9/file.bin"  # the discard port: refused
        urls = [server.url("missing"), server.url("html"), nobody]
        with pytest.raises(DownloadError) as caught:
            download(urls, tmp_path / "file.bin", SHA256, progress=False)
        message = str(caught.value)
        assert all(url in message for url in urls)
        assert "404" in message
        assert f"should be {SHA256}; the file was deleted" in message
        assert f"put it at {tmp_path / 'file.bin'}" in message
        assert list(tmp_path.iterdir()) == []  # nothing wrong is left to be mistaken for the file

    def test_progress_bar_shows_only_if_wanted(
        self, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        download(server.url("range"), tmp_path / "quiet.bin", SHA256, progress=False)
        assert capsys.readouterr().err == ""
        download(server.url("range"), tmp_path / "loud.bin", SHA256)
        assert "loud.bin: 100%" in capsys.readouterr().err

    def test_full_disk_is_not_blamed_on_the_server(
        self, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_space(self: Path, *args: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "open", no_space)
        with pytest.raises(OSError, match="No space left"):
            download([server.url("range")] * 2, tmp_path / "file.bin", SHA256, progress=False)
        assert len(server.requests) == 1


def make_tar(path: Path, *members: tarfile.TarInfo | tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                name, content = member
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


class TestExtractTar:
    def test_everything_lands_where_the_archive_says(self, tmp_path: Path) -> None:
        archive = make_tar(tmp_path / "a.tar", special("top", tarfile.DIRTYPE), ("top/in/x", b"X"), ("./y", b"Y"))
        extract_tar(archive, tmp_path / "out")
        assert (tmp_path / "out" / "top" / "in" / "x").read_bytes() == b"X"
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["top", "y"]

    def test_folder_that_is_there_is_completed(self, tmp_path: Path) -> None:
        (tmp_path / "top").mkdir()
        (tmp_path / "top" / "x").write_bytes(b"half")
        (tmp_path / "top" / "own").write_bytes(b"mine")
        extract_tar(make_tar(tmp_path / "a.tar", ("top/x", b"whole"), ("top/z", b"Z")), tmp_path)
        content = {path.name: path.read_bytes() for path in (tmp_path / "top").iterdir()}
        assert content == {"x": b"whole", "z": b"Z", "own": b"mine"}

    @pytest.mark.parametrize(
        "evil",
        [
            pytest.param([("../evil", b"!")], id="parent"),
            pytest.param([("top/../../evil", b"!")], id="hidden parent"),
            pytest.param([("ABSOLUTE/evil", b"!")], id="absolute"),
            pytest.param([special("link", tarfile.SYMTYPE, ".."), ("link/evil", b"!")], id="through a link"),
            pytest.param([special("link", tarfile.SYMTYPE, "../outside")], id="link out"),
            pytest.param([special("link", tarfile.SYMTYPE, "/etc/passwd")], id="absolute link"),
            pytest.param([special("link", tarfile.LNKTYPE, "../outside")], id="hard link"),
            pytest.param([special("pipe", tarfile.FIFOTYPE)], id="pipe"),
            pytest.param([special("device", tarfile.CHRTYPE)], id="device"),
        ],
    )
    def test_malicious_archive_is_refused_whole(
        self, tmp_path: Path, evil: list[tarfile.TarInfo | tuple[str, bytes]]
    ) -> None:
        (tmp_path / "outside").write_bytes(b"secret")
        # An absolute name has to be in a place that the test may write to, to notice if it is written.
        evil = [
            (item[0].replace("ABSOLUTE", str(tmp_path)), item[1]) if isinstance(item, tuple) else item for item in evil
        ]
        archive = make_tar(tmp_path / "evil.tar", ("good", b"first"), *evil)
        out = tmp_path / "out"
        with pytest.raises(ValueError, match=r"evil\.tar was not unpacked: member '.*(outside|neither)"):
            extract_tar(archive, out)
        assert list(out.iterdir()) == []
        assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar", "out", "outside"]

    @pytest.mark.parametrize("content", [b"<html></html>", b""])
    def test_file_that_is_no_archive_is_named(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.tar").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.tar is not a complete tar archive"):
            extract_tar(tmp_path / "a.tar", tmp_path)

    def test_truncated_archive_leaves_nothing_behind(self, tmp_path: Path) -> None:
        archive = make_tar(tmp_path / "a.tar", ("x", b"X" * 100), ("y", b"Y" * 100_000))
        archive.write_bytes(archive.read_bytes()[:50_000])
        with pytest.raises(ValueError, match="not a complete tar"):
            extract_tar(archive, tmp_path / "out")
        assert list((tmp_path / "out").iterdir()) == []

    def test_modes_of_the_archive_are_ignored(self, tmp_path: Path) -> None:
        info = tarfile.TarInfo("tool")
        info.mode = 0o4777
        extract_tar(make_tar(tmp_path / "a.tar", info), tmp_path)
        assert (tmp_path / "tool").stat().st_mode & 0o7111 == 0


def test_progress_is_logged_not_printed(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    urls = [server.url("missing"), server.url("breaks")]
    download(urls, tmp_path / "file.bin", SHA256, progress=False)
    assert capsys.readouterr().out == ""
    assert "404" in caplog.text
    assert "going on from byte" in caplog.text

"""An assignment of several notebooks is handed in at once, as files or as a zip, and each is told apart."""

import io
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import httpx
import nbformat
import pytest
from homework import NAME, course, good_work, solved
from served import Browser, any_notebook, come_in, opened, running
from starlette.applications import Starlette

from grading.release.build import build_release
from grading.service import access, queue
from grading.service.content import path_of
from grading.service.database import Database
from grading.service.grader import Grader
from grading.service.packages import is_package, packed, unpacked
from grading.service.placing import place
from grading.service.queue import HandIn
from grading.service.settings import Settings

NAMES = ["one.ipynb", "two.ipynb"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = course(tmp_path_factory.mktemp("homework") / "course")
    (made / "roster.csv").write_text("id,name,email\nada,Ada Lovelace,\n")
    build_release(made, NAME)
    return made


@pytest.fixture(scope="module")
def work(folder: Path) -> dict[str, bytes]:
    return {name: nbformat.writes(one).encode() for name, one in good_work(folder).items() if name in NAMES}


@pytest.fixture
def settings(folder: Path, tmp_path: Path) -> Settings:
    address = f"sqlite:///{tmp_path / 'service.db'}"
    return replace(opened(folder), folder=tmp_path, database=address, url="http://course", upload_bytes=500_000)


@pytest.fixture
def app(settings: Settings) -> Iterator[Starlette]:
    with running(settings) as app:
        yield app


def send(who: Browser, files: Mapping[str, bytes] | list[tuple[str, bytes]]) -> httpx.Response:
    listed = list(files.items()) if isinstance(files, Mapping) else files
    return who.client.post(
        f"/a/{NAME}/hand-in",
        data={"form_token": who.form_token()},
        files=[("notebook", one) for one in listed],
        headers={"origin": who.origin},
    )


def zipped(files: Mapping[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def stored(app: Starlette) -> tuple[HandIn, dict[str, bytes]]:
    site = app.state.site
    one = queue.of_student(site.database, "ada")[0]
    return one, unpacked(path_of(site.settings.folder, one.sha256).read_bytes(), NAMES)


def test_files_chosen_at_once_or_in_a_zip_are_one_hand_in(app: Starlette, work: dict[str, bytes]) -> None:
    ada = come_in(app, "ada")
    page = ada.get(f"/a/{NAME}").text
    assert all(f"<b>{name}</b>" in page for name in NAMES)
    assert " multiple " in page
    for files in (work, {"mine.zip": zipped({f"folder/{name}": content for name, content in work.items()})}):
        receipt = send(ada, files)
        assert receipt.status_code == 200, receipt.text
        one, found = stored(app)
        assert found == work
        assert one.file_name == "one.ipynb, two.ipynb"
        assert one.sha256 in receipt.text
        assert is_package(ada.get(f"/h/{one.id}/file").content)
    first, second = queue.of_student(app.state.site.database, "ada")
    assert first.sha256 == second.sha256, "the same work is the same bytes"


def test_notebook_of_another_name_is_known_by_its_cells(app: Starlette, work: dict[str, bytes]) -> None:
    send(come_in(app, "ada"), {"my solution (1).ipynb": work["two.ipynb"], "one (2).ipynb": work["one.ipynb"]})
    assert stored(app)[1] == work


def test_missing_notebook_is_said_on_the_receipt(app: Starlette, work: dict[str, bytes]) -> None:
    receipt = send(come_in(app, "ada"), {"two.ipynb": work["two.ipynb"]})
    assert "two.ipynb; without one.ipynb" in receipt.text
    assert stored(app)[1] == {"two.ipynb": work["two.ipynb"]}


BAD = {
    "too many files": [("one.ipynb", any_notebook()), ("two.ipynb", any_notebook()), ("x.ipynb", any_notebook())],
    "two of one name": [("a/one.ipynb", any_notebook()), ("b/one.ipynb", any_notebook())],
    "a page": [("one.ipynb", any_notebook()), ("two.html", b"<script>")],
    "no notebook inside": [("one.ipynb", b"%PDF-1.4")],
    "others' notebooks": [("x.ipynb", any_notebook())],
    "zip of nothing": [("all.zip", zipped({"readme.txt": b"x"}))],
    "zip that leads out": [("all.zip", zipped({"../../one.ipynb": any_notebook()}))],
    "zip of a bomb": [("all.zip", b"")],
    "no zip": [("all.zip", b"PK\x03\x04 and nothing")],
    "a name too long": [("\N{GRINNING FACE}" * 100 + ".ipynb", any_notebook())],
    "a name that is none": [("../..", any_notebook())],
    "a hidden name": [(".ipynb", any_notebook())],
}


@pytest.mark.parametrize("files", BAD.values(), ids=BAD.keys())
def test_other_things_are_refused_and_nothing_is_kept(app: Starlette, files: list[tuple[str, bytes]]) -> None:
    if files == BAD["zip of a bomb"]:
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("one.ipynb", b"{" + b" " * 50_000_000)
        files = [("all.zip", whole.getvalue())]
    answer = send(come_in(app, "ada"), files)
    assert answer.status_code in (400, 415), answer.text
    assert queue.of_student(app.state.site.database, "ada") == []
    assert not (app.state.site.settings.folder / "content").exists()


def test_path_in_a_name_leads_nowhere(app: Starlette, work: dict[str, bytes], tmp_path: Path) -> None:
    send(come_in(app, "ada"), [("../../../one.ipynb", work["one.ipynb"]), ("C:\\x\\two.ipynb", work["two.ipynb"])])
    assert stored(app)[1] == work
    assert sorted({path.suffix for path in tmp_path.rglob("*") if path.is_file()} & {".ipynb"}) == []


def test_hand_in_that_is_too_large_is_refused_unread(app: Starlette) -> None:
    assert send(come_in(app, "ada"), {"one.ipynb": b"{" * 600_000}).status_code == 413


def test_notebook_that_hands_itself_in_leaves_the_other_as_it_was(app: Starlette, work: dict[str, bytes]) -> None:
    ada, site = come_in(app, "ada"), app.state.site
    send(ada, work)
    other = any_notebook("print('another')")

    def sent(content: bytes, name: str) -> httpx.Response:
        code = access.make_code(site.database, "ada", NAME, time.time())
        headers = {"authorization": f"Code {code}", "x-file-name": name}
        return ada.client.post("/api/hand-in", content=content, headers=headers)

    assert sent(other, "two.ipynb").status_code == 200
    assert stored(app)[1] == {"one.ipynb": work["one.ipynb"], "two.ipynb": other}
    assert sent(any_notebook(), "elsewhere.ipynb").status_code == 415


def test_package_is_placed_under_the_names_of_the_release_alone(tmp_path: Path, settings: Settings) -> None:
    content = packed({"one.ipynb": b"{1}", "../evil.ipynb": b"{2}", "gone.ipynb": b"{3}"})
    path = path_of(settings.folder, "a" * 64)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    one = HandIn("h", "ada", NAME, 1.0, "x", "a" * 64, 1, queue.State.running, 1.0)
    place(settings.folder, tmp_path / "submitted", one, NAMES)
    place(settings.folder, tmp_path / "submitted", one, NAMES)
    placed = tmp_path / "submitted" / "ada" / NAME
    assert sorted(path.name for path in placed.iterdir()) == ["one.ipynb", "timestamp.txt"]


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap")
def test_missing_notebook_costs_its_own_points_only(app: Starlette, folder: Path, settings: Settings) -> None:
    one = nbformat.writes(solved(folder, "one", {"square": "square = lambda x: x * x", "use": "square(12)"})).encode()
    send(come_in(app, "ada"), {"one.ipynb": one})
    database = Database.open(settings.database)
    with Grader(settings, database) as grader:
        assert grader.step()
    (found,) = queue.of_student(database, "ada")
    database.close()
    assert (found.state, found.points, found.max_points) == (queue.State.done, 2, 15), "one answer waits for a person"
    assert "'two.ipynb' was not handed in." in found.flags

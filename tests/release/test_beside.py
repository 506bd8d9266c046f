"""A file beside the masters is released if students need it, else it stays and is told."""

from pathlib import Path

import pytest
from traitlets.config import Config

from grading.release.beside import Beside, sort_files


def sorted_files(
    folder: Path, files: list[str], code: str = "", prose: str = "", config: Config | None = None
) -> Beside:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1\n")
    return sort_files(folder, [(code, True), (prose, False)], config or Config())


@pytest.mark.parametrize(
    ("code", "prose"),
    [
        ('open("data.csv")', ""),
        ("np.loadtxt('./data.csv')", ""),
        ("%load data.csv", ""),
        ("", "![](data.csv)"),
        ("", "Look at `data.csv`."),
        ("", '<img src="data.csv">'),
        ("", "[here](data%2Ecsv)"),
        ('pd.read_csv(folder / "data.csv")', ""),
        ('for path in Path().glob("*.csv"):\n    print(path)', ""),
        ('open(f"{name}.csv")', ""),
    ],
)
def test_file_that_is_named_is_released(tmp_path: Path, code: str, prose: str) -> None:
    assert sorted_files(tmp_path, ["data.csv"], code, prose) == Beside(("data.csv",), ())


@pytest.mark.parametrize(
    ("code", "prose"),
    [
        ("", ""),
        ('open("more-data.csv")', ""),
        ('open("old.data.csv")', ""),
        ('open("data.csv.gz")', ""),
        ('open("../data.csv")', ""),
        ('open("/srv/data.csv")', ""),
        ('open("elsewhere/data.csv")', ""),
        ('glob("*")', ""),
        ("data = 1", "the data"),
    ],
)
def test_file_that_is_not_named_stays_and_is_told(tmp_path: Path, code: str, prose: str) -> None:
    assert sorted_files(tmp_path, ["data.csv"], code, prose) == Beside((), ("data.csv",))


@pytest.mark.parametrize("code", ['Path("pictures") / name', 'open(f"pictures/{name}.png")', 'glob("pictures/*.png")'])
def test_folder_that_is_named_is_released_but_for_what_looks_like_answers(tmp_path: Path, code: str) -> None:
    files = ["pictures/cat.png", "pictures/solution.png", "pictures/hidden_labels.png", "other/dog.png"]
    found = sorted_files(tmp_path, files, code)
    assert found.released == ("pictures/cat.png",)
    assert found.kept == ("other/dog.png", "pictures/hidden_labels.png", "pictures/solution.png")


def test_name_of_two_files_tells_nothing_without_its_folder(tmp_path: Path) -> None:
    files = ["public_set/labels.csv", "test_set/labels.csv"]
    assert sorted_files(tmp_path, files, 'open(folder / "labels.csv")').released == ()
    assert sorted_files(tmp_path, files, 'open("public_set/labels.csv")').released == ("public_set/labels.csv",)


def test_modules_that_are_imported_are_released_with_what_they_need(tmp_path: Path) -> None:
    files = ["tools.py", "more.py", "kit/__init__.py", "kit/a.py", "kit/solutions.py", "unused.py", "rows.csv"]
    (tmp_path / "kit").mkdir()
    sorted_files(tmp_path, files)
    (tmp_path / "tools.py").write_text("import more\nROWS = open('rows.csv')\n")
    (tmp_path / "kit" / "__init__.py").write_text("from . import a\n")
    code = "%matplotlib inline\nimport tools as t\nfrom kit import something\n!ls"
    found = sort_files(tmp_path, [(code, True)], Config())
    assert found.released == ("kit/__init__.py", "kit/a.py", "more.py", "rows.csv", "tools.py")
    assert found.kept == ("kit/solutions.py", "unused.py")


def test_word_without_a_dot_counts_in_quotes_only(tmp_path: Path) -> None:
    assert sorted_files(tmp_path, ["words"], "words = 1", "The words.").released == ()
    assert sorted_files(tmp_path, ["words"], 'open("words")').released == ("words",)


def test_instructors_files_are_never_released_nor_told(tmp_path: Path) -> None:
    files = [
        "scoring.py", "thresholds.json", "limits.json", "autotests.yml", "planted/a/expected.json",
        "private_images.py", "private/labels.csv", "more.ipynb", "sub/more.ipynb", ".hidden", ".git/config",
        "kit/private/x.csv",
    ]  # fmt: skip
    (tmp_path / "hw.ipynb").touch()
    for name in ("hw.py", "old.py"):
        (tmp_path / name).write_text('# %% id="a"\nx = 1\n')
    names = " ".join([*files, "hw.py", "old.py"])
    everything = Config({"Course": {"released_files": ["*"]}, "CourseDirectory": {"ignore": ["private"]}})
    assert sorted_files(tmp_path, files, "import scoring, hw, old", names, everything) == Beside((), ())


def test_script_of_a_notebooks_name_is_a_twin_only_if_it_has_cells(tmp_path: Path) -> None:
    (tmp_path / "plots.ipynb").touch()
    assert sorted_files(tmp_path, ["plots.py"], "import plots").released == ("plots.py",)
    (tmp_path / "plots.py").write_text("# %%\nx = 1\n")
    assert sort_files(tmp_path, [("import plots", True)], Config()) == Beside((), ())


def test_public_folder_is_released_whole(tmp_path: Path) -> None:
    files = ["public/a.csv", "public/deep/solution.png", "public/scoring.py"]
    assert sorted_files(tmp_path, files).released == tuple(files)


def test_configuration_says_what_else_is_for_students(tmp_path: Path) -> None:
    config = Config({"Course": {"released_files": ["data/*.csv"]}})
    found = sorted_files(tmp_path, ["data/a.csv", "data/b.txt"], config=config)
    assert found == Beside(("data/a.csv",), ("data/b.txt",))


def test_nbgraders_ignore_and_include_count(tmp_path: Path) -> None:
    config = Config({"CourseDirectory": {"ignore": ["drafts", "*.tmp"], "include": ["*.csv", "*.ipynb", "*.tmp"]}})
    files = ["a.csv", "a.txt", "a.tmp", "drafts/b.csv"]
    assert sorted_files(tmp_path, files, str(files), config=config) == Beside(("a.csv",), ())

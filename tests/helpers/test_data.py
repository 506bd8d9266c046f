"""The right annotations are read, split and found, and the data is fetched only when needed."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest

from helpers import data
from helpers.data import (
    CLASSES,
    Annotation,
    annotation_files,
    check_representations,
    data_set_name,
    extract_xml_annotation,
    fetch_representations,
    fetch_voc2007,
    idx2labels,
    image_path,
    labels2idx,
    load_all_annotations,
    load_annotations,
    missing_photos,
    shorten,
    split,
    year_folder,
)
from helpers.download import DownloadError

REPOSITORY = Path(__file__).parents[2]
VOC = Path(__file__).parents[3] / "shared" / "data" / "VOCdevkit"

needs_voc = pytest.mark.skipif(not VOC.is_dir(), reason=f"no photographs at {VOC}")

NOWHERE = "http://127.0.0.1:9/file"  # the discard port: refused at once


@pytest.fixture(autouse=True)
def no_course_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSE_DATA", raising=False)


def xml_object(name: str, box: tuple[object, ...] = (1, 2, 30, 40), difficult: str | None = "0") -> str:
    sides = "".join(
        f"<{side}>{value}</{side}>" for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    mark = "" if difficult is None else f"<difficult>{difficult}</difficult>"
    return f"<object><name>{name}</name>{mark}<bndbox>{sides}</bndbox></object>"


def xml(filename: str, *objects: str, size: tuple[object, object] = (500, 333)) -> str:
    return (
        f"<annotation><filename>{filename}</filename>"
        f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>"
        f"{''.join(objects)}</annotation>"
    )


def make_data_set(year: Path, images: dict[str, list[str]], photos: bool = True) -> Path:
    """A year folder with one XML file (and an empty photograph) for each image."""
    (year / "Annotations").mkdir(parents=True)
    (year / "JPEGImages").mkdir()
    for stem, objects in images.items():
        (year / "Annotations" / f"{stem}.xml").write_text(xml(f"{stem}.jpg", *objects))
        if photos:
            (year / "JPEGImages" / f"{stem}.jpg").touch()
    return year


def make_representations(path: Path, shape: tuple[int, ...] = (3, 7, 7, 2048), name: str = "reprs") -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, shape, dtype="float16", compression="gzip")
    return path


class TestExtractXmlAnnotation:
    def test_result_is_the_labs(self, tmp_path: Path) -> None:
        path = tmp_path / "000007.xml"
        path.write_text(xml("000007.jpg", xml_object("car", (141, 50, 500, 330)), xml_object("person", difficult="1")))
        assert extract_xml_annotation(path) == {
            "size": (500, 333),
            "filename": "000007.jpg",
            "objects": [{"car": [141, 50, 500, 330]}, {"person": [1, 2, 30, 40]}],
        }
        assert extract_xml_annotation(str(path)) == extract_xml_annotation(path)

    def test_decimals_are_rounded_not_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xml"
        path.write_text(xml("a.jpg", xml_object("car", ("141.0", "49.6", "499.7", "330.2")), size=("500.0", 333)))
        parsed = extract_xml_annotation(path)
        assert parsed["objects"] == [{"car": [141, 50, 500, 330]}]
        assert all(type(value) is int for value in [*parsed["size"], *parsed["objects"][0]["car"]])

    def test_parts_of_an_object_are_not_mistaken_for_it(self, tmp_path: Path) -> None:
        # VOC marks heads, hands and feet of people inside the object.
        part = "<part><name>head</name><bndbox><xmin>5</xmin></bndbox><object/></part></object>"
        path = tmp_path / "a.xml"
        path.write_text(xml("a.jpg", xml_object("person").replace("</object>", part)))
        assert extract_xml_annotation(path)["objects"] == [{"person": [1, 2, 30, 40]}]

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "not readable as XML"),
            ("<annotation><size>", "not readable as XML"),
            ("<annotation/>", "<size/width> is missing"),
            (xml("", xml_object("car")), "<filename> is missing or empty"),
            (xml("a.jpg", xml_object("car"), size=("wide", 333)), "<size/width> is not a number: 'wide'"),
            (xml("a.jpg", xml_object("car"), size=(500, 0)), "not positive"),
            (xml("a.jpg", xml_object("car", ("left", 2, 3, 4))), "<bndbox/xmin> is not a number: 'left'"),
            (xml("a.jpg", xml_object("car", ("nan", 2, 3, 4))), "<bndbox/xmin> is not a number: 'nan'"),
            (xml("a.jpg", xml_object("car", ("inf", 2, 3, 4))), "<bndbox/xmin> is not a number: 'inf'"),
            (xml("a.jpg", xml_object("car").replace("<ymax>40</ymax>", "")), "<bndbox/ymax> is missing"),
            (
                xml("a.jpg", xml_object("").replace("<name></name>", "")),
                "<name> is missing or empty in <object>",
            ),
            (xml("a.jpg", xml_object("car", (30, 2, 1, 40))), "ends before it begins"),
            (xml("a.jpg", xml_object("car", (1, 40, 30, 2))), "ends before it begins"),
        ],
    )
    def test_error_names_the_file_and_what_is_wrong(self, tmp_path: Path, text: str, complaint: str) -> None:
        path = tmp_path / "broken.xml"
        path.write_text(text)
        with pytest.raises(ValueError, match=r"broken\.xml: ") as caught:
            extract_xml_annotation(path)
        assert complaint in str(caught.value)

    def test_missing_file_is_called_missing(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="nothing"):
            extract_xml_annotation(tmp_path / "nothing.xml")

    def test_external_entities_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("secret")
        entity = f'<!DOCTYPE annotation [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'
        path = tmp_path / "a.xml"
        path.write_text(entity + xml("&x;", xml_object("car")))
        with pytest.raises(ValueError, match="not readable as XML"):
            extract_xml_annotation(path)


class TestLoadAllAnnotations:
    def test_every_object_of_the_five_classes_is_there(self, tmp_path: Path) -> None:
        objects = [
            xml_object("car", (1, 2, 3, 4)),
            xml_object("person"),
            xml_object("dog", (5, 6, 7, 8), difficult="1"),
        ]
        make_data_set(tmp_path / "VOC2007", {"b": objects, "a": [xml_object("cat")], "c": [xml_object("person")]})
        one, two = load_all_annotations(tmp_path)
        assert one == {"size": (500, 333), "filename": "a.jpg", "objects": [{"class": "cat", "bbox": [1, 2, 30, 40]}]}
        assert [(item["class"], item["bbox"]) for item in two["objects"]] == [
            ("car", [1, 2, 3, 4]),
            ("dog", [5, 6, 7, 8]),
        ]
        (_, without) = load_all_annotations(tmp_path, difficult="ignore")
        assert [item["class"] for item in without["objects"]] == ["car"]

    def test_images_without_a_photograph_are_left_out(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        year = make_data_set(tmp_path / "VOC2007", {"a": [xml_object("cat")], "b": [xml_object("dog")] * 2})
        (year / "JPEGImages" / "b.jpg").unlink()
        assert [image["filename"] for image in load_all_annotations(tmp_path)] == ["a.jpg"]
        assert "1 of 2 photographs are missing" in caplog.text
        assert len(load_all_annotations(tmp_path, require_photos=False)) == 2

    @needs_voc
    def test_real_photographs_hold_one_to_fifteen_objects(self) -> None:
        counts = Counter(len(image["objects"]) for image in load_all_annotations(VOC, require_photos=False))
        assert counts[1] == 1264
        assert (sum(counts.values()), max(counts)) == (1857, 15)


class TestLoadAnnotations:
    def test_only_images_with_one_object_of_the_classes_are_kept(self, tmp_path: Path) -> None:
        make_data_set(
            tmp_path / "VOC2007",
            {
                "000003": [xml_object("cat"), xml_object("person"), xml_object("sofa")],
                "000001": [xml_object("dog", (5, 6, 7, 8))],
                "000002": [xml_object("dog"), xml_object("dog")],
                "000004": [xml_object("dog"), xml_object("cat")],
                "000005": [xml_object("person")],
                "000006": [],
            },
        )
        assert load_annotations(tmp_path) == [
            {"size": (500, 333), "filename": "000001.jpg", "class": "dog", "bbox": [5, 6, 7, 8]},
            {"size": (500, 333), "filename": "000003.jpg", "class": "cat", "bbox": [1, 2, 30, 40]},
        ]

    def test_difficult_objects_count_unless_ignored(self, tmp_path: Path) -> None:
        make_data_set(
            tmp_path / "VOC2007",
            {
                "1": [xml_object("dog", difficult="1")],
                "2": [xml_object("dog"), xml_object("cat", difficult="1")],
                "3": [xml_object("bus", difficult=None)],  # some tools never write it
            },
        )
        assert [item["filename"] for item in load_annotations(tmp_path)] == ["1.jpg", "3.jpg"]
        assert [item["filename"] for item in load_annotations(tmp_path, "ignore")] == ["2.jpg", "3.jpg"]
        with pytest.raises(ValueError, match="'drop'"):
            load_annotations(tmp_path, "drop")

    def test_missing_photographs_are_named_and_left_out(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        year = make_data_set(tmp_path / "VOC2007", {f"{i:02}": [xml_object("dog")] for i in range(20)})
        for i in range(2, 18):
            (year / "JPEGImages" / f"{i:02}.jpg").unlink()
        found = load_annotations(tmp_path)
        assert [item["filename"] for item in found] == ["00.jpg", "01.jpg", "18.jpg", "19.jpg"]
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "16 of 20 photographs are missing" in caplog.text
        assert "02.jpg, 03.jpg" in caplog.text
        assert "11.jpg and 6 more" in caplog.text

        caplog.clear()
        everything = load_annotations(tmp_path, require_photos=False)
        assert len(everything) == 20
        assert caplog.text == ""
        assert len(missing_photos(tmp_path, everything)) == 16

    def test_missing_folder_of_photographs_is_an_error(self, tmp_path: Path) -> None:
        year = make_data_set(tmp_path / "VOC2007", {"1": [xml_object("dog")]}, photos=False)
        (year / "JPEGImages").rmdir()
        with pytest.raises(FileNotFoundError, match="JPEGImages"):
            load_annotations(tmp_path)
        assert len(load_annotations(tmp_path, require_photos=False)) == 1

    def test_files_that_are_no_annotations_are_skipped(self, tmp_path: Path) -> None:
        year = make_data_set(tmp_path / "VOC2007", {"1": [xml_object("dog")]})
        (year / "Annotations" / "._1.xml").write_bytes(b"\x00\x05\x16\x07")  # macOS
        (year / "Annotations" / ".ipynb_checkpoints").mkdir()
        assert len(load_annotations(tmp_path)) == 1
        assert len(annotation_files(tmp_path)) == 1

    def test_empty_folder_is_an_error(self, tmp_path: Path) -> None:
        make_data_set(tmp_path / "VOC2007", {})
        with pytest.raises(FileNotFoundError, match=r"holds no \.xml files"):
            load_annotations(tmp_path)


class TestYearFolder:
    def test_folder_is_found_from_the_root_and_from_itself(self, tmp_path: Path) -> None:
        year = make_data_set(tmp_path / "VOC2007", {"1": [xml_object("dog")]})
        assert year_folder(tmp_path) == year_folder(year) == year
        assert year_folder(str(tmp_path)) == year

    def test_voc2007_is_preferred_among_several(self, tmp_path: Path) -> None:
        make_data_set(tmp_path / "VOC2012", {})
        assert year_folder(tmp_path).name == "VOC2012"
        make_data_set(tmp_path / "VOC2007", {})
        assert year_folder(tmp_path).name == "VOC2007"

    def test_choice_is_left_to_the_user_otherwise(self, tmp_path: Path) -> None:
        make_data_set(tmp_path / "VOC2008", {})
        make_data_set(tmp_path / "VOC2012", {})
        with pytest.raises(ValueError, match="VOC2008, VOC2012"):
            year_folder(tmp_path)

    def test_error_says_which_year_folder_was_looked_for(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="fetch_voc2007") as caught:
            year_folder(tmp_path)
        assert str(tmp_path / "*" / "Annotations") in str(caught.value)
        make_data_set(tmp_path / "VOCdevkit" / "VOC2007", {})
        with pytest.raises(FileNotFoundError, match=r"Did you mean .*VOCdevkit\?"):
            year_folder(tmp_path)

    @pytest.mark.parametrize(("year", "name"), [("VOC2007", "voc2007"), ("sample", "sample")])
    def test_name_comes_from_the_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, year: str, name: str
    ) -> None:
        make_data_set(tmp_path / year, {})
        assert data_set_name(tmp_path) == data_set_name(tmp_path / year) == name
        monkeypatch.chdir(tmp_path / year)
        assert data_set_name(".") == name
        assert data_set_name("..") == name

    def test_file_name_keeps_its_one_ending(self, tmp_path: Path) -> None:
        """Field note 3: `filename` already ends in .jpg, and the size is under `size`."""
        make_data_set(tmp_path / "VOC2007", {"000007": [xml_object("car")]})
        (annotation,) = load_annotations(tmp_path)
        assert image_path(tmp_path, annotation) == tmp_path / "VOC2007" / "JPEGImages" / "000007.jpg"
        assert image_path(tmp_path, annotation).exists()
        assert set(annotation) == {"size", "filename", "class", "bbox"} == set(Annotation.__annotations__)


class TestSplit:
    @pytest.mark.parametrize(
        ("n", "border"), [(1264, 1138), (1262, 1136), (10, 9), (19, 18), (20, 18), (np.int64(100), 90)]
    )
    def test_last_tenth_is_the_test_set(self, n: int, border: int) -> None:
        train, test = split(n)
        assert (train, test) == (slice(0, border), slice(border, n))

    def test_every_example_falls_on_one_side(self) -> None:
        """Field note 10: nothing in the test set may have been trained on."""
        for examples in (list(range(57)), np.arange(57), tuple(range(57))):
            train, test = split(examples)
            assert [*examples[train], *examples[test]] == list(range(57))
            assert len(examples[test]) == 5

    @pytest.mark.parametrize("few", [0, 9, [1, 2, 3], -20])
    def test_too_few_examples_are_refused(self, few: int | list[int]) -> None:
        with pytest.raises(ValueError, match="at least 10"):
            split(few)


class TestFetchVoc2007:
    @pytest.fixture
    def archive(self, tmp_path: Path) -> Path:
        folder = tmp_path / "elsewhere"
        make_data_set(folder / "VOCdevkit" / "VOC2007", {"1": [xml_object("dog")]})
        path = folder / "VOCtrainval_06-Nov-2007.tar"
        with tarfile.open(path, "w") as tar:
            tar.add(folder / "VOCdevkit", "VOCdevkit")
        return path

    def test_archive_that_is_there_is_checked_and_unpacked(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work = archive.parent.parent / "work"
        work.mkdir()
        monkeypatch.chdir(work)
        archive.rename(work / archive.name)
        sha256 = hashlib.sha256((work / archive.name).read_bytes()).hexdigest()
        root = fetch_voc2007(urls=[NOWHERE], sha256=sha256)  # the current folder, as in the lab
        assert root == work / "VOCdevkit"
        assert len(load_annotations(root)) == 1

    def test_data_that_is_there_is_left_alone(self, archive: Path) -> None:
        archive.unlink()
        assert fetch_voc2007(archive.parent, urls=[NOWHERE]) == archive.parent / "VOCdevkit"

    @pytest.mark.parametrize("emptied", ["Annotations", "JPEGImages"])
    def test_half_of_the_data_is_not_taken_for_all(self, archive: Path, emptied: str) -> None:
        folder = archive.parent / "VOCdevkit" / "VOC2007" / emptied
        for path in folder.iterdir():
            path.unlink()
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        fetch_voc2007(archive.parent, urls=[NOWHERE], sha256=sha256)
        assert any(folder.iterdir())

    def test_wrong_archive_is_not_unpacked(self, archive: Path, tmp_path: Path) -> None:
        work = tmp_path / "work"
        work.mkdir()
        archive.rename(work / archive.name)
        with pytest.raises(DownloadError, match="VOCtrainval"):
            fetch_voc2007(work, urls=[NOWHERE])
        assert not (work / "VOCdevkit").exists()

    def test_archive_without_voc2007_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes").touch()
        with tarfile.open(tmp_path / "VOCtrainval_06-Nov-2007.tar", "w") as tar:
            tar.add(tmp_path / "notes", "notes")
        with pytest.raises(ValueError, match="holds no VOCdevkit/VOC2007"):
            fetch_voc2007(tmp_path, urls=[NOWHERE], sha256=None)

    def test_official_archive_is_asked_for_in_several_places(self) -> None:
        assert len(data.VOC_URLS) >= 3
        assert len({url.split("/")[2] for url in data.VOC_URLS}) == len(data.VOC_URLS)
        assert all(url.endswith("/VOCtrainval_06-Nov-2007.tar") for url in data.VOC_URLS)
        assert len(bytes.fromhex(data.VOC_SHA256)) == 32


class TestFetchRepresentations:
    def test_good_file_is_left_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        path = make_representations(tmp_path / "voc_representations.h5")
        assert fetch_representations(urls=[NOWHERE]) == path
        assert check_representations(path) == (3, 7, 7, 2048)

    def test_damaged_file_is_fetched_again_and_kept_until_then(self, tmp_path: Path) -> None:
        path = make_representations(tmp_path / "voc_representations.h5")
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(DownloadError, match="voc_representations"):
            fetch_representations(tmp_path, urls=[NOWHERE])
        assert path.exists()

    @pytest.mark.parametrize(
        ("make", "complaint"),
        [
            (lambda path: path.write_text("<html>"), "not a complete HDF5 file"),
            (lambda path: make_representations(path, name="features"), "no data set called 'reprs'"),
            (lambda path: make_representations(path, (3, 2048)), r"shape \(3, 2048\)"),
            (lambda path: make_representations(path, (3, 7, 7, 512)), r"shape \(3, 7, 7, 512\)"),
            (lambda path: h5py.File(path, "w").create_group("reprs").file.close(), "no data set called"),
        ],
    )
    def test_file_without_representations_is_refused(self, tmp_path: Path, make: object, complaint: str) -> None:
        path = tmp_path / "file.h5"
        make(path)  # type: ignore[operator]
        with pytest.raises(ValueError, match=complaint) as caught:
            check_representations(path)
        assert "file.h5" in str(caught.value)


class TestCourseData:
    def test_nothing_is_downloaded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COURSE_DATA", str(tmp_path))
        make_data_set(tmp_path / "VOCdevkit" / "VOC2007", {"1": [xml_object("dog")]})
        make_data_set(tmp_path / "another" / "sample", {"1": [xml_object("dog")]})
        published = make_representations(tmp_path / "voc_representations.h5")
        assert fetch_voc2007(tmp_path / "unused", urls=[NOWHERE]) == tmp_path / "VOCdevkit"
        assert fetch_representations(tmp_path / "unused", urls=[NOWHERE]) == published
        own = make_representations(tmp_path / "representations.h5")
        assert fetch_representations(urls=[NOWHERE]) == own

    def test_only_data_root_is_taken_whatever_its_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COURSE_DATA", str(tmp_path))
        (tmp_path / "notes").mkdir()
        make_data_set(tmp_path / "rendered" / "sample", {"1": [xml_object("dog")]})
        assert fetch_voc2007(urls=[NOWHERE]) == tmp_path / "rendered"
        make_data_set(tmp_path / "second" / "sample", {"1": [xml_object("dog")]})
        with pytest.raises(FileNotFoundError, match="rendered, second"):
            fetch_voc2007(urls=[NOWHERE])

    def test_error_says_which_course_data_was_looked_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COURSE_DATA", str(tmp_path))
        with pytest.raises(FileNotFoundError, match="COURSE_DATA") as caught:
            fetch_voc2007(urls=[NOWHERE])
        assert str(tmp_path / "VOCdevkit" / "*" / "Annotations") in str(caught.value)
        with pytest.raises(FileNotFoundError, match="COURSE_DATA") as caught:
            fetch_representations(urls=[NOWHERE])
        assert str(tmp_path / "representations.h5") in str(caught.value)
        assert str(tmp_path / "voc_representations.h5") in str(caught.value)

    def test_damaged_file_is_refused_not_replaced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COURSE_DATA", str(tmp_path))
        (tmp_path / "representations.h5").write_text("<html>")
        with pytest.raises(ValueError, match="not a complete HDF5 file"):
            fetch_representations(urls=[NOWHERE])

    def test_empty_variable_counts_as_unset(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COURSE_DATA", "")
        make_representations(tmp_path / "voc_representations.h5")
        assert fetch_representations(tmp_path, urls=[NOWHERE]).exists()


def test_labels_and_indices_agree() -> None:
    assert CLASSES == ("dog", "cat", "bus", "car", "aeroplane")
    assert idx2labels == {0: "dog", 1: "cat", 2: "bus", 3: "car", 4: "aeroplane"}
    assert {label: labels2idx[label] for label in CLASSES} == {v: k for k, v in idx2labels.items()}


def test_short_lists_are_shown_whole() -> None:
    assert shorten(["a", "b"], limit=2) == "a, b"
    assert shorten(["a", "b", "c"], limit=2) == "a, b and 1 more"


@pytest.mark.parametrize("module", ["data", "download", "environment"])
def test_importing_a_module_is_light(module: str) -> None:
    """Colab and every graded kernel pay for an import; nbgrader and IPython internals may be absent."""
    code = (
        f"import sys, helpers.{module}\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'skimage', 'nbgrader', 'IPython', 'grading'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def everything() -> list[Annotation]:
    return load_annotations(VOC, require_photos=False)


@pytest.mark.voc
@needs_voc
class TestRealPhotographs:
    def test_annotations_are_those_of_the_lab(self, everything: list[Annotation]) -> None:
        assert len(everything) == 1264
        assert everything[:2] == [
            {"size": (500, 333), "filename": "000007.jpg", "class": "car", "bbox": [141, 50, 500, 330]},
            {
                "size": everything[1]["size"],
                "filename": "000012.jpg",
                "class": "car",
                "bbox": [156, 97, 351, 270],
            },
        ]
        counts = Counter(item["class"] for item in everything)
        assert counts == {"dog": 336, "cat": 292, "bus": 80, "car": 367, "aeroplane": 189}
        names = [item["filename"] for item in everything]
        assert names == sorted(names)

    def test_two_missing_photographs_are_reported(self, caplog: pytest.LogCaptureFixture) -> None:
        found = load_annotations(VOC)
        missing = missing_photos(VOC, load_annotations(VOC, require_photos=False))
        assert len(found) == 1264 - len(missing)
        if missing:  # the complete official set has none
            assert missing == ["007284.jpg", "009623.jpg"]
            assert "007284.jpg, 009623.jpg" in caplog.text
        assert all(image_path(VOC, item).is_file() for item in found)

    def test_ignoring_difficult_objects_finds_further_images(self, everything: list[Annotation]) -> None:
        names = {item["filename"] for item in everything}
        further = [
            item for item in load_annotations(VOC, "ignore", require_photos=False) if item["filename"] not in names
        ]
        counts = Counter(item["class"] for item in further)
        assert counts == {"car": 50, "bus": 27, "aeroplane": 12, "dog": 12, "cat": 7}

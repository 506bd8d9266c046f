"""Do hosts get what their documentation asks for?"""

import base64
import json

import pytest

from grading.hosts.results import Host, result_for
from grading.records.record import FAILED, GRADED, REFUSED, Event, QuestionRecord, Record

GRADE = Record(
    "student",
    "boxes",
    GRADED,
    questions={
        "area": QuestionRecord(2, 2, "The test passed."),
        "iou": QuestionRecord(1.5, 3, "<b>half</b>"),
        "why": QuestionRecord(0, 5, "A person grades this answer.", waits=True),
    },
    repairs=("Renamed.",),
    events=(Event("cell 'area'", "took long"),),
    execution={"seconds": [1.6]},
)
REFUSAL = Record("student", "boxes", REFUSED, why="It is not a notebook.", questions={"area": QuestionRecord(0, 2, "")})


def test_gradescope_gets_a_score_and_a_test_for_each_question() -> None:
    result = json.loads(result_for(Host.gradescope, GRADE))
    assert result["score"] == 3.5
    assert result["execution_time"] == 2
    assert [(test["name"], test["score"], test["max_score"]) for test in result["tests"]] == [
        ("area", 2, 2), ("iou", 1.5, 3), ("why", 0, 5),
    ]  # fmt: skip
    assert {test["visibility"] for test in result["tests"]} == {"visible"}
    assert result["output"] == "Renamed.\ncell 'area': took long"


def test_words_that_a_student_may_have_written_are_text_for_gradescope() -> None:
    result = json.loads(result_for(Host.gradescope, GRADE))
    assert {result["output_format"], *(test["output_format"] for test in result["tests"])} == {"text"}


def test_prairielearn_gets_a_share_of_the_points() -> None:
    result = json.loads(result_for(Host.prairielearn, GRADE))
    assert result["gradable"] is True
    assert result["score"] == pytest.approx(0.35)
    assert result["tests"][1] == {"name": "iou", "points": 1.5, "max_points": 3, "message": "<b>half</b>"}


def test_extra_credit_is_no_more_than_all_for_prairielearn() -> None:
    record = Record("s", "a", GRADED, questions={"a": QuestionRecord(3, 2, "")})
    assert json.loads(result_for(Host.prairielearn, record))["score"] == 1


def test_prairielearn_gives_an_attempt_back_that_could_not_be_graded() -> None:
    assert json.loads(result_for(Host.prairielearn, REFUSAL)) == {
        "gradable": False,
        "format_errors": ["It is not a notebook."],
    }


@pytest.mark.parametrize(("status", "said"), [(GRADED, "fail"), (FAILED, "error")])
def test_github_classroom_gets_base64_of_tests_with_scores(status: str, said: str) -> None:
    record = Record("student", "boxes", status, questions=GRADE.questions)
    result = json.loads(base64.b64decode(result_for(Host.github, record)))
    assert (result["version"], result["status"], result["max_score"]) == (1, said, 10)
    assert [test["status"] for test in result["tests"]] == ["pass", "fail", "fail"]
    assert result["tests"][2]["message"].endswith("It waits for that.")

"""A tiny class, graded, with everything that a page may have to show: pictures, repairs, scripts, a refusal."""

from pathlib import Path

import nbformat
from classes import HALF, RIGHT, hand_in, quick, tiny_course
from notebooks import ASSIGNMENT
from PIL import Image

from grading.authoring.classroom import Classroom, fill_in
from grading.pipeline.run import GradingRun, open_course

EXPLAINING = """

from grading.scoring.explanation import DrawnBox, Explanation, Gallery, Measure, Picture, Table


def measures(answers, scores, context):
    return [Measure("Share right", scores["test_area"].facts["share"], 0.9, 0.25)]


def explain(answers, context):
    boxes = [DrawnBox((10, 20, 60, 80), "cat", True), DrawnBox((-50, 30, 500, 90), "dog", False)]
    picture = Picture(context.source / "photo.png", (100, 100), boxes, "IoU 0.25: a cat, predicted as dog")
    table = Table("By class", ("Class", "IoU"), [("cat", 0.25)])
    return Explanation([Gallery("Best by IoU", [picture])], [table], ["Look at <degenerate> boxes."])


def flags(scores):
    return ["all of it is right: look"] if scores["test_area"].facts["share"] == 1.0 else []
"""
SCRIPT = "<script>window.attacked = true; alert(1)</script>"
HTML_ATTACK = f"{SCRIPT} <img src=x onerror='window.attacked = true'> [link](javascript:alert(3))"
HOSTILE = f"""def area(box):
    # </code></pre>{SCRIPT}
    raise ValueError("</pre>{SCRIPT}<img src=x onerror='alert(2)'>")


from IPython.display import HTML, display

display(HTML("{SCRIPT}"))
print("{SCRIPT}")
raise ValueError("{SCRIPT}")"""
MISSPELT = """def area(box):
    width = max(box[2] - box[0], 0)
    height = max(box[3] - box[1], 0)
    return widht * height"""
STUDENTS = ("ann", "bo", "cy <i>'O\"Neill", "dan, 100%#?", "eve", "fay", "gil")


def graded_class(folder: Path) -> GradingRun:
    """Ann is right, Bo half right, Cy too; Dan handed in no notebook; Eve attacks; Fay's notebook was damaged.

    Gil misspelt a name.
    """
    tiny_course(folder / "repository")
    source = folder / "repository" / "source" / ASSIGNMENT
    (source / "scoring.py").write_text((source / "scoring.py").read_text() + EXPLAINING)
    Image.new("RGB", (100, 100), (200, 180, 40)).save(source / "photo.png")
    classroom = Classroom.create(folder / "repository", folder / "class", ASSIGNMENT)
    for student, code in zip(STUDENTS, (RIGHT, HALF, HALF, RIGHT, HOSTILE, RIGHT, MISSPELT), strict=True):
        path = hand_in(classroom, student, code)
        if code == HOSTILE:
            notebook = nbformat.read(path, as_version=4)
            notebook.cells.append(nbformat.v4.new_markdown_cell(f"A cell of my own. {HTML_ATTACK}"))
            nbformat.write(notebook, path)
    (classroom.folder / "submitted" / STUDENTS[3] / ASSIGNMENT / classroom.notebook_name).write_text("no notebook")
    damaged = fill_in(classroom.released(), {"area": RIGHT})
    damaged.cells = [cell for cell in damaged.cells if cell.id != "imports"]
    nbformat.write(damaged, classroom.folder / "submitted" / "fay" / ASSIGNMENT / classroom.notebook_name)
    classroom.grade(quick())
    return open_course(classroom.folder, ASSIGNMENT, quick())

"""A tiny course that is served: its settings, its database, hand-ins."""

import json
from pathlib import Path

import nbformat
from classes import RIGHT, tiny_classroom
from notebooks import ASSIGNMENT

from grading.authoring.classroom import Classroom, fill_in
from grading.service import queue
from grading.service.content import store
from grading.service.database import Database
from grading.service.queue import Arrival, HandIn
from grading.service.settings import Settings, read_settings

ROSTER = "id,name,email\nada,Ada Lovelace,ada@example.org\nbo,Bo Diddley,bo@example.org\ncy,Cy Twombly,\n"


def served_course(folder: Path) -> Classroom:
    """The tiny course, released, with a class of three."""
    classroom = tiny_classroom(folder)
    (classroom.folder / "roster.csv").write_text(ROSTER)
    (classroom.folder / "submitted").mkdir(exist_ok=True)
    return classroom


def opened(classroom: Classroom) -> tuple[Settings, Database]:
    settings = read_settings(classroom.folder)
    return settings, Database.open(settings.database)


def notebook_of(classroom: Classroom, source: str = RIGHT) -> bytes:
    return nbformat.writes(fill_in(classroom.released(), {"area": source})).encode()


def received(settings: Settings, database: Database, student: str, content: bytes, now: float) -> HandIn:
    digest = store(settings.folder, content)
    with database.writing() as connection:
        return queue.receive(connection, Arrival(student, ASSIGNMENT, "mine.ipynb", digest, len(content)), now)


def any_notebook(text: str = "x = 1") -> bytes:
    cell = {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()

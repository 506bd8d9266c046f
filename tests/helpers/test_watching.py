"""Training can be watched, and nothing of the watching costs a training."""

from typing import Any

import pytest

from helpers import watching
from helpers.plots import text_of_history

LOGS = {"loss": 1.5, "val_loss": 1.75, "head_classes_accuracy": 0.5, "val_head_classes_accuracy": 0.4}


def trained(watch: Any, epochs: int = 3) -> None:
    watch.set_params({"epochs": epochs})
    watch.on_train_begin()
    for epoch in range(epochs):
        watch.on_epoch_end(epoch, LOGS)
    watch.on_train_end()


def test_each_epoch_is_one_short_line(capsys: pytest.CaptureFixture[str]) -> None:
    (watch,) = watching.watch()
    trained(watch)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("epoch  3/3")
    assert lines[2].endswith("loss 1.50 (1.75)  class acc 0.50 (0.40)")
    assert max(map(len, lines)) < 80


def test_losses_of_the_heads_are_left_to_the_plot() -> None:
    assert "head" not in watching.line_of(1, 2, {"loss": 2.0, "head_boxes_loss": 9.0}, 0)


def test_curves_are_drawn_in_one_place_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[Any] = []

    def shown(figure: Any, alt: str, place: Any) -> str:
        places.append(place)
        return "here"

    monkeypatch.setattr(watching, "in_a_notebook", lambda: True)
    monkeypatch.setattr(watching, "draw_history", lambda curves: None)
    monkeypatch.setattr(watching, "show_figure", shown)
    monkeypatch.setattr(watching, "_AT_LEAST", -1.0)
    monkeypatch.setattr(watching, "_SHARE", 0)
    (watch,) = watching.watch()
    trained(watch)
    assert places == [None, "here", "here", "here"]


def test_picture_that_fails_does_not_stop_the_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(curves: Any) -> Any:
        raise RuntimeError("no display")

    monkeypatch.setattr(watching, "in_a_notebook", lambda: True)
    monkeypatch.setattr(watching, "draw_history", broken)
    (watch,) = watching.watch()
    trained(watch)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_curves_are_said_in_words() -> None:
    said = text_of_history({"loss": [3.0, 2.0], "val_head_boxes_box_iou": [0.1, 0.25]})
    assert said == "Curves over 2 epochs: loss 3.00 to 2.00, boxes: iou (validation) 0.10 to 0.25"

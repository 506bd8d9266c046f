"""Help is sorted by who needs it, and shows how a command is called."""

import typer.main

from grading.cli import app
from grading.cli.people import EXAMPLES, PEOPLE

COMMANDS = typer.main.get_group(app).commands


def test_each_command_is_for_somebody_and_has_an_example() -> None:
    for name, command in COMMANDS.items():
        assert getattr(command, "rich_help_panel", None) in PEOPLE, name
        assert (command.epilog or "").startswith(f"Example: course {name}"), name


def test_each_person_has_commands_and_an_example_to_begin_with() -> None:
    assert {getattr(command, "rich_help_panel", None) for command in COMMANDS.values()} == set(PEOPLE)
    assert list(EXAMPLES) == list(PEOPLE)
    assert all(example.split()[1] in COMMANDS for example in EXAMPLES.values())


def test_examples_use_options_that_there_are() -> None:
    for name, command in COMMANDS.items():
        options = {option for parameter in command.params for option in parameter.opts}
        words = (command.epilog or "").split()[2:]
        assert {word for word in words if word.startswith("--")} <= options, name

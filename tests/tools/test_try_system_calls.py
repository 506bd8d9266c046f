"""The list of refused system calls, tried one by one from inside."""

from pathlib import Path

from needed import missing
from scripts import load_script

from grading.sandbox.system_calls import ABSENT, NAMESPACES, REFUSED, system_call_filter

ROOT = Path(__file__).parents[2]


def test_every_call_on_the_list_is_refused_cold_and_warm_and_what_is_needed_is_not(bubblewrap: None) -> None:
    if not system_call_filter().program:
        missing(system_call_filter().state)
    lines = load_script(ROOT / "tools" / "try_system_calls.py").table().splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert len(rows) > len(REFUSED) + len(ABSENT) + len(NAMESPACES)
    for call, cold, warm, _ in rows:
        assert cold == warm, call
        assert cold == "done" if "(allowed)" in call else cold in ("EPERM", "ENOSYS", "unknown here"), call

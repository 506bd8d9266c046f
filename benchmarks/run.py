"""All comparisons, or some: ours and what one would run instead, alternately, on this machine.

    python benchmarks/run.py [--only NAME]... [--rounds N] [--data FOLDER | --voc-root DIR --weights FILE]

Results go to benchmarks/results.md and results.json, each comparison into its own section; with `--share` below 1
(a part of each class, to try things out) they are only printed.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

import harness
from harness import LeftOutError, Settings

COMPARISONS = (
    "vectorised",
    "on_disk",
    "warm_up",
    "grade_one",
    "rescoring",
    "crossing",
    "full_size",
    "scale",
    "cluster",
    "postgres",
    "extracting",
)
"""Modules of this folder with a function `run(settings)` that gives sections."""


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; one that fails does not keep the others from running. 1 if one has failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=COMPARISONS, help="may be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="data folder of `make demo DATASET=voc`; .cache/voc by default")
    parser.add_argument("--voc-root", type=Path, help="photographs to extract representations of")
    parser.add_argument("--weights", help="weights file for the extraction, or imagenet")
    parser.add_argument("--share", type=float, default=1.0, help="part of each class, to try things out")
    parser.add_argument("--results", type=Path, default=harness.FOLDER, help="folder of results.md and results.json")
    options = parser.parse_args(arguments)
    data = options.data or harness.ROOT / ".cache" / "voc"
    failed = False
    for name in options.only or COMPARISONS:
        harness.say(f"{name}")
        with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch:
            settings = Settings(
                rounds=options.rounds,
                scratch=Path(scratch),
                data=data if (data / "representations.h5").is_file() else None,
                voc_root=options.voc_root,
                weights=options.weights,
                share=options.share,
            )
            try:
                sections = importlib.import_module(name).run(settings)
            except LeftOutError as why:
                harness.say(f"  left out: {why}")
                continue
            except Exception as error:
                harness.say(f"  failed: {type(error).__name__}: {error}")
                failed = True
                continue
        for section in sections:
            _show(section)
            if options.share >= 1:
                harness.keep(section, options.rounds, options.results)
    return int(failed)


def _show(section: harness.Section) -> None:
    harness.say(f"\n{section.title}")
    for row in (section.columns, *section.rows):
        harness.say("  " + " | ".join(row))
    for goal in section.goals:
        sign = "<=" if goal.at_most else ">="
        harness.say(f"  {goal.text}: {goal.found:.3g} ({sign} {goal.reach:g}: {'met' if goal.met else 'NOT MET'})")
    for remark in section.remarks:
        harness.say(f"  {remark}")
    harness.say("")


if __name__ == "__main__":
    sys.exit(main())

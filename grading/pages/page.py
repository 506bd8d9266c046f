"""Parts that the pages for people share: one file each, no outside address, everything escaped, no script of others.

A page carries a content security policy that lets nothing in: were something of a student's to slip through, the
browser would still not run it.
"""

import base64
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from PIL import Image

from grading.common.text import clean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRUE_COLOR = "#C44601"
PREDICTED_COLOR = "#0060A8"
"""Vermilion and blue, each dark enough to read on white (contrast above 4.5)."""
THUMBNAIL = 320
"""Width of a photograph on a page, in pixels."""
_STYLE, _SCRIPT = "style.css", "table.js"
_INK, _PAPER, _FILL = "#010203", "#fdfcfb", "#4c78a9"
_VARIABLES = {_INK: "var(--ink)", _PAPER: "var(--paper)", _FILL: "var(--fill)"}
"""Colours that only figures use, and the page's own that stand for them, light or dark."""
POINTS_START, ALL_POINTS_FROM = "points start", "all points"
LINES = {POINTS_START: ":", ALL_POINTS_FROM: "-"}
"""Everywhere a full line is where all points are given and a dotted one where points start; of boxes, which are no
thresholds, the full one is true and the dashed one is predicted."""


def render(template: str, values: Mapping[str, Any], script: bool = False) -> str:
    """Render a page from `templates/<template>`; `script` lets our own table script run, and nothing else."""
    source = _template_text(_SCRIPT) if script else ""
    allowed = f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'" if script else "'none'"
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}"
    # Both are files of ours, not of a student's.
    return (
        _template_environment()
        .get_template(template)
        .render(**values, policy=policy, style=Markup(_template_text(_STYLE)), script=Markup(source))
    )


@lru_cache(maxsize=1)
def _template_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grading.pages"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = lambda value: f"{value:g}"
    environment.filters["share"] = lambda value: f"{value:.3f}"
    environment.filters["clean"] = clean
    environment.filters["with_code"] = _with_code
    environment.globals["colors"] = {"true": TRUE_COLOR, "predicted": PREDICTED_COLOR}
    return environment


def _with_code(text: str) -> Markup:
    """Escape a text; what stands between backticks in it is shown as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


@lru_cache(maxsize=4)
def _template_text(name: str) -> str:
    return (resources.files("grading.pages") / "templates" / name).read_text(encoding="utf-8")


@lru_cache(maxsize=2000)
def thumbnail(photo: Path) -> str:
    """Make a photograph small, as a `data:` address. Kept, since a class looks at the same ones."""
    with Image.open(photo) as image:
        small = image.convert("RGB")
        small.thumbnail((THUMBNAIL, THUMBNAIL))
        content = io.BytesIO()
        small.save(content, "JPEG", quality=78)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def histogram(
    values: Sequence[float], label: str, limits: tuple[float, float], marks: Mapping[str, float], bins: int = 20
) -> Markup:
    """Draw how values are distributed, as an SVG in the page's own colours; `marks` are vertical lines by meaning."""
    from matplotlib.figure import Figure  # slow to load, and only pages for instructors have figures
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(4.6, 2.9), layout="constrained", facecolor="none")
    axes = figure.subplots()
    axes.set_facecolor("none")
    axes.hist(values, bins=bins, range=limits, color=_FILL, edgecolor=_PAPER, linewidth=0.6)
    for name, value in marks.items():
        axes.axvline(value, color=_INK, linestyle=LINES[name], linewidth=1.6, label=f"{name} ({value:g})")
    axes.set(xlabel=label, ylabel="Submissions", xlim=limits)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_INK)
    axes.tick_params(colors=_INK)
    for text in (axes.xaxis.label, axes.yaxis.label):
        text.set_color(_INK)
    if marks:
        figure.legend(loc="outside upper right", frameon=False, fontsize=8, labelcolor=_INK, ncols=2)
    return svg(figure)


def svg(figure: "Figure") -> Markup:
    """Return a figure as an inline SVG, the same bytes for the same figure."""
    from matplotlib import rc_context  # slow to load

    content = io.StringIO()
    with rc_context({"svg.hashsalt": "course", "svg.fonttype": "path"}):
        figure.savefig(content, format="svg", metadata={"Date": None})
    text = content.getvalue()
    for color, variable in _VARIABLES.items():
        text = text.replace(color.lower(), variable)
    return Markup(text[text.index("<svg") :])  # Matplotlib's own, text drawn as paths

"""Our own pages: Jinja templates in which everything is escaped, one style sheet and one script of ours."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from grading.service.queue import State

STATES = {
    State.received: "Waiting",
    State.running: "Being graded",
    State.done: "Graded",
    State.failed: "Could not be graded",
    State.replaced: "Replaced by a newer one",
}


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with a page."""
    return HTMLResponse(fragment(template, **values), status_code=status)


def fragment(template: str, **values: Any) -> str:
    """Render a template, which may be a part of a page."""
    return _environment().get_template(f"{template}.html.j2").render(**values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grading.service"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["time"] = _time
    environment.filters["points"] = lambda value: f"{value:g}"
    environment.globals["states"] = STATES
    environment.globals["State"] = State
    return environment


def _time(when: float | datetime) -> Markup:
    """Write a time in UTC; the page's script shows it in the reader's own time zone."""
    at = when if isinstance(when, datetime) else datetime.fromtimestamp(when, UTC)
    written = at.strftime("%Y-%m-%d %H:%M:%S" if isinstance(when, float) else "%Y-%m-%d %H:%M")
    return Markup('<time datetime="{}">{} UTC</time>').format(at.strftime("%Y-%m-%dT%H:%M:%SZ"), written)

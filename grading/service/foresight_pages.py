"""What grading all again would change, shown before it is done."""

import time
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from grading.pipeline.foreseen import in_words
from grading.service import access
from grading.service.catalogue import Card
from grading.service.foresight import Foresight
from grading.service.live import Shown, stream
from grading.service.rendering import fragment, page
from grading.service.site import Site, Visit, see, visit
from grading.service.student_pages import about


@dataclass(frozen=True)
class Row:
    """A student whose grade would change, or of whom that cannot be told."""

    student: str
    name: str
    before: float | None
    after: float | None
    why: str


def ask(found: Visit) -> Response:
    """Begin to work out what would change."""
    card = found.card()
    found.site.foresights.ask(card.name)
    return see(f"/board/{card.name}/foreseen")


def foreseen(found: Visit) -> Response:
    """Show what would change, or that it is being worked out."""
    card = found.card()
    return page("foreseen", **about(found), **_shown(found.site, card))


async def foreseen_events(request: Request) -> Response:
    """Tell what would change as soon as it is known."""
    found = await visit(request, teaches=True)
    card = await run_in_threadpool(found.card)

    def shown(_: bool) -> Shown:
        if access.session_of(found.site.database, found.token, time.time()) != found.who:
            return Shown("", last=True)
        told = _shown(found.site, card)
        answer = told["foresight"]
        return Shown(fragment("_foreseen", **told), last=answer is None or not answer.running)

    return stream(found.site.watch, found.form_token, "", card.name, shown)


def _shown(site: Site, card: Card) -> dict[str, Any]:
    known = site.foresights.last(card.name)
    people = site.catalogue.people()
    listed = [*known.changed, *(one for one in known.found if one.why)] if known else []
    rows = [Row(one.student, people.name(one.student), one.before, one.after, one.why) for one in listed]
    return {"card": card, "foresight": known, "rows": rows, "said": _said(known)}


def _said(known: Foresight | None) -> str:
    if known is None:
        return "Nobody has asked yet what would change."
    if known.running:
        return (
            "It is being worked out from what is stored; no student's code runs for it. This page shows it by itself."
        )
    if known.error or known.finished is None:
        return f"It could not be told. {known.error}".strip()
    return in_words(known.found)

"""What a student sees: assignments, one assignment, a hand-in with its receipt, status and feedback, own data."""

import json
import time
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from grading.service import access, messages, queue, release
from grading.service.catalogue import Card
from grading.service.content import path_of
from grading.service.grader import page_path
from grading.service.handing_in import HOUR, verdict_on
from grading.service.headers import FEEDBACK_POLICY
from grading.service.live import Shown, stream
from grading.service.packages import is_package
from grading.service.queue import HandIn, State
from grading.service.rendering import fragment, page
from grading.service.site import UNKNOWN, Visit, see, visit


def home(found: Visit) -> Response:
    """Show the assignments that are open."""
    return page("home", **about(found), cards=found.site.catalogue.cards())


def assignment(found: Visit, code: str = "") -> Response:
    """Show one assignment: what it is, where to hand in, earlier hand-ins, requests."""
    card, who, site = found.card(), found.who, found.site
    if who.role.teaches:
        return see(f"/board/{card.name}")
    return page(
        "assignment",
        **about(found),
        card=card,
        due=card.due_for(who.student),
        group=sorted(name_of(found, one) for one in card.rules.members(who.student) - {who.student}),
        verdict=verdict_on(site, card, who.student, time.time()),
        hand_ins=queue.of_student(site.database, who.student, card.name),
        held=release.is_held(site.database, card.name),
        conversation=conversation(found, who.student, card),
        ask=f"/a/{card.name}/ask",
        code=code,
        url=site.settings.url,
    )


def code(found: Visit) -> Response:
    """Make a code for a notebook that hands itself in, and show it."""
    if found.who.role.teaches:
        raise HTTPException(403, "Only students hand in.")
    card = found.card()
    return assignment(found, access.make_code(found.site.database, found.who.student, card.name, time.time()))


def ask(found: Visit) -> Response:
    """Take a request of a student."""
    card = found.card()
    send_message(found, found.who.student, card)
    return see(f"/a/{card.name}#requests")


def hand_in(found: Visit) -> Response:
    """Show the receipt of a hand-in, and how it stands."""
    one, card = _own(found)
    return page("hand_in", **about(found), **_status(found, one, card))


async def hand_in_events(request: Request) -> Response:
    """Tell how a hand-in stands, whenever that changes."""
    found = await visit(request)
    one, card = await run_in_threadpool(_own, found)

    def show(itself: bool) -> Shown:
        nonlocal one
        if itself:
            still = access.session_of(found.site.database, found.token, time.time())
            now = queue.find(found.site.database, one.id) if still == found.who else None
            if now is None:
                return Shown("", last=True)
            one = now
        return Shown(fragment("_status", who=found.who, **_status(found, one, card)), last=one.state.settled)

    return stream(found.site.watch, found.form_token, one.id, one.assignment, show)


def feedback(found: Visit) -> Response:
    """Show the feedback page of a hand-in, as it was made, where nothing of it can run."""
    one, card = _own(found)
    path = page_path(found.site.settings.folder, one.id)
    if one.state is not State.done or not path.is_file() or _is_kept_from(found, card):
        raise HTTPException(404, "There is no feedback yet.")
    policy = f"{FEEDBACK_POLICY}; frame-ancestors 'self'"
    return HTMLResponse(path.read_text(encoding="utf-8"), headers={"content-security-policy": policy})


def handed_in_file(found: Visit) -> Response:
    """Give back the file that was handed in, to be saved and never shown."""
    one, _ = _own(found)
    content = path_of(found.site.settings.folder, one.sha256).read_bytes()
    ending = "zip" if is_package(content) else "ipynb"
    headers = {"content-disposition": f'attachment; filename="hand-in.{ending}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


def own_data(found: Visit) -> Response:
    """Give a student all that the service keeps about them, as a file."""
    who, site = found.who, found.site
    kept: list[dict[str, Any]] = []
    for card in site.catalogue.cards():
        hidden = ("points", "max_points", "flags", "why") if _is_kept_from(found, card) else ("flags",)
        given = [asdict(one) for one in queue.of_student(site.database, who.student, card.name)]
        said = [asdict(message) for message in messages.conversation(site.database, who.student, card.name)]
        shown = [{key: value for key, value in one.items() if key not in hidden} for one in given]
        kept.append({"assignment": card.name, "hand_ins": shown, "messages": said})
    headers = {"content-disposition": 'attachment; filename="my-data.json"'}
    content = json.dumps({"student": who.student, "assignments": kept}, indent=1)
    return Response(content, media_type="application/json", headers=headers)


def about(found: Visit) -> dict[str, Any]:
    """Return what each page says about who sees it."""
    return {"who": found.who, "name": name_of(found, found.who.student), "form_token": found.form_token}


def name_of(found: Visit, student: str) -> str:
    """Return the name of somebody, or the id where there is none."""
    return found.site.catalogue.people().name(student)


def conversation(found: Visit, student: str, card: Card) -> list[dict[str, Any]]:
    """Return the messages with a student, for a page."""
    said = messages.conversation(found.site.database, student, card.name)
    return [{**asdict(message), "author_name": name_of(found, message.author)} for message in said]


def send_message(found: Visit, student: str, card: Card) -> None:
    """Write what a form says into the conversation with a student. Raises HTTPException for what is no message."""
    text, now = found.text("text").strip(), time.time()
    if not text or len(text) > messages.MOST_CHARACTERS:
        raise HTTPException(400, f"Write between one and {messages.MOST_CHARACTERS} characters.")
    recent = messages.written_since(found.site.database, found.who, now - HOUR)
    if not found.who.role.teaches and recent >= found.site.settings.messages_an_hour:
        raise HTTPException(429, "You have written much in the last hour: wait a little.")
    messages.write(found.site.database, found.who, student, card.name, text, now)


def _own(found: Visit) -> tuple[HandIn, Card]:
    """Return the hand-in in the address. To who may not see it, it does not exist."""
    one = queue.find(found.site.database, str(found.request.path_params["hand_in"]))
    card = found.site.catalogue.card(one.assignment) if one is not None else None
    if one is None or card is None or not (found.who.role.teaches or one.student == found.who.student):
        raise HTTPException(404, UNKNOWN)
    return one, card


def _is_kept_from(found: Visit, card: Card) -> bool:
    return not found.who.role.teaches and release.is_held(found.site.database, card.name)


def _status(found: Visit, one: HandIn, card: Card) -> dict[str, Any]:
    waits = one.state is State.received
    ahead = found.site.places.of(one.assignment).get(one.id) if waits else 0
    if ahead is None:  # it came just now
        ahead = queue.before(found.site.database, one)
    return {"one": one, "card": card, "before": ahead, "held": one.state.settled and _is_kept_from(found, card)}

"""A notebook comes in: looked at before it is read, stored before the receipt, with a form or with a code."""

import time
from collections.abc import Sequence
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from grading.rules.attempts import Answer, may_hand_in
from grading.service import access, queue
from grading.service.catalogue import Card
from grading.service.content import path_of, store
from grading.service.doors import SLOWLY
from grading.service.packages import Package, is_package, packed, sorted_out, unpacked
from grading.service.queue import Arrival, HandIn, utc
from grading.service.site import Site, address, check_origin, see, visit, with_form
from grading.service.uploads import NoNotebookError, check_notebook, shown_name

HOUR = 3600


def verdict_on(site: Site, card: Card, student: str, now: float) -> Answer:
    """Say whether a student may hand in now: by the assignment's rules, and never more than the service bears."""
    own = [one.received for one in queue.of_student(site.database, student, card.name)]
    if sum(received > now - HOUR for received in own) >= site.settings.hand_ins_an_hour:
        return Answer(False, f"At most {site.settings.hand_ins_an_hour} hand-ins an hour are taken: wait a little.")
    others = card.rules.members(student) - {student}
    theirs = [one.received for other in others for one in queue.of_student(site.database, other, card.name)]
    return may_hand_in(card.rules, student, utc(now), [utc(at) for at in {*own, *theirs}])  # a group's came at once


async def hand_in(request: Request) -> Response:
    """Take a notebook from the form of an assignment's page."""
    found = await visit(request)
    site = found.site
    check_origin(request, site.settings)
    if found.who.role.teaches:
        raise HTTPException(403, "Only students hand in: open the personal link of one to try it.")
    card = await run_in_threadpool(found.card)
    await _check_admission(site, card, found.who.student)
    found = await with_form(found, files=max(1, len(card.notebooks)))
    sent = [one for one in found.form.getlist("notebook") if isinstance(one, UploadFile)]
    if not sent:
        raise HTTPException(400, "No file came with this form: choose your notebook first.")
    files = [(one.filename or "", await _content(site, one)) for one in sent]
    name, content = await run_in_threadpool(_looked_at, site, card, files)
    arrival = _arrival(found.who.student, card, name)
    entered = await run_in_threadpool(_receive, site, card, arrival, content, "")
    return see(f"/h/{entered.id}")


async def hand_in_by_code(request: Request) -> Response:
    """Take a notebook that hands itself in: the body is the file, the code stands in a header and works once."""
    site: Site = request.app.state.site
    if not site.failed_tries.allows(address(request)):
        raise HTTPException(429, SLOWLY)
    kind, _, code = request.headers.get("authorization", "").partition(" ")
    known = await run_in_threadpool(access.code_for, site.database, code, time.time()) if kind == "Code" else None
    card = await run_in_threadpool(site.catalogue.card, known[1]) if known else None
    if known is None or card is None:
        site.failed_tries.note(address(request))
        raise HTTPException(403, "This code does not work: it works once, for 15 minutes. Make a new one on the page.")
    await _check_admission(site, card, known[0])
    content = await request.body()
    name = request.headers.get("x-file-name", card.file_name)
    name, content = await run_in_threadpool(_looked_at, site, card, [(name, content)], known[0])
    arrival = _arrival(known[0], card, name)
    entered = await run_in_threadpool(_receive, site, card, arrival, content, code)
    receipt = {"result": f"{site.settings.url}/h/{entered.id}", "sha256": entered.sha256}
    return JSONResponse({**receipt, "received": utc(entered.received).strftime("%Y-%m-%d %H:%M:%S UTC")})


async def _check_admission(site: Site, card: Card, student: str) -> None:
    verdict = await run_in_threadpool(verdict_on, site, card, student, time.time())
    if not verdict.allowed:
        raise HTTPException(403, verdict.why)


async def _content(site: Site, sent: UploadFile) -> bytes:
    if sent.size is None or sent.size > site.settings.upload_bytes:
        raise HTTPException(413)
    return await sent.read()


def _looked_at(site: Site, card: Card, files: Sequence[tuple[str, bytes]], merged_for: str = "") -> tuple[str, bytes]:
    """Return what is stored of files that came, with its name for people. Raises HTTPException for what is no notebook.

    A notebook that hands itself in brings no other one: `merged_for` is the student whose newest hand-in it goes into.
    """
    try:
        if not card.several:
            ((name, content),) = files
            check_notebook(content)
            return shown_name(name), content
        package = sorted_out(files, card.notebooks, site.settings.upload_bytes)
    except NoNotebookError as error:
        raise HTTPException(415, str(error)) from error
    if merged_for:
        package = _merged(site, card, merged_for, package)
    return package.shown, packed(package.notebooks)


def _merged(site: Site, card: Card, student: str, package: Package) -> Package:
    """Return a package with what it lacks from the student's newest hand-in."""
    names = [one.file_name for one in card.notebooks]
    newest = next(iter(queue.of_student(site.database, student, card.name)), None)
    content = path_of(site.settings.folder, newest.sha256).read_bytes() if newest is not None else b""
    before = unpacked(content, names) if is_package(content) else {}
    whole = {**before, **package.notebooks}
    kept = {name: whole[name] for name in names if name in whole}
    return Package(kept, tuple(name for name in names if name not in kept))


def _arrival(student: str, card: Card, name: str) -> Arrival:
    return Arrival(student, card.name, name, "", 0)


def _receive(site: Site, card: Card, arrival: Arrival, content: bytes, code: str) -> HandIn:
    """Store the file, then enter it into the queue: once this returns, nothing that dies costs the hand-in.

    Of a group it is entered for each member, in one transaction: the code runs once, and each has feedback and grade.
    """
    digest = store(site.settings.folder, content)
    now = time.time()
    stored = Arrival(arrival.student, arrival.assignment, arrival.file_name, digest, len(content))
    with site.database.writing() as connection:
        if code and not access.use_code(connection, code, now):
            raise HTTPException(403, "This code was used already: make a new one on the page.")
        others = sorted(card.rules.members(arrival.student) - {arrival.student})
        said = f"{arrival.file_name} ({card.rules.group_of(arrival.student)}, by another member)"  # no name to forget
        for member in others:
            queue.receive(connection, replace(stored, student=member, file_name=said), now)
        return queue.receive(connection, stored, now)

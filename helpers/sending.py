"""Handing a notebook in from itself, with a code from the assignment's page; there is no password in a notebook."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from helpers.last_look import findings
from helpers.notebook_file import NotebookError, find_notebook, session

SECONDS = 60
"""How long the course may take to answer."""
_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")


def hand_in(url: str, code: str, cells: Sequence[str] = (), path: str | Path | None = None) -> str | None:
    """Hand this notebook in and print where its result will be; return that address, None if it was not taken.

    What `ready_to_submit` would say is printed first, and does not keep the notebook from being handed in: another
    attempt can follow. Never fails.

    Args:
        url: the course's address, as its page shows it.
        code: from the same page; it works once, for some minutes.
        cells: grade ids of the cells that must be there.
        path: the notebook's file; without it, the notebook that runs is looked for.
    """
    try:
        notebook = find_notebook(cells, path)
        _check_address(url)
    except NotebookError as error:
        print(f"Not handed in. {error}")
        return None
    for finding in findings(notebook, cells, session()):
        print(f"To look at: {finding.what} {finding.to_do}".rstrip())
    try:
        receipt = _send(
            f"{url.rstrip('/')}/api/hand-in", code, "" if notebook.live else notebook.name, notebook.content
        )
    except NotebookError as error:
        print(f"Not handed in. {error}")
        return None
    print(f"Handed in: {notebook.name}, {receipt['received']}, SHA-256 {receipt['sha256']}")
    print(f"Your result: {receipt['result']}")
    return str(receipt["result"])


def _check_address(url: str) -> None:
    """Raise NotebookError for an address to which nothing is sent: a code must not travel where others can read it."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _OWN_MACHINE):
        return
    raise NotebookError(f"{url!r} is not the course's address: copy both from the assignment's page, with https://.")


def _send(address: str, code: str, name: str, content: bytes) -> dict[str, Any]:
    """Send the bytes and return the receipt; on Colab a notebook has no name.

    Raises NotebookError with what the course, or the network, says.
    """
    headers = {"Authorization": f"Code {quote(code, safe='-')}", "Content-Type": "application/x-ipynb+json"}
    if name:
        headers["X-File-Name"] = name.encode("ascii", "replace").decode()
    request = urllib.request.Request(address, data=content, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            receipt = json.load(answer)
    except urllib.error.HTTPError as error:
        raise NotebookError(_said(error)) from error
    except (OSError, ValueError) as error:
        raise NotebookError(
            f"The course did not answer ({error}): try again, or hand the file in on its page."
        ) from error
    if not isinstance(receipt, dict) or not {"result", "sha256", "received"} <= receipt.keys():
        raise NotebookError(f"{address} is not the course: copy the address from the assignment's page.")
    return receipt


def _said(error: urllib.error.HTTPError) -> str:
    """Return what the course says about a hand-in that it does not take."""
    try:
        return str(json.load(error)["error"])
    except (OSError, ValueError, TypeError, KeyError):
        return f"The course answered {error.code} {error.reason}: try again, or hand the file in on its page."

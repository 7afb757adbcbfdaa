"""What the page server gives: a fixed table of files, read once, and two small JSON files made from our own code.

Invariants:
    * A page is a row of this table; nothing that is asked for is ever turned into a path.
    * The vocabulary the page knows is generated from ``appliance.protocol.vocabulary``: they cannot disagree.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.protocol import vocabulary
from appliance.protocol.values import BoothId

STATIC_DIRECTORY: Final = Path(__file__).parent / "static"
NOTICE_VERSION: Final = 1
"""Number of the public notice in force."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_JSON: Final = "application/json; charset=utf-8"
_PAGES: Final = {
    "/": "index.html",
    "/tablet": "tablet.html",
    "/cameras": "cameras.html",
    "/aim": "aim.html",
    "/room": "room.html",
    "/here": "here.html",
}
WORKER: Final = "/worker.js"
MANIFEST: Final = "/tablet.webmanifest"
HERE_FACTS: Final = "/here.json"
"""The one answer that is made anew each time: what the public page says."""
SCAN_PAGE: Final = "/cameras"
"""The one page that may use the tablet's own camera: it reads the square code on a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One answer: its bytes, its media type, and the entity tag that names these bytes (RFC 9110 section 8.8.3)."""

    media_type: str
    body: bytes
    packed: bytes | None = None
    """The same, compressed (gzip), where that is worth it."""

    @property
    def tag(self) -> str:
        """A strong entity tag: the same bytes, the same tag."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


def content(media_type: str, body: bytes) -> Content:
    """An answer that is given again and again: compressed once, the same way each time."""
    packed = gzip.compress(body, mtime=0)
    return Content(media_type=media_type, body=body, packed=packed if len(packed) < 0.9 * len(body) else None)


def vocabulary_json() -> bytes:
    """The vocabulary as the page reads it: every attribute with its words, in wire order."""
    attributes = [
        {
            "name": attribute.name,
            "levels": attribute.levels,
            "question": attribute.question,
            "vague": attribute.vague,
        }
        for attribute in vocabulary.ATTRIBUTES
    ]
    return _json({"v": 1, "vocabulary": vocabulary.VERSION, "attributes": attributes})


def booth_json(*, booth: BoothId, ws_port: int, wss_port: int) -> bytes:
    """Which booth this is and where its broker's WebSocket listeners are."""
    return _json(
        {"v": 1, "booth": booth, "ws_port": ws_port, "wss_port": wss_port, "notice_version": NOTICE_VERSION}
    )


def here_content(body: bytes) -> Content:
    """``/here.json`` as an answer."""
    return Content(media_type=_JSON, body=body)


def table(*, booth: BoothId, ws_port: int, wss_port: int) -> dict[str, Content]:
    """Everything that can be asked for, by path. Unfit where a file of the installation is missing."""
    try:
        static = {
            file.name: content(_TYPES[file.suffix], file.read_bytes())
            for file in sorted(STATIC_DIRECTORY.iterdir())
            if file.suffix in _TYPES
        }
        return {
            **{path: static[name] for path, name in _PAGES.items()},
            **{f"/static/{name}": one for name, one in static.items() if _in_static(name)},
            WORKER: static[WORKER[1:]],
            MANIFEST: static[MANIFEST[1:]],
            "/vocabulary.json": content(_JSON, vocabulary_json()),
            "/booth.json": content(_JSON, booth_json(booth=booth, ws_port=ws_port, wss_port=wss_port)),
        }
    except (OSError, KeyError) as error:
        raise Unfit(
            f"a page is missing: {error}", where=str(STATIC_DIRECTORY), fix="install leftfield again"
        ) from None


def _in_static(name: str) -> bool:
    """Whether a file is given under /static/. The worker is not: it may keep only what lies below its own path."""
    return not name.endswith(".html") and name not in {WORKER[1:], MANIFEST[1:]}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()

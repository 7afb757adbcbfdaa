"""One connection from a browser: what may be asked, and how it is answered.

Invariants:
    * GET and HEAD of the rows of one table, and nothing else; no path on disk is made from what is asked.
    * The pages it gives may load from here and talk to this booth's broker only (Content-Security-Policy level 3).
    * A request must be whole by a deadline, however slowly its bytes come.
    * No record of who asked for what.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.pages.content import SCAN_PAGE, Content
from appliance.protocol.values import BoothId

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

REQUEST_LINE_BYTES: Final = 2048
REQUEST_SECONDS: Final = 5.0
"""From the start of a connection, or from the answer before, a request must be whole in this time."""
ANSWER_SECONDS: Final = 10.0
"""An answer must be taken in this time."""
HOST_FORM: Final = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
"""Form of a Host field (RFC 9110 section 7.2), names and addresses only."""


_GZIP: Final = re.compile(r"(?:^|,)\s*gzip\s*(?:,|$)")
"""Whoever takes gzip without conditions gets it."""
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=(), screen-wake-lock=(self)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesConfig:
    """Where to listen, which booth it is, and where its broker's WebSocket listeners are on the same host.

    ``certificate`` and ``key`` are PEM files; with both, pages are given over TLS only and use ``wss_port``.
    ``port`` 0 takes any free port. ``hub_config`` is the hub's ``hub.toml``, from which the public page is made.
    """

    host: str
    port: int
    booth: BoothId
    ws_port: int
    wss_port: int
    certificate: Path | None = None
    key: Path | None = None
    hub_config: Path | None = None


def security_policy(host: str, config: PagesConfig) -> str:
    """The Content-Security-Policy for a page asked for at ``host`` (a name or address without port)."""
    broker = f"wss://{host}:{config.wss_port}" if config.certificate else f"ws://{host}:{config.ws_port}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {broker}; "
        "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types leftfield"
    )


class Pages(ThreadingHTTPServer):
    """What a visit needs of the server it came to."""

    config: PagesConfig
    contents: Mapping[str, Content]

    def content(self, path: str) -> Content | None:
        """What is given for ``path``; None where there is nothing."""
        return self.contents.get(path)


class _Punctual(RawIOBase):
    """What a connection says, until ``deadline`` (monotonic seconds); then TimeoutError, however it trickles."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self.deadline = 0.0
        self._connection = connection

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """What comes next, in the time that is left."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class Visit(BaseHTTPRequestHandler):
    """One connection from a browser."""

    protocol_version = "HTTP/1.1"
    server: Pages
    raw_requestline: bytes

    def setup(self) -> None:
        """Read by the clock."""
        super().setup()
        self._said = _Punctual(self.connection)
        self.rfile = BufferedReader(self._said)

    def handle_one_request(self) -> None:
        """One request and its answer, each in its time."""
        self._said.deadline = time.monotonic() + REQUEST_SECONDS
        super().handle_one_request()

    def version_string(self) -> str:
        """Who we are, without versions: they help nobody but an attacker."""
        return "leftfield"

    def parse_request(self) -> bool:
        """Refuse a long request line before anything in it is looked at."""
        if len(self.raw_requestline) > REQUEST_LINE_BYTES:
            self.requestline, self.request_version, self.command = "", "HTTP/1.1", ""
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_URI_TOO_LONG)
            return False
        return super().parse_request()

    def do_GET(self) -> None:
        """Give what the table holds."""
        self._give(with_body=True)

    def do_HEAD(self) -> None:
        """Say what GET would give."""
        self._give(with_body=False)

    def _give(self, *, with_body: bool) -> None:
        host = HOST_FORM.fullmatch(self.headers.get("Host", ""))
        if not host:
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        content = self.server.content(self.path.split("?", 1)[0])
        if content is None:
            self._answer(HTTPStatus.NOT_FOUND, with_body=with_body)
            return
        policy = {
            "Content-Security-Policy": security_policy(host["name"], self.server.config),
            "ETag": content.tag,
            "Vary": "Accept-Encoding",
        }
        if self.path.split("?", 1)[0] == SCAN_PAGE:
            policy["Permissions-Policy"] = _HEADERS["Permissions-Policy"].replace(
                "camera=()", "camera=(self)"
            )
        if self.headers.get("If-None-Match") == content.tag:
            self._answer(HTTPStatus.NOT_MODIFIED, policy, with_body=False)
            return
        if content.packed and _GZIP.search(self.headers.get("Accept-Encoding", "")):
            policy["Content-Encoding"] = "gzip"
            content = Content(media_type=content.media_type, body=content.packed)
        self._answer(HTTPStatus.OK, policy, content=content, with_body=with_body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the library refuses (methods, malformed requests) in our own plain form."""
        del message, explain
        self.close_connection = True
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self._answer(status, {"Allow": "GET, HEAD"} if status == HTTPStatus.METHOD_NOT_ALLOWED else {})

    def _answer(
        self,
        status: HTTPStatus,
        headers: Mapping[str, str] | None = None,
        *,
        content: Content | None = None,
        with_body: bool = True,
    ) -> None:
        """Write a whole answer; one without content says its status in words."""
        self.connection.settimeout(ANSWER_SECONDS)  # sendall(2) may take so long in all
        sent = content or Content(media_type="text/plain; charset=utf-8", body=f"{status.phrase}\n".encode())
        self.send_response(status)
        for name, value in {**_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", sent.media_type)
            self.send_header("Content-Length", str(len(sent.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if with_body and getattr(self, "command", "") != "HEAD" and status != HTTPStatus.NOT_MODIFIED:
            self.wfile.write(sent.body)

    def log_message(self, *_: object) -> None:
        """Keep no record of who asked for what."""

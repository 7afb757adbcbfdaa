"""The fleet's page over HTTP, for this machine or the proxy in front of it: one page, read from the database.

Invariants:
    * GET and HEAD of ``/`` and nothing else; no record of who asked. Whoever may see it is the proxy's matter.
    * The page is made at most once in ``MADE_SECONDS``, however many ask.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from appliance.base.errors import Unavailable, Unfit
from appliance.base.systemd import Notifier, log, stop_requested
from appliance.fleet import html
from appliance.fleet.store import FleetStore
from appliance.fleet.view import page_of
from appliance.protocol.values import Seconds

MADE_SECONDS: Final = 5.0


class PageSource:
    """The page of ``fleet`` from the database at ``url``, made when it is asked for."""

    def __init__(self, fleet: str, url: str) -> None:
        self._fleet = fleet
        self._url = url
        self._lock = threading.Lock()
        self._store: FleetStore | None = None
        self._made_at = float("-inf")
        self._page = b""

    def read(self) -> bytes:
        """The page, a few seconds old at most. Unavailable where the database is away."""
        with self._lock:
            if time.monotonic() - self._made_at >= MADE_SECONDS:
                self._page = self._make()
                self._made_at = time.monotonic()
            return self._page

    def _make(self) -> bytes:
        try:
            if self._store is None:
                self._store = FleetStore(self._url)
            rows = self._store.rows()
        except Unavailable:
            self._store = None  # the next visitor tries again
            raise
        return html.page(page_of(self._fleet, rows, Seconds(time.time()))).encode("utf-8")


class FleetPageServer(ThreadingHTTPServer):
    """Listens as soon as it is made. Unfit where it cannot."""

    daemon_threads = True

    def __init__(self, host: str, port: int, source: PageSource) -> None:
        self.source = source
        try:
            super().__init__((host, port), _Visit)
        except OSError as error:
            raise Unfit(
                f"cannot listen: {error.strerror or error}",
                where=f"{host} port {port}",
                fix="choose another --page-port",
            ) from None


class _Visit(BaseHTTPRequestHandler):
    timeout = 10.0
    server: FleetPageServer

    def do_GET(self) -> None:
        """Give the page."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Give its head."""
        self._answer(body=False)

    def _answer(self, *, body: bool) -> None:
        status, content = HTTPStatus.OK, b""
        if self.path != "/":
            status, content = HTTPStatus.NOT_FOUND, b"There is one page: /\n"
        else:
            try:
                content = self.server.source.read()
            except Unavailable as unavailable:
                status, content = HTTPStatus.SERVICE_UNAVAILABLE, f"{unavailable}\n".encode()
        kind = "text/html" if status is HTTPStatus.OK else "text/plain"
        self.send_response(status)
        for name, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(content))),
            ("Content-Security-Policy", html.POLICY),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
        ):
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody is told who asked for what."""


def serve(fleet: str, url: str, host: str, port: int) -> int:
    """Serve until told to stop; 0."""
    stop, notifier = stop_requested(), Notifier()
    with FleetPageServer(host, port, PageSource(fleet, url)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        notifier.say("READY=1")
        log(f"page of fleet {fleet}: http://{host}:{server.server_address[1]}/")
        stop.wait()
        server.shutdown()
    return 0

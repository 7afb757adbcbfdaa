"""The page server: gives the staff page to browsers on the booth's network. It knows nothing that is not public.

Invariants:
    * It keeps no record of who asked: no access log, no cookie.
    * A visitor in time and in its own seat is answered (``visit``, ``seats``); nobody else is waited for.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from socketserver import TCPServer

from appliance.base.errors import Unfit
from appliance.base.systemd import Notifier, log
from appliance.pages.content import HERE_FACTS, Content, here_content, table
from appliance.pages.here import HereFacts
from appliance.pages.seats import Seats, seat_of
from appliance.pages.visit import Pages, PagesConfig, Visit

_Socket = socket.socket | tuple[bytes, socket.socket]
"""What the library passes from accept to the visit (socketserver)."""


class PageServer(Pages):
    """A page server that listens as soon as it is made. Unfit where it cannot."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, config: PagesConfig) -> None:
        self.config = config
        self.contents = table(booth=config.booth, ws_port=config.ws_port, wss_port=config.wss_port)
        self._here = HereFacts(config.hub_config, config.booth)
        self._seats = Seats()
        self.address_family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        context = _tls(config)
        try:
            super().__init__((config.host, config.port), Visit)
        except OSError as error:
            raise Unfit(
                f"cannot listen: {error.strerror or error}",
                where=f"{config.host} port {config.port}",
                fix="choose another --port or --host, or stop what listens there",
            ) from None
        if context:  # the handshake happens in the visit's own thread, under its time limit
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def content(self, path: str) -> Content | None:
        """A row of the table, or the public page's facts as they are now."""
        return here_content(self._here.json(time.time())) if path == HERE_FACTS else super().content(path)

    @property
    def url(self) -> str:
        """Where the pages are, without a final slash."""
        host = self.config.host
        scheme = "https" if self.config.certificate else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Bind without asking a name server who we are: a booth has none."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: _Socket, client_address: object) -> None:
        """Seat a visitor in a thread of its own, or close the door when all seats, or all of its seats, are taken."""
        seat = _seat(client_address)
        if not self._seats.take(seat):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the machine gives us no thread
            self._seats.stand_up(seat)
            self.shutdown_request(request)

    def process_request_thread(self, request: _Socket, client_address: object) -> None:
        """Serve one visitor; its seat is free afterwards, whatever happened."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.stand_up(_seat(client_address))

    def handle_error(self, request: _Socket, client_address: object) -> None:
        """A visitor went away or spoke no HTTP: no news. Anything else is our own error and is said."""
        del request, client_address
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log(f"pages: {type(error).__name__} while answering: {error}", level=3)


def _seat(client_address: object) -> str:
    """The seat of an address as accept(2) gives it."""
    assert isinstance(client_address, tuple)  # noqa: S101 - an internet socket's address
    return seat_of(str(client_address[0]))


def _tls(config: PagesConfig) -> ssl.SSLContext | None:
    if config.certificate is None and config.key is None:
        return None
    if config.certificate is None or config.key is None:
        raise Unfit(
            "a certificate needs its key", where="pages", fix="give both --certificate and --key, or neither"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        raise Unfit(
            f"cannot use the TLS files: {error}",
            where=f"{config.certificate}, {config.key}",
            fix="give a PEM certificate and its private key",
        ) from None
    return context


def serve(config: PagesConfig, stop: threading.Event) -> None:
    """Serve until ``stop`` is set. Unfit where it cannot listen."""
    server = PageServer(config)
    notifier = Notifier()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="pages", daemon=True
    )
    thread.start()
    log(f"pages: {server.url}/tablet for booth {config.booth}")
    notifier.say("READY=1", f"STATUS={server.url}")
    stop.wait()
    notifier.say("STOPPING=1")
    server.shutdown()
    server.server_close()
    thread.join()

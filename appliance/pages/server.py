"""The page server: gives the staff page to browsers on the booth's network. It knows nothing that is not public.

Laws:
    * GET and HEAD of the rows of one table, and nothing else; no path on disk is made from what is asked.
    * It keeps no record of who asked: no access log, no cookie.
    * The pages it gives may load from here and talk to this booth's broker only (Content-Security-Policy level 3).
    * One visitor cannot keep the others out: a request must be whole by a deadline, however slowly its bytes come,
      and one address has a few seats only.
"""

from __future__ import annotations

import argparse
import re
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final

from appliance.errors import Unfit
from appliance.pages.content import Content, table
from appliance.service import Notifier, log, stop_requested
from appliance.values import NAME_FORM, BoothId

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

REQUEST_LINE_BYTES: Final = 2048
REQUEST_SECONDS: Final = 5.0
"""From the start of a connection, or from the answer before, a request must be whole in this time."""
ANSWER_SECONDS: Final = 10.0
"""An answer must be taken in this time."""
VISITORS: Final = 48
"""Connections at once; more are closed at once."""
SEATS: Final = 6
"""Connections of one address at once: what a browser opens."""
LOOPBACK_SEATS: Final = 24
"""Those of this machine itself, where a demo's browser and its tests may all sit."""
HOST_FORM: Final = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
"""Form of a Host field (RFC 9110 section 7.2), names and addresses only."""

_Socket = socket.socket | tuple[bytes, socket.socket]
"""What the library passes from accept to the visit (socketserver)."""

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
    ``port`` 0 takes any free port.
    """

    host: str
    port: int
    booth: BoothId
    ws_port: int
    wss_port: int
    certificate: Path | None = None
    key: Path | None = None


def security_policy(host: str, config: PagesConfig) -> str:
    """The Content-Security-Policy for a page asked for at ``host`` (a name or address without port)."""
    broker = f"wss://{host}:{config.wss_port}" if config.certificate else f"ws://{host}:{config.ws_port}"
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {broker}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def seat_of(untrusted_address: str) -> str:
    """What counts as one visitor: an IPv4 address, or an IPv6 network of 64 bits (one machine has all of it)."""
    address = ip_address(untrusted_address.partition("%")[0])
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((address, 64), strict=False).network_address)
    return str(address)


def seats_of(seat: str) -> int:
    """How many connections may come from ``seat`` at once."""
    return LOOPBACK_SEATS if seat in {"127.0.0.1", "::"} else SEATS


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


class _Visit(BaseHTTPRequestHandler):
    """One connection from a browser."""

    protocol_version = "HTTP/1.1"
    server: PageServer
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
        content = self.server.contents.get(self.path.split("?", 1)[0])
        if content is None:
            self._answer(HTTPStatus.NOT_FOUND, with_body=with_body)
            return
        policy = {
            "Content-Security-Policy": security_policy(host["name"], self.server.config),
            "ETag": content.tag,
        }
        if self.headers.get("If-None-Match") == content.tag:
            self._answer(HTTPStatus.NOT_MODIFIED, policy, with_body=False)
            return
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


class PageServer(ThreadingHTTPServer):
    """A page server that listens as soon as it is made. Unfit where it cannot."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self, config: PagesConfig) -> None:
        self.config = config
        self.contents = table(booth=config.booth, ws_port=config.ws_port, wss_port=config.wss_port)
        self._seated: Counter[str] = Counter()
        self._seating = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        context = _tls(config)
        try:
            super().__init__((config.host, config.port), _Visit)
        except OSError as error:
            raise Unfit(
                f"cannot listen: {error.strerror or error}",
                where=f"{config.host} port {config.port}",
                mend="choose another --port or --host, or stop what listens there",
            ) from None
        if context:  # the handshake happens in the visit's own thread, under its time limit
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

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
        with self._seating:
            free = self._seated.total() < VISITORS and self._seated[seat] < seats_of(seat)
            if free:
                self._seated[seat] += 1
        if not free:
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the machine gives us no thread
            self._stand_up(seat)
            self.shutdown_request(request)

    def _stand_up(self, seat: str) -> None:
        with self._seating:
            self._seated[seat] -= 1
            self._seated += Counter()  # forgets who has none

    def process_request_thread(self, request: _Socket, client_address: object) -> None:
        """Serve one visitor; its seat is free afterwards, whatever happened."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._stand_up(_seat(client_address))

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
            "a certificate needs its key", where="pages", mend="give both --certificate and --key, or neither"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.certificate, config.key)
    except (OSError, ssl.SSLError) as error:
        raise Unfit(
            f"cannot use the TLS files: {error}",
            where=f"{config.certificate}, {config.key}",
            mend="give a PEM certificate and its private key",
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


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 (any free one) to 65535")
    return int(text)


def _booth(text: str) -> BoothId:
    if not NAME_FORM.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no lower-case name such as corner-north")
    return BoothId(text)


_EXAMPLE: Final = """\
example:
  leftfield pages --booth demo --host 0.0.0.0 --port 8080
  then open http://ADDRESS:8080/tablet#tablet-1:PASSWORD on the tablet (the part after # never leaves it)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``leftfield pages``."""
    parser.add_argument("--booth", required=True, type=_booth, help="name of the booth, such as demo")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)"
    )
    parser.add_argument("--port", default=8080, type=_port, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--ws-port", default=9001, type=_port, help="the broker's WebSocket port (default: %(default)s)"
    )
    parser.add_argument(
        "--wss-port",
        default=9443,
        type=_port,
        help="the broker's WebSocket port with TLS (default: %(default)s)",
    )
    parser.add_argument("--certificate", type=Path, help="PEM certificate: give the pages over TLS")
    parser.add_argument("--key", type=Path, help="PEM private key of the certificate")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add ``pages`` to the command line; its ``run`` takes the parsed arguments and gives the exit code."""
    parser = subparsers.add_parser(
        "pages",
        help="serve the staff tablet page to browsers on the booth's network",
        description="Serve the staff tablet page to browsers on the booth's network.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    parser.set_defaults(run=main)
    return parser


def main(arguments: argparse.Namespace) -> int:
    """Run the page server until SIGTERM or Ctrl-C. Unfit where it cannot start."""
    serve(
        PagesConfig(
            host=arguments.host,
            port=arguments.port,
            booth=arguments.booth,
            ws_port=arguments.ws_port,
            wss_port=arguments.wss_port,
            certificate=arguments.certificate,
            key=arguments.key,
        ),
        stop_requested(),
    )
    return 0

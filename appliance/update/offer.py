"""Offer: the hub's update server, HTTPS for its own units, and what they ask it.

Invariants:
    * Only a certificate of the booth's authority whose unit is in the register, and not revoked, is answered.
    * It gives away signed bundles and one number; it takes nothing but a version and two flags.
    * It reads: the register, bundles, the hub's database. It writes nothing.
"""

from __future__ import annotations

import http.server
import json
import shutil
import sqlite3
import ssl
import threading
import time
import urllib.parse
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar, Final

from appliance.base.errors import LeftfieldError, Unfit
from appliance.base.systemd import Notifier, log
from appliance.settings import config
from appliance.update import bundle, release
from appliance.update.release import Release
from appliance.update.rollout import Rollout, Said

PORT: Final = 8885
VISIT_SECONDS: Final = 30.0
_MOST_FIELDS: Final = 8
VISITORS: Final = 8
"""Most at once; each is a thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferConfig:
    """What is served from where: bundles, the register, the database; and what proves the hub (PEM)."""

    bundles: Path
    register: Path
    database: Path
    ca: Path
    certificate: Path
    key: Path
    host: str = "0.0.0.0"  # noqa: S104 - units come from the booth's network
    port: int = PORT


class Desk:
    """What the server knows: the bundle of each kind of unit, whose turn it is, what was admitted."""

    def __init__(self, settings: OfferConfig) -> None:
        self._settings = settings
        self._rollouts: dict[str, Rollout] = {}
        self._lock = threading.Lock()

    def bundle_of(self, arch: str) -> Path:
        """Where the bundle for units of ``arch`` is, if there is one."""
        return self._settings.bundles / f"unit-{arch}{bundle.SUFFIX}"

    def enrolled(self, unit: str) -> bool:
        """Whether ``unit`` is in the register and not revoked."""
        register = config.register(self._settings.register)
        return any(one.unit == unit and not one.revoked for one in register.units)

    def document(self, unit: str, arch: str, said: Said) -> bytes | None:
        """The signed document for ``unit``, if there is one and it is its turn."""
        found = unverified_head(self.bundle_of(arch))
        if found is None:
            return None
        document, offered = found
        with self._lock:
            rollout = self._rollouts.get(arch)
            if rollout is None or (rollout.number, rollout.version) != (offered.number, offered.version):
                rollout = self._rollouts[arch] = Rollout(offered.number, offered.version)
            before = (rollout.turn, rollout.stopped_by)
            granted = rollout.asked(unit, said, time.monotonic())
            if (rollout.turn, rollout.stopped_by) != before:
                _tell(rollout)
        return document if granted else None

    def admitted(self, unit: str) -> dict[str, int]:
        """How many statements of each epoch of ``unit`` the hub has admitted, by epoch."""
        question = "SELECT epoch, sum(admitted) FROM window WHERE unit LIKE ? GROUP BY epoch"
        try:
            with closing(
                sqlite3.connect(f"file:{self._settings.database}?mode=ro", uri=True, timeout=5)
            ) as db:
                return {str(epoch): int(count) for epoch, count in db.execute(question, (f"{unit}/%",))}
        except sqlite3.Error:
            return {}


def _tell(rollout: Rollout) -> None:
    if rollout.stopped_by:
        log(
            f"offer: {rollout.stopped_by} undid release {rollout.number}: it is offered to nobody any more",
            level=3,
        )
    elif rollout.turn:
        log(f"offer: it is {rollout.turn}'s turn to take {rollout.version}")
    else:
        log(f"offer: {', '.join(sorted(rollout.confirmed))} run {rollout.version}")


def unverified_head(path: Path) -> tuple[bytes, Release] | None:
    """Document and release of a bundle that ``leftfield update offer`` checked when it was put there."""
    try:
        with path.open("rb") as file:
            mark = file.read(len(bundle.MARK))
            length = int.from_bytes(file.read(4), "big")
            document = file.read(min(length, release.MAX_DOCUMENT))
    except OSError:
        return None
    if mark != bundle.MARK:
        return None
    try:
        return document, release.peeked(document)
    except LeftfieldError:
        return None


class Visit(http.server.BaseHTTPRequestHandler):
    """One unit's connection."""

    desk: ClassVar[Desk]
    protocol_version = "HTTP/1.1"
    timeout = VISIT_SECONDS

    def do_GET(self) -> None:
        """``/release``, ``/bundle`` or ``/admitted``, each with ``?arch=…``; nothing else is here."""
        unit = _name_of(self.connection)
        if not unit or not self.desk.enrolled(unit):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        try:
            untrusted = urllib.parse.urlsplit(self.path)
            asked = dict(urllib.parse.parse_qsl(untrusted.query, max_num_fields=_MOST_FIELDS))
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        if untrusted.path == "/admitted":
            self._give(json.dumps(self.desk.admitted(unit)).encode(), "application/json")
            return
        arch = asked.get("arch", "")
        if arch not in {"amd64", "arm64"} or untrusted.path not in {"/release", "/bundle"}:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        document = self.desk.document(unit, arch, _said(asked))
        if document is None:
            self._give(b"", "text/plain", HTTPStatus.NO_CONTENT)
        elif untrusted.path == "/release":
            self._give(document, "application/octet-stream")
        else:
            self._send_file(self.desk.bundle_of(arch))

    def _give(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_file(self, path: Path) -> None:
        """The bundle, or the rest of it from the byte that ``Range: bytes=N-`` names (RFC 9110 section 14)."""
        size = path.stat().st_size
        start = _start_of(self.headers.get("Range", ""), size)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if start else HTTPStatus.OK)
        self.send_header("Content-Length", str(size - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.end_headers()
        with path.open("rb") as file:
            file.seek(start)
            shutil.copyfileobj(file, self.wfile, 2**18)

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the library's signature
        """No record of who asked."""


def _said(asked: dict[str, str]) -> Said:
    failed = asked.get("failed", "0")
    return Said(
        version=asked.get("version", "0")[:32], on_trial=asked.get("trial") == "1",
        failed=int(failed) if failed.isascii() and failed.isdigit() and len(failed) < 12 else 0,
    )  # fmt: skip


def _start_of(header: str, size: int) -> int:
    number = header.removeprefix("bytes=").removesuffix("-")
    whole = header.startswith("bytes=") and number.isascii() and number.isdigit() and len(number) < 16
    return min(int(number), size) if whole else 0


def _name_of(connection: Any) -> str:  # noqa: ANN401 - a TLS socket, as the library hands it on
    subject = (connection.getpeercert() or {}).get("subject", ())
    return next((value for row in subject for name, value in row if name == "commonName"), "")


class Server(http.server.ThreadingHTTPServer):
    """The server; it listens as soon as it is made. Unfit where it cannot."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, settings: OfferConfig) -> None:
        self._context = tls(settings)
        self._seats = threading.Semaphore(VISITORS)
        handler = type("Visit", (Visit,), {"desk": Desk(settings)})
        try:
            super().__init__((settings.host, settings.port), handler)
        except OSError as error:
            where = f"{settings.host} port {settings.port}"
            raise Unfit(
                f"cannot listen: {error.strerror}", where=where, fix="stop what listens there"
            ) from None

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """Shake hands in the visitor's own thread, under its time limit; with every seat taken, close the door."""
        if not self._seats.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            request.settimeout(VISIT_SECONDS)
            secure = self._context.wrap_socket(request, server_side=True)
            super().process_request_thread(secure, client_address)
        except OSError:  # no certificate, an old protocol, gone: no news
            self.shutdown_request(request)
        finally:
            self._seats.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """A visitor went away: no news."""
        del request, client_address


def tls(settings: OfferConfig) -> ssl.SSLContext:
    """TLS 1.3 with certificates on both sides. Unfit where the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_verify_locations(settings.ca)
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        where = f"{settings.ca}, {settings.certificate}"
        raise Unfit(f"cannot use the TLS files: {error}", where=where, fix="leftfield booth renew") from None
    return context


def serve(settings: OfferConfig, stop: threading.Event) -> None:
    """Serve until ``stop`` is set."""
    with Server(settings) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
        thread.start()
        log(f"offer: updates for units on port {server.server_address[1]}")
        Notifier().say("READY=1", "STATUS=offering")
        stop.wait()
        server.shutdown()

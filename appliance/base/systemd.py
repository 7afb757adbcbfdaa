"""What every process needs of its surroundings: systemd's notify socket, credentials, a stop signal, a journal line.

Invariants:
    * Everything is opened before a process seals itself; afterwards only ``os.write`` on what is open.
    * Without systemd every call still works and does the plain thing.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit

LISTEN_FDS_START: Final = 3
"""First descriptor handed over by socket activation (sd_listen_fds(3))."""


class Notifier:
    """Tells systemd how we are (sd_notify(3)); silent where nobody listens."""

    def __init__(self) -> None:
        address = os.environ.pop("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.connect(f"\0{address[1:]}" if address.startswith("@") else address)

    @property
    def descriptor(self) -> int | None:
        """The connected socket's descriptor, to be kept open by a sealed process."""
        return self._socket.fileno() if self._socket else None

    def say(self, *lines: str) -> None:
        """Send ``READY=1``, ``WATCHDOG=1``, ``STATUS=…``; a journal that is away is no failure. No lines: nothing."""
        if self._socket and lines:
            try:
                os.write(self._socket.fileno(), "\n".join(lines).encode())
            except OSError:
                log("cannot notify systemd: its socket does not accept the message", level=4)

    def keep(self, mark: str) -> None:
        """Have systemd keep a mark for this service's next start: a name in its file-descriptor store, on nothing."""
        if self._socket:
            with Path(os.devnull).open("rb") as nothing, suppress(OSError):
                socket.send_fds(self._socket, [f"FDSTORE=1\nFDNAME={mark}".encode()], [nothing.fileno()])

    def forget(self, mark: str) -> None:
        """Have systemd forget a mark."""
        self.say("FDSTOREREMOVE=1", f"FDNAME={mark}")


def kept_marks() -> tuple[str, ...]:
    """The marks that `Notifier.keep` left before this start; their descriptors are closed. Call once, first."""
    given, names = os.environ.get("LISTEN_FDS", ""), os.environ.get("LISTEN_FDNAMES", "")
    if not given.isdigit() or os.environ.get("LISTEN_PID") != str(os.getpid()):
        return ()
    for descriptor in range(LISTEN_FDS_START, LISTEN_FDS_START + int(given)):
        with suppress(OSError):
            os.close(descriptor)
    return tuple(names.split(":"))


def log(line: str, *, level: int = 6) -> None:
    """One line on stderr with its syslog level (sd-daemon(3)): 3 error, 4 warning, 6 information."""
    prefix = f"<{level}>" if "JOURNAL_STREAM" in os.environ else ""
    sys.stderr.write(f"{prefix}{line}\n")
    sys.stderr.flush()


def stop_requested() -> threading.Event:
    """An event that SIGTERM and SIGINT set; call once, in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def credential(name: str) -> bytes:
    """The content of a credential from ``$CREDENTIALS_DIRECTORY`` (systemd.exec(5)). Unfit where it is missing."""
    directory = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/etc/leftfield/credentials"))
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        raise Unfit(
            f"cannot read credential {name}: {error.strerror}",
            where=str(directory),
            fix="enrol the unit (leftfield enrol --help), or set CREDENTIALS_DIRECTORY",
        ) from None


def inherited_descriptor() -> int | None:
    """The one descriptor handed over by socket activation (sd_listen_fds(3)), or None."""
    if os.environ.get("LISTEN_FDS") != "1" or os.environ.get("LISTEN_PID", str(os.getpid())) != str(
        os.getpid()
    ):
        return None
    os.set_inheritable(LISTEN_FDS_START, False)  # noqa: FBT003 - the function's own order
    return LISTEN_FDS_START

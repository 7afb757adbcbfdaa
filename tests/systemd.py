"""The two sockets that systemd gives a service: one to be notified by, and the journal's as standard error."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from queue import SimpleQueue

PATIENCE = 60.0
_UNTIL_HERE = b"until here"


class ServiceSockets:
    """What a service is started with (``environment``, ``stderr``), and what it says there.

    Both sockets are read all the time, as systemd reads them: who is not read cannot go on.
    """

    def __init__(self, directory: Path, *, notify: bool = True, journal: bool = True) -> None:
        self._address = str(directory / "notify")
        self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._heard.bind(self._address)
        self._notices: SimpleQueue[bytes] = SimpleQueue()
        self._journal, self._stderr = socket.socketpair()
        self._said: list[bytes] = []
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read_notices, self._read_journal)
        ]
        for reader in self._readers:
            reader.start()
        self.stderr: int | None = self._stderr.fileno() if journal else None
        self.environment = dict(os.environ)
        if notify:
            self.environment["NOTIFY_SOCKET"] = self._address

    def notice(self) -> list[str]:
        """The next notification, line by line; waits for it."""
        return self._notices.get(timeout=PATIENCE).decode().split("\n")

    def notice_with(self, words: str) -> list[str]:
        """The first notification from now on in which some line has these words."""
        deadline = time.monotonic() + PATIENCE
        lines: list[str] = []
        while not any(words in line for line in lines):
            assert time.monotonic() < deadline, f"no notification with {words!r}, at last {lines}"
            lines = self.notice()
        return lines

    def notices(self) -> list[list[str]]:
        """The notifications sent before this call and not taken yet."""
        self._send(_UNTIL_HERE)
        return [one.decode().split("\n") for one in iter(self._notices.get, _UNTIL_HERE)]

    def journal(self) -> str:
        """All that the service, which has ended, said on standard error."""
        self._stderr.close()
        self._readers[1].join(PATIENCE)
        return b"".join(self._said).decode()

    def close(self) -> None:
        """Let go of all sockets, once the service has ended."""
        self._send(b"")
        self._stderr.close()
        for reader in self._readers:
            reader.join(PATIENCE)
        self._heard.close()
        self._journal.close()

    def _send(self, words: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(words, self._address)

    def _read_notices(self) -> None:
        while words := self._heard.recv(65536):
            self._notices.put(words)

    def _read_journal(self) -> None:
        while words := self._journal.recv(65536):
            self._said.append(words)

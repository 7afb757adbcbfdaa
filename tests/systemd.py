"""The two sockets that systemd gives a service: one to be notified by, and the journal's as standard error."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

PATIENCE = 60.0


class ServiceSockets:
    """What a service is started with (``environment``, ``stderr``), and what it says there."""

    def __init__(self, directory: Path, *, notify: bool = True, journal: bool = True) -> None:
        self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._heard.bind(str(directory / "notify"))
        self._heard.settimeout(PATIENCE)
        self._journal, self._stderr = socket.socketpair()
        self._said: list[bytes] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)  # who is not read cannot go on
        self._listener.start()
        self.stderr: int | None = self._stderr.fileno() if journal else None
        self.environment = dict(os.environ)
        if notify:
            self.environment["NOTIFY_SOCKET"] = str(directory / "notify")

    def notice(self) -> list[str]:
        """The next notification, line by line; waits for it."""
        return self._heard.recv(65536).decode().split("\n")

    def notices(self) -> list[list[str]]:
        """The notifications that have come and were not taken yet."""
        self._heard.settimeout(0)
        found = []
        while True:
            try:
                found.append(self.notice())
            except BlockingIOError:
                return found

    def journal(self) -> str:
        """All that the service, which has ended, said on standard error."""
        self._stderr.close()
        self._listener.join(PATIENCE)
        return b"".join(self._said).decode()

    def _listen(self) -> None:
        while said := self._journal.recv(65536):
            self._said.append(said)

    def close(self) -> None:
        """Let go of all sockets."""
        self._stderr.close()
        self._listener.join(PATIENCE)
        for each in (self._heard, self._journal):
            each.close()

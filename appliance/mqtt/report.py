"""What the journal and systemd's status are told of a link: why it does not stand, each reason once.

A broker is tried every few seconds for as long as it is away; the journal must not fill up with that.
"""

from __future__ import annotations

from typing import Final

from appliance.base.errors import Unavailable
from appliance.base.systemd import log
from appliance.mqtt.link import Link

_DEAD: Final = "the network thread ended or hangs"


class LinkReport:
    """The journal of one ``link``, in lines that begin with ``who``."""

    def __init__(self, link: Link, who: str) -> None:
        self._link = link
        self._who = who
        self._said: set[str] = set()
        self._connections = 0

    def take(self) -> None:
        """Log what is new: a reason not said since the link last stood, or that it stands. Call it often."""
        if self._link.connections != self._connections:
            self._connections = self._link.connections
            self._said.clear()
            log(f"{self._who}: broker connected")
        if not self._link.alive and _DEAD not in self._said:
            self._said.add(_DEAD)
            log(
                f"{self._who}: {_DEAD}; the watchdog ends this service. Fix: none; report it if it comes back",
                level=3,
            )
        trouble = self._link.trouble
        if trouble is not None and str(trouble) not in self._said:
            self._said.add(str(trouble))
            log(f"{self._who}: not connected: {trouble}", level=4)

    @property
    def alive(self) -> tuple[str, ...]:
        """``WATCHDOG=1`` for systemd; nothing where the network thread is dead, so that the watchdog bites."""
        return ("WATCHDOG=1",) if self._link.alive else ()

    @property
    def status(self) -> str:
        """For systemd's ``STATUS=``, which is one line; empty while the link stands."""
        if not self._link.alive:
            return _DEAD
        if self._link.up:
            return ""
        trouble = self._link.trouble
        return "connecting" if trouble is None else f"not connected: {_short(trouble)}"


def _short(trouble: Unavailable) -> str:
    return f"{trouble.where}: {trouble.what}"

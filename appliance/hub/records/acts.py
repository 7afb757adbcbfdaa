"""The hub's log of acts: who did what when; only added to, chained, and forgotten after a quarter.

Invariants:
    * Each act is taken once; what a command wrote down is known by its mark.
    * Each row's link is a hash over the link before it and the row: whoever changes one breaks all that follow.
    * Pure: no I/O, no clock. The database refuses changes itself (``storage/schema.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable
from typing import Final

from appliance.hub.messages import OutgoingMessage
from appliance.protocol import topics
from appliance.protocol.acts import KEPT_SECONDS, Act, ActKind
from appliance.protocol.values import BoothId, Seconds

TOLD: Final = 100
"""The newest acts that the lead is shown; all of them: ``leftfield acts``."""
LINK_BYTES: Final = 32
BEGINNING: Final = bytes(LINK_BYTES)


def link(before: bytes, act: Act) -> bytes:
    """The link of ``act`` in the chain after ``before`` (32 bytes each, SHA-256)."""
    return hashlib.sha256(before + json.dumps([*act.row, act.mark]).encode()).digest()


class Acts:
    """What was ``stored``, oldest first, and what comes to it."""

    def __init__(self, booth: BoothId, stored: Iterable[Act] = ()) -> None:
        stored = tuple(stored)
        self._booth = booth
        self._newest = deque(stored, maxlen=TOLD)
        self._marks = {act.mark for act in stored if act.mark}
        self._ages = deque((act.at, act.mark) for act in stored)
        self._news: list[Act] = []
        self._told = False

    def add(self, kind: ActKind, who: str, now: Seconds, *, of: str = "") -> None:
        """Somebody did something at ``now``."""
        self._take(Act.now(kind, who, now, of=of))

    def take(self, acts: Iterable[Act]) -> None:
        """Take in what commands wrote down; what is known already is passed over."""
        for act in acts:
            if act.mark not in self._marks:
                self._marks.add(act.mark)
                self._take(act)

    def _take(self, act: Act) -> None:
        self._news.append(act)
        self._ages.append((act.at, act.mark))
        self._newest.append(act)
        self._told = False

    def forget(self, now: Seconds) -> int:
        """Drop what is older than ``KEPT_SECONDS``; up to which unix second the database is to, or 0 for nothing.

        Only what came first goes, or the chain would have a hole: a clock that was set leaves some for longer.
        """
        limit, forgotten = int(now) - KEPT_SECONDS, False
        while self._ages and self._ages[0][0] <= limit:
            self._marks.discard(self._ages.popleft()[1])
            forgotten = True
        while self._newest and len(self._newest) > len(self._ages):
            self._newest.popleft()
            self._told = False
        return limit if forgotten else 0

    def news(self) -> tuple[Act, ...]:
        """What is to be stored; each is given once."""
        news, self._news = tuple(self._news), []
        return news

    def telling(self, now: Seconds, *, again: bool = False) -> tuple[OutgoingMessage, ...]:
        """What the lead is told, where there is news or ``again``: the newest, newest first."""
        if self._told and not again:
            return ()
        self._told = True
        # The broker keeps this message: when it was last said is when somebody last did something with an alert.
        payload = {
            "v": 1,
            "booth": self._booth,
            "at": int(now) // 86_400 * 86_400,
            "acts": [act.row for act in self._newest][::-1],
        }
        return (OutgoingMessage(topic=topics.acts(self._booth), payload=json.dumps(payload).encode()),)

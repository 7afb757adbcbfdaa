"""RELAY's intake: records from the pipe into the spool, none lost and none twice, whenever RELAY is killed.

Invariants:
    * Two steps: a record is copied out of the pipe and made durable, and only then taken off it. The pipe outlives
      RELAY, so a kill between the two leaves the record in both: the successor knows it by the spool's last records
      and takes it off without keeping it again.
    * While the disk takes nothing records wait in memory (``spool``), and a kill then costs what waits there.
    * What opens goes on, and no faster than ``seal_check`` allows; the rest is dropped and counted.
    * Stick figures of a unit that is aimed are kept nowhere: ``figures`` has those of this round that may leave.
"""

from __future__ import annotations

import select
import time
from collections import deque
from typing import Final

from appliance.base.systemd import log
from appliance.unit.outbox.aim_gate import AimGate
from appliance.unit.outbox.seal_check import BURST, SealCheck
from appliance.unit.outbox.spool import Spool
from appliance.unit.pipe.peek import PipePeek
from appliance.unit.pipe.record import AIM_MARK, PipeReader

IDLE_SECONDS: Final = 0.5
COMPLAINT_SECONDS: Final = 10.0
"""What does not open is said at most so often."""
_REMEMBERED: Final = 2 * int(BURST)
"""Records of which it is known that they are kept: no look into the pipe shows more than ``BURST``."""


class Intake:
    """The read end of the pipe: what ``gate`` lets through goes into the spool."""

    def __init__(
        self, descriptor: int, spool: Spool, gate: SealCheck, aim_gate: AimGate | None = None
    ) -> None:
        self._pipe = PipePeek(descriptor)
        self._spool = spool
        self._gate = gate
        self._aim_gate = aim_gate or AimGate(0.0)
        self.figures: tuple[bytes, ...] = ()
        self._reader = PipeReader()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._kept = deque(spool.newest(_REMEMBERED), maxlen=_REMEMBERED)
        self._bad_said = (0, 0)
        self._bad_said_at = -COMPLAINT_SECONDS
        self.received = 0

    def take(self, *, wait: float) -> bool:
        """Wait up to ``wait`` seconds for records and spool those the gate lets through; True where any was read.

        While nobody holds the write end the pipe is always ready with nothing, and while the allowance is used up it
        must not be read: then the wait is slept.
        """
        self.figures = ()
        most = self._gate.readable(time.monotonic())
        if not most:
            time.sleep(wait)
            return False
        if not self._poll.poll(wait * 1000):
            return False
        try:
            untrusted_stream = self._pipe.look(most)
        except BlockingIOError:
            return False
        untrusted_envelopes, done = self._reader.envelopes_in(untrusted_stream)
        if not done:  # nothing, or the first half of a record after garbage
            time.sleep(min(wait, IDLE_SECONDS))
            return False
        self._gate.spend(done)
        self._keep(untrusted_envelopes)
        self._pipe.take(done)
        return bool(untrusted_envelopes)

    def _keep(self, untrusted_envelopes: tuple[bytes, ...]) -> None:
        fresh = [one for one in untrusted_envelopes if one not in self._kept]
        envelopes = self._gate.let_through([one for one in fresh if not one.startswith(AIM_MARK)])
        if self._gate.health:
            self._aim_gate.heard(self._gate.health)
        untrusted = [one.removeprefix(AIM_MARK) for one in untrusted_envelopes if one.startswith(AIM_MARK)]
        self.figures = self._aim_gate.let_through(untrusted, time.monotonic())
        self._complain(time.monotonic())
        if not envelopes:
            return
        self._spool.append(envelopes)
        self._kept.extend(envelopes)
        self.received += len(envelopes)

    def _complain(self, now: float) -> None:
        """Say what was dropped, where there is news and the last word is old enough."""
        bad = (self._reader.bad, self._gate.refused)
        if bad == self._bad_said or now - self._bad_said_at < COMPLAINT_SECONDS:
            return
        log(
            f"relay: dropped so far: {bad[0]} stretches of the pipe that were no records, "
            f"{bad[1]} records that this unit's key did not seal",
            level=4,
        )
        self._bad_said, self._bad_said_at = bad, now

    def close(self) -> None:
        """Close what was made here; the pipe itself stays open."""
        self._pipe.close()

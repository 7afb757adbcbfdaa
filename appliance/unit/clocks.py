"""The unit's clocks: time since boot, always true, and wall time only where the kernel calls it synchronised.

Invariants: read-only; coarse (``TIME_STEP``); a clock that is not synchronised gives no wall time at all.
"""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.protocol.health import FPS_LIMIT
from appliance.protocol.values import COUNTER_LIMIT, TIME_STEP, PhenomenonTime, Steps

_TIMEX_BYTES: Final = 208
"""sizeof(struct timex) on 64-bit Linux; ``modes`` is its first int, 0 asks without setting (adjtimex(2))."""
_TIME_ERROR: Final = 5
_SYNCHRONISED: Final = Path("/run/systemd/timesync/synchronized")


def is_synchronised() -> bool:
    """Whether the kernel's clock is disciplined by a time source.

    That is what adjtimex(2) says (anything but TIME_ERROR). Under systemd's ``ProtectClock=`` it may not be asked;
    there systemd-timesyncd's mark counts (systemd-time-wait-sync.service(8)).
    """
    state = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return state < _TIME_ERROR if state >= 0 else _SYNCHRONISED.exists()


def wall_time() -> float | None:
    """Unix seconds; None where the clock is not set."""
    return time.time() if is_synchronised() else None


def phenomenon_time(at: float) -> PhenomenonTime:
    """The coarse time of what was seen at ``at`` monotonic seconds; what lies ahead of now is now."""
    ago = max(0.0, time.monotonic() - at)
    uptime = max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ago)
    wall = Steps(int(time.time() - ago) // TIME_STEP) if is_synchronised() else None
    if wall is not None and not 0 < wall < COUNTER_LIMIT:
        wall = None
    return PhenomenonTime(uptime=Steps(int(uptime) // TIME_STEP), wall=wall)


@dataclass(slots=True)
class Pace:
    """Frames read since the last heartbeat, for the frame rate."""

    frames: int = 0
    since: float = 0.0

    def rate(self, now: float) -> int:
        """Frames a second since the last call, rounded, as it fits the wire."""
        elapsed = max(now - self.since, 1.0)
        rate = min(FPS_LIMIT - 1, round(self.frames / elapsed))
        self.frames, self.since = 0, now
        return rate

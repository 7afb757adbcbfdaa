"""Progress of long commands."""

from __future__ import annotations

import io

import pytest

from appliance.settings.progress import Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("out", [io.StringIO(), _Terminal()])
def test_a_short_command_says_nothing(out: io.StringIO) -> None:
    """What ends within two seconds has no progress."""
    now = [0.0]
    progress = Progress("score", 100, out=out, clock=lambda: now[0])
    for done in range(100):
        now[0] = done * 0.019
        progress.step(done)
    progress.end()
    assert out.getvalue() == ""


def test_a_long_command_says_a_line_now_and_then() -> None:
    """Where nobody draws, a line is written every five seconds after the first two."""
    now, out = [0.0], io.StringIO()
    progress = Progress("score", 1000, out=out, clock=lambda: now[0])
    for done in range(0, 1000, 10):
        now[0] = done * 0.02
        progress.step(done)
    progress.end()
    assert out.getvalue().splitlines() == [f"score: {done} of 1,000" for done in (100, 350, 600, 850)]


def test_a_terminal_is_drawn_in_place_and_left_clean() -> None:
    """On a terminal one line is drawn anew, and removed at the end."""
    now, out = [0.0], _Terminal()
    progress = Progress("score", out=out, clock=lambda: now[0])
    for second in (1.0, 2.5, 2.6, 3.0):
        now[0] = second
        progress.step(int(second * 10))
    progress.end()
    assert out.getvalue() == "\rscore: 25\x1b[K\rscore: 30\x1b[K\r\x1b[K"

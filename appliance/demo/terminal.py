"""The demo's terminal: one picture, drawn anew in place; where there is no terminal, one line now and then.

Invariants:
    * Drawing is a pure function from a ``DemoView`` and a size to lines; only ``Screen`` writes.
    * It fits 80 x 24, never scrolls, never flickers, and leaves the terminal as it found it.
    * The word SIMULATED stands on it as long as anything is.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import Final, TextIO

import segno

_LETTERS: Final = {
    "L": ("█  ", "█  ", "▀▀▀"),
    "E": ("█▀▀", "█▀ ", "▀▀▀"),
    "F": ("█▀▀", "█▀ ", "▀  "),
    "T": ("▀█▀", " █ ", " ▀ "),
    "I": ("█", "█", "▀"),
    "D": ("█▀▄", "█ █", "▀▀ "),
}
_RESET: Final = "\x1b[0m"
_STYLES: Final = {
    "title": "\x1b[1;38;5;214m",
    "label": "\x1b[1m",
    "quiet": "\x1b[2m",
    "good": "\x1b[32m",
    "bad": "\x1b[1;31m",
    "mark": "\x1b[1;30;43m",
    "qr": "\x1b[30;107m",
}
LEFT_WIDTH: Final = (40, 64)
"""Least and most characters of the words beside the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoView:
    """What is to be seen. Rates are per second; ages in seconds."""

    running: float
    local_link: str
    room_link: str
    here_link: str
    network_link: str
    starting: str
    unit: str
    unit_state: str
    unit_boxed: bool | None
    unit_source: str
    fps: int
    real_observations: int
    first_real_after: float | None
    simulated_units: int
    simulated_rate: float
    people: int
    needs: int
    flags: int
    alerts: int
    alerts_real: int
    claims: int
    refused: int
    missing: int
    last_alert: str
    last_alert_where: str
    last_alert_age: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line and its style; styled pieces are (text, style) pairs."""

    pieces: tuple[tuple[str, str], ...] = ()

    @property
    def width(self) -> int:
        return sum(len(text) for text, _ in self.pieces)

    def painted(self, width: int, *, colour: bool) -> str:
        """The line cut or padded to ``width`` characters."""
        left, painted = width, ""
        for text, style in self.pieces:
            shown = text[:left]
            left -= len(shown)
            painted += f"{_STYLES[style]}{shown}{_RESET}" if colour and style else shown
        return painted + " " * left


def _line(*pieces: str | tuple[str, str]) -> _Line:
    return _Line(tuple((piece, "") if isinstance(piece, str) else piece for piece in pieces))


def qr_lines(link: str) -> list[str]:
    """The link as a QR code, two modules a character.

    The quiet zone is two modules; ISO/IEC 18004 asks for four, phones do not.
    """
    rows = [
        bytearray(row)
        for row in segno.make(link, error="l", micro=False, boost_error=False).matrix_iter(border=2)
    ]
    if len(rows) % 2:
        rows.append(bytearray(len(rows[0])))
    glyphs = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
    return [
        "".join(glyphs[upper, lower] for upper, lower in zip(top, bottom, strict=True))
        for top, bottom in zip(rows[::2], rows[1::2], strict=True)
    ]


def _title() -> list[_Line]:
    return [
        _line(("".join(_LETTERS[letter][row] + " " for letter in "LEFTFIELD"), "title")) for row in range(3)
    ]


def _left(view: DemoView, width: int) -> list[_Line]:
    boxed = {
        None: ("starting", "quiet"),
        True: ("boxed", "good"),
        False: ("NOT BOXED", "bad"),
    }[view.unit_boxed]
    first = f"first after {view.first_real_after:.1f} s" if view.first_real_after is not None else "none yet"
    usual = (
        ("baseline ready", "good")
        if view.people and not view.needs
        else (f"baseline needs {view.needs} more people" if view.people else "baseline empty", "quiet")
    )
    lines = [
        *_title(),
        _line((" a booth in a box ", "quiet"), " ", (" SIMULATED street ", "mark")),
        _line(),
        _line(("REAL UNIT ", "label"), view.unit),
        _line(f" {view.unit_state}  {view.unit_source}  {view.fps} fps  ", boxed),
        _line(f" {view.real_observations} people read; ", (first, "quiet")),
        _line(("SIMULATED STREET ", "label"), f"{view.simulated_units} signing units"),
        _line(f" {view.simulated_rate:.1f} people a second"),
        _line(("HUB ", "label"), f"{view.people} people  ", usual),
        _line(f" {view.flags} exceptions  {view.refused} refused  {view.missing} missing"),
        _line(("ALERTS ", "label"), f"{view.alerts} reached a tablet, {view.claims} claimed"),
    ]
    if view.alerts:
        lines.append(_line(f" {view.alerts_real} from the real unit ({view.real_observations} read)"))
    if view.last_alert_age is not None:
        said = textwrap.wrap(view.last_alert, max(1, width - 2))[:3]
        lines.append(_line((f" {view.last_alert_age:.0f} s ago, {view.last_alert_where}", "quiet")))
        lines.extend(_line(" ", (text, "title")) for text in said)
    elif view.starting:
        lines.append(_line((f" {view.starting}", "quiet")))
    return lines


def _foot(view: DemoView, width: int) -> list[_Line]:
    lines = [_line((note, "bad")) for note in view.notes[-1:]]
    lines.append(_line(("On this machine: ", "label"), view.local_link))
    lines.append(_line(("Big screen:      ", "label"), view.room_link))
    lines.append(_line(("Public page:     ", "label"), view.here_link))
    if not view.network_link:
        lines.append(_line(("No network: tablets cannot reach this machine (--host ADDRESS).", "quiet")))
    elif len(view.network_link) + 16 <= width:
        lines.append(_line(("On the network:  ", "label"), view.network_link))
    minutes, seconds = divmod(int(view.running), 60)
    lines.append(_line((f"{minutes}:{seconds:02d} running. Ctrl-C stops everything.", "quiet")))
    return lines


def draw(view: DemoView, width: int, height: int, *, colour: bool = True) -> list[str]:
    """Exactly ``height`` lines of ``width`` characters (escape sequences not counted)."""
    foot = _foot(view, width)
    code = qr_lines(view.network_link) if view.network_link else []
    least, most = LEFT_WIDTH
    room = width - len(code[0]) - 2 if code else width
    if room < least or len(code) + len(foot) > height:
        code, room = [], width
    left = _left(view, min(room, most))
    lines = []
    for row in range(height - len(foot)):
        text = left[row] if row < len(left) else _line()
        if row < len(code):
            beside = min(room, most)
            shown = f"{_STYLES['qr']}{code[row]}{_RESET}" if colour else code[row]
            rest = " " * (width - beside - 1 - len(code[row]))
            lines.append(f"{text.painted(beside, colour=colour)} {shown}{rest}")
        else:
            lines.append(text.painted(width, colour=colour))
    lines.extend(line.painted(width, colour=colour) for line in foot)
    return lines[:height]


def status_line(view: DemoView) -> str:
    """The same in one line."""
    if view.starting and not view.people:
        return f"{view.running:4.0f} s  {view.starting}"
    baseline = "baseline ready" if view.people and not view.needs else f"baseline needs {view.needs} more"
    boxed = {True: "boxed", False: "NOT BOXED", None: "not heard yet"}[view.unit_boxed]
    line = (
        f"{view.running:4.0f} s  {view.unit} {view.unit_state} {view.fps} fps "
        f"{boxed}, {view.real_observations} people read | SIMULATED street "
        f"{view.simulated_rate:.1f}/s | hub {view.people} people, {baseline} | {view.alerts} alerts, "
        f"{view.alerts_real} from the real unit"
    )
    return f"{line} | last: {view.last_alert}" if view.last_alert else line


class Screen:
    """Where the view is shown; on a terminal in place, elsewhere a line every ``every`` seconds."""

    def __init__(self, output: TextIO | None = None, *, plain: bool = False, every: float = 5.0) -> None:
        self._output = output or sys.stdout
        self._live = not plain and self._output.isatty()
        self._colour = not os.environ.get("NO_COLOR")  # https://no-color.org
        self._every = every
        self._said_at = float("-inf")
        if self._live:
            self._output.write("\x1b[?1049h\x1b[?25l\x1b[2J")

    @property
    def live(self) -> bool:
        """Whether the view is drawn in place."""
        return self._live

    def show(self, view: DemoView) -> None:
        """Draw, or say a line where one is due."""
        if self._live:
            size = shutil.get_terminal_size()
            lines = draw(view, size.columns, size.lines, colour=self._colour)
            self._output.write("\x1b[H" + "\r\n".join(lines))
            self._output.flush()
        elif view.running - self._said_at >= self._every:
            self._said_at = view.running
            self._output.write(status_line(view) + "\n")
            self._output.flush()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live:
            self._output.write("\x1b[?25h\x1b[?1049l")
            self._output.flush()
            self._live = False

"""What the card reader's box says in plain lines while its walls go up; from its seal on, nothing.

A process that has seen a frame could print it. So the one outside passes on lines until the one that says that the
box is sealed, which an honest box writes before it looks at a frame, and throws away whatever comes behind it.

Invariants:
    * Lines are bounded in number, length and all together, and hold printable ASCII only.
    * The pipe is emptied to the end in any case, so that nothing holds the box up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

SEALED: Final = "card: sealed"
"""With this the last line begins, but for a journal's level."""
_MOST_LINES: Final = 64
_MOST_LETTERS: Final = 400
_MOST_IN_ALL: Final = 4096


class Complaints:
    """Bytes of the box's standard error in, lines to ``show`` out, until the box is sealed."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._rest = b""
        self._lines = 0
        self._letters = 0
        self.sealed: bool = False
        """Whether the box has said that it is; from then on it is not listened to."""

    def take(self, untrusted: bytes) -> None:
        """Pass on the lines that are whole by now."""
        if self.sealed:
            return
        *lines, self._rest = (self._rest + untrusted).split(b"\n")
        self._rest = self._rest[: 4 * _MOST_LETTERS]
        for line in lines:
            self._tell(line)

    def end(self) -> None:
        """The box has ended: what is left without a line's end is a line."""
        if self._rest:
            self._tell(self._rest)
        self._rest = b""

    def _tell(self, line: bytes) -> None:
        if self.sealed:
            return
        text = line.decode("ascii", "replace")[:_MOST_LETTERS]
        text = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in text)
        self._lines += 1
        self._letters += len(text)
        if self._lines <= _MOST_LINES and self._letters <= _MOST_IN_ALL:
            self._show(text)
        self.sealed = SEALED in text[: len(SEALED) + 3]

"""What set-up says to the person waiting, and how it runs other programs.

Invariants: one line per step, saying what and how large; a failure is one message: what, where, how to fix it.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TAIL_LINES = 12


class SetupError(Exception):
    """A step cannot be completed; the message says what happened and how to fix it."""


def say(step: str, text: str) -> None:
    """Print one progress line, at once, on standard error (standard output belongs to the program set up)."""
    print(f"setup  {step:<8} {text}", file=sys.stderr, flush=True)


def megabytes(size_bytes: int) -> str:
    """Return a size for people, in decimal megabytes; small ones keep one decimal."""
    size_mb = size_bytes / 1e6
    return f"{size_mb:.0f} MB" if size_mb >= 10 else f"{size_mb:.1f} MB"


def capture(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program and return what it wrote on standard output.

    Raises SetupError with the end of its messages when it is missing or exits with another code than 0.
    """
    try:
        done = subprocess.run(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise SetupError(f"cannot start {argv[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise SetupError(f"`{_brief(argv)}` failed:\n{tail(done.stderr or done.stdout)}")
    return done.stdout


def succeeds(argv: Sequence[str]) -> bool:
    """Tell whether a program exists, runs and exits with code 0; its output is dropped."""
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def tail(text: str) -> str:
    """Return the last lines of a program's messages, indented for quoting."""
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-_TAIL_LINES:])


def _brief(argv: Sequence[str]) -> str:
    words = " ".join(argv)
    return words if len(words) <= 90 else words[:87] + "..."

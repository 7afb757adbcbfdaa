"""Streams of the command line: what is read from a file or standard input, and written to a file or standard output.

Invariants:
    * ``-`` names standard input or output wherever a file is named.
    * A place that cannot be read or written is Unfit in one line: no traceback, whatever the disk says.
    * Bytes that are no text never go to a terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from appliance.base.errors import Unfit

STANDARD: Final = Path("-")
"""How standard input and output are named."""
MAX_INPUT: Final = 64 * 1024 * 1024
"""Bytes read of one input at most: ten times the largest baseline."""


def read_bytes(path: Path, *, fix: str = "name an existing file, or - for standard input") -> bytes:
    """All bytes of a file or of standard input, at most `MAX_INPUT`. Unfit where they cannot be read."""
    try:
        if path == STANDARD:
            return sys.stdin.buffer.read(MAX_INPUT)
        with path.open("rb") as file:
            return file.read(MAX_INPUT)
    except OSError as error:
        raise Unfit(f"cannot read the file: {error.strerror}", where=str(path), fix=fix) from None


@contextmanager
def text_input(path: Path) -> Iterator[TextIO]:
    """Standard input or a UTF-8 file as text; a byte order mark is skipped. OSError where it cannot be opened."""
    if path == STANDARD:
        yield sys.stdin
        return
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield lines


@contextmanager
def text_output(path: Path, *, option: str = "--out") -> Iterator[TextIO]:
    """Standard output or a new UTF-8 file, flushed at the end. Unfit where it cannot be written, to the last byte."""
    name = "standard output" if path == STANDARD else str(path)
    try:
        if path == STANDARD:
            yield sys.stdout
            sys.stdout.flush()
            return
        with path.open("w", encoding="utf-8", newline="") as out:
            yield out
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename not in {None, str(path), path}:  # of another file, which the caller reads meanwhile
            raise
        raise unwritable(name, error, option=option) from None


def write_bytes(content: bytes, path: Path = STANDARD, *, option: str = "--out") -> None:
    """Write to a file or standard output. Unfit where that fails, or where the bytes would go to a terminal."""
    try:
        if path != STANDARD:
            path.write_bytes(content)
            return
        if sys.stdout.isatty():
            raise Unfit(
                "the result is binary and would go to a terminal",
                where="standard output",
                fix=f"redirect it to a file, such as > corner.baseline, or give {option} FILE",
            )
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if path == STANDARD else str(path)
        raise unwritable(name, error, option=option) from None


def unwritable(name: str, error: OSError, *, option: str = "--out") -> Unfit:
    """The one line of an output that cannot be written; what is left in its buffers is thrown away."""
    fix = f"free space on that disk, or give another {option}"
    if name == "standard output":
        discard_output()
        fix = "free space where it is redirected to, or redirect it to another disk"
    return Unfit(f"cannot write: {error.strerror or 'unknown error'}", where=name, fix=fix)


def discard_output() -> None:
    """Let what standard output still buffers go nowhere: the interpreter's end finds nothing to complain of."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

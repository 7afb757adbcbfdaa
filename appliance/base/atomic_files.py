"""Small files that are either the old one or the new one, whatever happens: write, fsync, rename, fsync.

Invariants:
    * Nobody ever reads half a file, after a power cut neither.
    * A secret is never readable by others, not for an instant: a file is born with its mode.
    * Replacing a file keeps its mode and, where root does it, its owner: a service account set once keeps its access.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit

SECRET: Final = 0o600
PUBLIC: Final = 0o644
SECRET_DIRECTORY: Final = 0o700
PUBLIC_DIRECTORY: Final = 0o755


def write_durably(path: Path, content: bytes, *, mode: int) -> None:
    """Put ``content`` at ``path`` at once or not at all; ``mode`` is for a new file. Unfit where it cannot be."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        old = path.stat() if path.exists() else None
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, SECRET)
        with os.fdopen(descriptor, "wb") as file:
            if old and os.geteuid() == 0 and (old.st_uid, old.st_gid) != (0, os.getegid()):
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, old.st_mode & 0o777 if old else mode)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        partial.rename(path)
        sync_directory(path.parent)
    except OSError as error:
        raise Unfit(
            f"cannot write the file: {error.strerror}",
            where=str(path),
            fix="check for a full disk or missing write permission",
        ) from None


def make_directory(path: Path, *, mode: int) -> None:
    """Make ``path`` (and its parents) with exactly ``mode``; one that exists keeps its owner."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
        path.chmod(mode)
    except OSError as error:
        raise Unfit(
            f"cannot make the directory: {error.strerror}", where=str(path), fix="choose another --directory"
        ) from None


def read(path: Path, *, fix: str) -> bytes:
    """The content of a file that ought to be there; Unfit with ``fix`` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unfit(f"cannot read the file: {error.strerror}", where=str(path), fix=fix) from None


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the directory's lock: one writer at a time, across processes."""
    try:
        descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET)
    except OSError as error:
        raise Unfit(
            f"cannot lock the file: {error.strerror}",
            where=str(directory),
            fix="run as the owner of that directory (root), which must exist",
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable. OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

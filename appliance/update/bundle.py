"""Bundle: one file with a signed release and its parts, read once from front to back.

Invariants:
    * The file is a mark, the length of the signed document, the document, then the parts, and nothing after them.
    * A reader never takes more bytes than the signed document says, whatever the source would give.
    * A part counts only when its last byte was read and its hash is right; until then it bears another name.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from appliance.base.errors import Refused, Rule, Unfit
from appliance.update import release as releases
from appliance.update.release import Part, Release

MARK: Final = b"LEFTFIELD UPDATE 1\n"
SUFFIX: Final = ".update"
_LENGTH: Final = struct.Struct(">I")
_CHUNK: Final = 2**20


class Source(Protocol):
    """What a bundle is read from: a file, or a connection."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The front of a bundle: the signed document as it came, and the release that it holds."""

    untrusted_document: bytes
    release: Release

    @property
    def length(self) -> int:
        """Bytes of the whole bundle."""
        return len(MARK) + _LENGTH.size + len(self.untrusted_document) + self.release.length


def write(target: Path, document: bytes, parts: list[Path]) -> int:
    """Write a bundle of ``document`` and ``parts`` (in order); its length. Unfit where it cannot be written."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as out:
            out.write(MARK + _LENGTH.pack(len(document)) + document)
            for path in parts:
                with path.open("rb") as part:
                    while chunk := part.read(_CHUNK):
                        out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        partial.rename(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Unfit(
            f"cannot write the bundle: {error.strerror}", where=str(target), fix="check the disk"
        ) from None
    return target.stat().st_size


def read_head(source: Source, public_key: bytes) -> Head:
    """The front of a bundle. Refused as by ``release.opened``, or MALFORMED where it is no bundle."""
    if _exactly(source, len(MARK)) != MARK:
        raise _refused(Rule.MALFORMED, "it is no update for this product")
    (length,) = _LENGTH.unpack(_exactly(source, _LENGTH.size))
    if length > releases.MAX_DOCUMENT:
        raise _refused(Rule.TOO_LONG, f"its document would have {length} bytes")
    document = _exactly(source, length)
    return Head(untrusted_document=document, release=releases.opened(document, public_key))


def check_parts(source: Source, release: Release, heard: Callable[[int], None]) -> None:
    """Read the parts to the end and check them; nothing is kept.

    Refused: DAMAGED (mix-and-match, truncation), TOO_LONG (endless data).
    """
    done = 0
    for part in release.parts:
        state = hashlib.sha256()
        for chunk in _bytes_of(source, part):
            state.update(chunk)
            done += len(chunk)
            heard(done)
        _check(part, state.hexdigest())
    _check_end(source)


def keep_parts(
    source: Source, release: Release, folder: Path, heard: Callable[[int], None]
) -> dict[str, Path]:
    """Put the parts into ``folder``, each under its name when it is whole and right. Refused as ``check_parts``."""
    kept: dict[str, Path] = {}
    done = 0
    folder.mkdir(parents=True, exist_ok=True)
    for part in release.parts:
        state = hashlib.sha256()
        partial = folder / f"{part.name}.partial"
        try:
            with partial.open("wb") as out:
                for chunk in _bytes_of(source, part):
                    state.update(chunk)
                    out.write(chunk)
                    done += len(chunk)
                    heard(done)
                out.flush()
                os.fsync(out.fileno())
            _check(part, state.hexdigest())
        except OSError as error:
            partial.unlink(missing_ok=True)
            fix = "free space on the state partition"
            raise Unfit(f"cannot keep {part.name}: {error.strerror}", where=str(folder), fix=fix) from None
        except Refused:
            partial.unlink(missing_ok=True)
            raise
        kept[part.name] = folder / part.name
        partial.rename(kept[part.name])
    _check_end(source)
    return kept


def _bytes_of(source: Source, part: Part) -> Iterator[bytes]:
    left = part.length
    while left:
        chunk = source.read(min(_CHUNK, left))
        if not chunk:
            raise _refused(Rule.DAMAGED, f"it ends within {part.name}: {left:,} bytes are missing")
        left -= len(chunk)
        yield chunk


def _check(part: Part, sha256: str) -> None:
    if sha256 != part.sha256:
        raise _refused(Rule.DAMAGED, f"{part.name} is not what was signed")


def _check_end(source: Source) -> None:
    if source.read(1):
        raise _refused(Rule.TOO_LONG, "it goes on after its last part")


def _exactly(source: Source, size: int) -> bytes:
    got = b""
    while len(got) < size and (chunk := source.read(size - len(got))):
        got += chunk
    if len(got) != size:
        raise _refused(Rule.DAMAGED, "it ends within its head")
    return got


def _refused(rule: Rule, what: str) -> Refused:
    return Refused(
        rule, what, where="update", fix="copy or fetch the update again; if that is no help, ask its maker"
    )

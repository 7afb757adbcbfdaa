"""Flashing: an image written to a card with this machine's own state, read back and compared.

Invariants:
    * Nothing is written before image and card have been looked at; nothing is "done" before it has been read back.
    * A card that does not hold what was written is an error, and says where.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from appliance.base.errors import Unfit
from appliance.image import gpt, seed, target
from appliance.image.seed import Seed

_CHUNK: Final = 4 * 2**20
Progressed = Callable[[str, int, int], None]
"""Hears what is done, how many bytes of it, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A card that holds what it should: bytes, SHA-256 of what was written and read back, seconds."""

    size: int
    sha256: str
    seconds: float


def flash(image: Path, card: Path, told: Seed, progressed: Progressed) -> Written:
    """Write ``image`` and ``told`` to ``card`` and read it back. Unfit where anything is not as it must be."""
    begun = time.monotonic()
    target.refuse_what_is_in_use(card)
    state = _state_partition(image)
    size = image.stat().st_size
    if card.exists() and card.samefile(image):
        raise Unfit("that is the image itself", where=str(card), fix="name the card")
    with tempfile.TemporaryDirectory(prefix="leftfield-flash-") as folder:
        fresh = seed.state_file_system(told, state.size, Path(folder))
        with image.open("rb") as source, fresh.open("rb") as own, target.opened(card, size) as file:
            written = hashlib.sha256()
            plain = hashlib.sha256()
            done = 0
            for chunk in _chunks(source, own, state, plain):
                _write_all(file, chunk, card)
                written.update(chunk)
                done += len(chunk)
                progressed("writing", done, size)
            _compare_with_note(image, plain.hexdigest())
            target.forget_cache(file)
            read = _read_back(file, size, progressed)
    if read != written.hexdigest():
        raise Unfit(
            "it does not hold what was written to it",
            where=str(card),
            fix="take another card or another reader, and flash again",
        )
    return Written(size=size, sha256=read, seconds=time.monotonic() - begun)


def _state_partition(image: Path) -> gpt.Partition:
    try:
        with image.open("rb") as file:
            found = [one for one in gpt.partitions(file, str(image)) if one.label == seed.LABEL]
    except OSError as error:
        raise Unfit(f"cannot read it: {error.strerror}", where=str(image), fix="name an image") from None
    if len(found) != 1 or found[0].start + found[0].size > image.stat().st_size:
        raise Unfit(
            "it has no state partition, or was cut off",
            where=str(image),
            fix="name the .raw file of leftfield image",
        )
    return found[0]


def _chunks(source: BinaryIO, own: BinaryIO, state: gpt.Partition, plain: hashlib._Hash) -> Iterator[bytes]:
    """The image's bytes with the card's own state in their place; ``plain`` hears the image's."""
    at = 0
    while chunk := source.read(_CHUNK if at >= state.start else min(_CHUNK, state.start - at)):
        plain.update(chunk)
        if state.start <= at < state.start + state.size:
            own.seek(at - state.start)
            ours = own.read(min(len(chunk), state.start + state.size - at))
            chunk = ours + chunk[len(ours) :]
        yield chunk
        at += len(chunk)


def _write_all(file: BinaryIO, chunk: bytes, card: Path) -> None:
    try:
        view = memoryview(chunk)
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise Unfit(
            f"writing failed: {error.strerror}",
            where=str(card),
            fix="is it write-protected, or worn out? take another",
        ) from None


def _compare_with_note(image: Path, sha256: str) -> None:
    """The image's own bytes against what was noted when it was made, where the note lies beside it."""
    note = image.with_suffix(".json")
    try:
        noted = json.loads(note.read_text("utf-8"))["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if noted != sha256:
        raise Unfit(
            "the image is not the one that was made: its bytes differ from the note beside it",
            where=str(image),
            fix="copy or build it again; the card must not be used",
        )


def _read_back(file: BinaryIO, size: int, progressed: Progressed) -> str:
    file.seek(0)
    state, done = hashlib.sha256(), 0
    while done < size and (chunk := file.read(min(_CHUNK, size - done))):
        state.update(chunk)
        done += len(chunk)
        progressed("reading back", done, size)
    return state.hexdigest()

"""Making: a bundle from what ``leftfield image`` made, and a bundle put where the hub serves it from.

Invariants:
    * What is signed is what lies in the files at that moment; the bundle is read back and checked before it is named.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.base.errors import Unfit
from appliance.protocol import sign
from appliance.update import apply, bundle, release
from appliance.update.release import Part, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the maker says of a release: its number, lowest version before it, time (unix seconds), days it lives."""

    number: int
    least: str
    made: int
    days: int


def make(about: Path, terms: Terms, private_key: bytes, out: Path) -> tuple[Release, int]:
    """The bundle of the image whose note is ``about``, at ``out``: its release and its length. Unfit."""
    try:
        image = json.loads(about.read_text("utf-8"))
        names = {name: str(image[name]) for name in ("role", "arch", "version", "root_hash")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unfit(
            f"cannot be used ({error})", where=str(about), fix="name the .json file beside an image"
        ) from None
    if len(private_key) != 32:
        raise Unfit("a release key has 32 bytes", where="--key", fix="name the .key of leftfield update key")
    files = [about.with_suffix(f".{name}") for name in release.PARTS]
    made = Release(
        number=terms.number, least=terms.least, made=terms.made, expires=terms.made + terms.days * 86_400,
        parts=tuple(_part(name, path) for name, path in zip(release.PARTS, files, strict=True)), **names,
    )  # fmt: skip
    document = release.sealed(made, private_key)
    public_key = sign.public_key_of(private_key)
    release.opened(document, public_key)  # no machine would take what this reader does not
    length = bundle.write(out, document, files)
    apply.check(out, public_key, lambda _done: None)
    return made, length


def _part(name: str, path: Path) -> Part:
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Part(name=name, length=path.stat().st_size, sha256=sha256)
    except OSError as error:
        raise Unfit(
            f"cannot read it: {error.strerror}", where=str(path), fix="build the image again"
        ) from None


def put(path: Path, public_key: bytes, folder: Path, heard: Callable[[int], None]) -> Release:
    """Copy a bundle to where the hub serves it from, and check the copy. Refused, or Unfit."""
    partial = folder / f".{path.name}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, partial)
    except OSError as error:
        raise Unfit(
            f"cannot copy it: {error.strerror}", where=str(path), fix="check the stick and the disk"
        ) from None
    try:
        found = apply.check(partial, public_key, heard)
        if found.role != "unit":
            raise Unfit(
                f"it is for a {found.role}",
                where=str(path),
                fix="sudo leftfield update apply puts a hub's into place",
            )
        partial.chmod(0o644)
        target = folder / f"unit-{found.arch}{bundle.SUFFIX}"
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return found


def public_key_in(path: Path) -> bytes:
    """The release key in a ``.pub`` file. Unfit where there is none."""
    try:
        key = bytes.fromhex(path.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        key = b""
    if len(key) != 32:
        raise Unfit("it holds no public key", where=str(path), fix="name the .pub of leftfield update key")
    return key

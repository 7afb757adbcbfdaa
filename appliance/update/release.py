"""Release: what a signed update says of itself, and the rules by which a machine believes it.

Invariants:
    * Pure: no I/O, no clock; the caller says what time it is.
    * Nothing of a release is read before its signature has been checked under the key in the image.
    * Every part is named with its length and hash in the one signed document: parts of two releases never mix.

The attacks that are refused bear their names in The Update Framework's specification 1.0.33, section 1.5.2
(https://theupdateframework.github.io/specification/latest/): arbitrary installation, rollback, indefinite freeze,
endless data, mix-and-match, wrong software installation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from appliance.base.errors import Refused, Rule
from appliance.protocol import signed_document

KIND: Final = "update"
MAX_DOCUMENT: Final = 16 * 1024
"""Most bytes of a signed release: it has about 900."""
PARTS: Final = ("verity", "root", "kernel")
"""The parts, in the order in which they are put in place: what starts the new system comes last."""
MAX_PART: Final = {"verity": 8 * 2**20, "root": 512 * 2**20, "kernel": 100 * 2**20}
"""Most bytes of each part: the room there is for it."""
MAX_DAYS: Final = 400
"""A release lives no longer than this: who holds back newer ones can do so only until then."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_VERSION: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){0,3}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: its name, its length in bytes, its SHA-256 (hexadecimal)."""

    name: str
    length: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release: for whom, which version, and what it is made of.

    ``number`` counts releases (and re-signings), upwards; ``least`` is the lowest version that may go to this one;
    ``made`` and ``expires`` are unix seconds; ``root_hash`` is dm-verity's, in hexadecimal.
    """

    role: str
    arch: str
    version: str
    number: int
    least: str
    made: int
    expires: int
    root_hash: str
    parts: tuple[Part, ...]

    @property
    def length(self) -> int:
        """Bytes of all parts together."""
        return sum(part.length for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Who would be updated: what it is, what runs, the highest release number that it ever believed, and what failed.

    ``failed`` is the number of a release that was tried and undone, 0 for none.
    """

    role: str
    arch: str
    version: str
    seen: int = 0
    failed: int = 0


def sealed(release: Release, private_key: bytes) -> bytes:
    """The signed document of ``release``, under an Ed25519 key of 32 bytes."""
    document: dict[str, Any] = {
        "v": 1, "role": release.role, "arch": release.arch, "version": release.version, "number": release.number,
        "least": release.least, "made": release.made, "expires": release.expires, "root_hash": release.root_hash,
        "parts": [{"name": one.name, "length": one.length, "sha256": one.sha256} for one in release.parts],
    }  # fmt: skip
    return signed_document.seal(document, kind=KIND, private_key=private_key)


def opened(untrusted: bytes, public_key: bytes) -> Release:
    """The release in ``untrusted``, if ``public_key`` signed it and it is of the one form.

    Refused: TOO_LONG, MALFORMED, UNKNOWN_KEY, FORGED (arbitrary installation attack).
    """
    if len(untrusted) > MAX_DOCUMENT:
        raise _refused(Rule.TOO_LONG, f"its document has more than {MAX_DOCUMENT} bytes")
    document = signed_document.open_sealed(untrusted, kind=KIND, public_key=public_key, where="update")
    try:
        release = _read(document)
    except (KeyError, TypeError, ValueError) as error:
        raise _refused(Rule.MALFORMED, f"its signed document is not of the one form ({error})") from None
    return release


def peeked(untrusted: bytes) -> Release:
    """What a document says, unchecked: for whoever hands it on to machines that check it. Refused: MALFORMED."""
    try:
        return _read(signed_document.peek(untrusted, where="update"))
    except (KeyError, TypeError, ValueError) as error:
        raise _refused(Rule.MALFORMED, f"its document is not of the one form ({error})") from None


def judge(release: Release, machine: Machine, now: float) -> None:
    """Let ``release`` pass if ``machine`` may go to it at ``now`` (unix seconds).

    Refused: WRONG_TARGET (wrong software installation), OUTDATED (rollback), EXPIRED (indefinite freeze) and
    FAILED_BEFORE.
    """
    if (release.role, release.arch) != (machine.role, machine.arch):
        what = f"it is for a {release.role} on {release.arch}, and this is a {machine.role} on {machine.arch}"
        raise _refused(Rule.WRONG_TARGET, what)
    if now >= release.expires:
        raise _refused(Rule.EXPIRED, "it has expired, and newer ones may have been held back")
    if release.number < machine.seen:
        raise _refused(
            Rule.OUTDATED, f"release {machine.seen} was offered before, and this is {release.number}"
        )
    if order(release.version) <= order(machine.version):
        raise _refused(Rule.OUTDATED, f"{machine.version} runs here, and it has {release.version}")
    if order(machine.version) < order(release.least):
        raise _refused(Rule.WRONG_TARGET, f"it needs {release.least} first, and {machine.version} runs here")
    if release.number == machine.failed:
        raise _refused(Rule.FAILED_BEFORE, "it was tried here and undone")


def order(version: str) -> tuple[int, ...]:
    """A version as numbers, so that versions can be compared.

    >>> order("1.10") > order("1.9.7")
    True
    """
    numbers = [int(one) for one in version.split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))


def _read(document: dict[str, Any]) -> Release:
    """The release in a document whose signature is good; an error for any other form."""
    names = {"v", "role", "arch", "version", "number", "least", "made", "expires", "root_hash", "parts"}
    if set(document) != names or document["v"] != 1:
        raise ValueError("fields")
    whole = {name: document[name] for name in ("number", "made", "expires")}
    if any(type(value) is not int or not 0 < value < 2**40 for value in whole.values()):
        raise ValueError("numbers")
    if not 0 < whole["expires"] - whole["made"] <= MAX_DAYS * 86_400:
        raise ValueError("expires")
    for name in ("version", "least"):
        if not _VERSION.fullmatch(document[name]):
            raise ValueError(name)
    if not _DIGEST.fullmatch(document["root_hash"]):
        raise ValueError("root_hash")
    parts = tuple(_part(one) for one in document["parts"])
    if tuple(one.name for one in parts) != PARTS:
        raise ValueError("parts")
    return Release(
        role=str(document["role"]), arch=str(document["arch"]), version=document["version"], least=document["least"],
        root_hash=document["root_hash"], parts=parts, **whole,
    )  # fmt: skip


def _part(document: dict[str, Any]) -> Part:
    name, length, sha256 = document["name"], document["length"], document["sha256"]
    if set(document) != {"name", "length", "sha256"} or not _DIGEST.fullmatch(sha256):
        raise ValueError("part")
    if type(length) is not int or not 0 < length <= MAX_PART[name]:
        raise ValueError("length")
    return Part(name=name, length=length, sha256=sha256)


def _refused(rule: Rule, what: str) -> Refused:
    return Refused(rule, what, where="update", fix="get the newest update for this machine from its maker")

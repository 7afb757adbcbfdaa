"""A backup as one file: the database, and if asked for the booth's settings and keys, sealed by the hub's key.

Invariants:
    * The file is readable by its owner only (0600), and is whole or not there.
    * A seal names every member with its SHA-256, under the hub's signing key: what was changed is refused.
    * Members have fixed places: nothing is ever unpacked outside the folder that is named.

The form is a tar archive (POSIX.1-1988): ``seal`` first (a signed document of kind ``backup``), then ``hub.sqlite``,
then ``releases.json``, what releases have spent, then ``settings/…``.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unavailable, Unfit
from appliance.hub.storage.ledger import LEDGER
from appliance.protocol import signed_document
from appliance.protocol.values import BoothId

KIND: Final = "backup"
FORM: Final = 1
SEAL: Final = "seal"
DATABASE: Final = "hub.sqlite"
SETTINGS: Final = "settings/"
MOST_BYTES: Final = 4 * 2**30
_FIX: Final = "use another backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What is in a backup: whose it is, when it was made (unix seconds), its members and their SHA-256 in hex."""

    booth: BoothId
    made_at: int
    digests: dict[str, str]

    @property
    def settings(self) -> tuple[str, ...]:
        """The names of the settings and keys in it."""
        return tuple(name.removeprefix(SETTINGS) for name in self.digests if name.startswith(SETTINGS))


def write(
    out: Path,
    *,
    booth: BoothId,
    made_at: int,
    database: Path,
    settings: Path | None,
    private_key: bytes,
    ledger: Path | None = None,
) -> Backup:
    """Write to ``out`` the file ``database``, the ``ledger`` of releases where there is one, ``settings``.

    Of ``settings`` all files below it. Unavailable, Unfit.
    """
    members = {DATABASE: database} | ({LEDGER: ledger} if ledger and ledger.exists() else {})
    if settings is not None:
        for path in sorted(path for path in settings.rglob("*") if path.is_file() and not path.is_symlink()):
            members[SETTINGS + path.relative_to(settings).as_posix()] = path
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        made = Backup(
            booth=booth, made_at=made_at, digests={name: _digest(path) for name, path in members.items()}
        )
        document = {"form": FORM, "booth": booth, "made_at": made_at, "members": made.digests}
        seal = signed_document.seal(document, kind=KIND, private_key=private_key)
        descriptor = os.open(
            partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, atomic_files.SECRET
        )
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
                head = tarfile.TarInfo(SEAL)
                head.size, head.mode = len(seal), atomic_files.SECRET
                archive.addfile(head, io.BytesIO(seal))
                for name, path in members.items():
                    archive.add(path, name, recursive=False, filter=_anonymous)
            file.flush()
            os.fsync(descriptor)
        partial.replace(out)
        atomic_files.sync_directory(out.parent)
    except OSError as error:
        raise Unavailable(
            f"the backup cannot be written: {error.strerror}",
            where=str(error.filename or out),
            fix="name another place with --out, or free space there",
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return made


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpack(untrusted: Path, into: Path, *, public_keys: tuple[bytes, ...]) -> Backup:
    """Unpack a backup that one of ``public_keys`` sealed into the empty folder ``into``.

    Refused where it was changed or another key sealed it; Unfit where it cannot be read.
    """
    where = str(untrusted)
    try:
        with tarfile.open(untrusted, mode="r:") as archive:
            head = archive.next()
            content = archive.extractfile(head) if head and head.name == SEAL else None
            if content is None:
                raise Refused(Rule.MALFORMED, "it is no backup of a hub", where=where, fix=_FIX)
            made = _sealed(content.read(signed_document.MAX_DOCUMENT), public_keys, where)
            for member in archive:
                if member.name != SEAL:
                    _unpack(archive, member, into, made, where)
    except tarfile.TarError:
        raise Refused(
            Rule.MALFORMED, "it is no backup of a hub, or not all of it", where=where, fix=_FIX
        ) from None
    except OSError as error:
        raise Unfit(
            f"the backup cannot be read: {error.strerror}", where=where, fix="name an existing backup"
        ) from None
    if any(not (into / name).exists() for name in made.digests):
        raise Refused(Rule.MALFORMED, "some of it is missing", where=where, fix=_FIX)
    return made


def _sealed(untrusted: bytes, public_keys: tuple[bytes, ...], where: str) -> Backup:
    refusal = Refused(Rule.UNKNOWN_KEY, "no key is known to check it with", where=where, fix="give --key")
    for key in public_keys:
        try:
            document = signed_document.open_sealed(untrusted, kind=KIND, public_key=key, where=where)
        except Refused as refused:
            refusal = refused
            continue
        if document.get("form") != FORM:
            raise Refused(Rule.OTHER_VERSION, "of a later version", where=where, fix="update this hub")
        return _backup_in(document, where)
    raise refusal


def _backup_in(document: dict[str, Any], where: str) -> Backup:
    match document:
        case {"booth": str(booth), "made_at": int(made_at), "members": dict(digests)} if all(
            isinstance(digest, str) for digest in digests.values()
        ):
            return Backup(booth=BoothId(booth), made_at=made_at, digests=digests)
    raise Refused(Rule.MALFORMED, "its seal is not of the one form", where=where, fix=_FIX)


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path, made: Backup, where: str) -> None:
    place = PurePosixPath(member.name)
    content = archive.extractfile(member) if member.isreg() and member.size <= MOST_BYTES else None
    if member.name not in made.digests or content is None or place.is_absolute() or ".." in place.parts:
        raise Refused(Rule.MALFORMED, f"{member.name!r} does not belong in it", where=where, fix=_FIX)
    target = into / place
    target.parent.mkdir(parents=True, exist_ok=True, mode=atomic_files.SECRET_DIRECTORY)
    descriptor = os.open(
        target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, member.mode & 0o700 | atomic_files.SECRET
    )
    with os.fdopen(descriptor, "wb") as file:
        while piece := content.read(2**20):
            file.write(piece)
    if _digest(target) != made.digests[member.name]:
        raise Refused(Rule.FORGED, f"{member.name} was changed after it was sealed", where=where, fix=_FIX)
    target.chmod(member.mode & 0o755)

"""The commands ``leftfield backup`` and ``leftfield restore``.

Invariants:
    * A backup is made while the hub runs; putting one back needs it stopped, and asks.
    * What was admitted stays admitted: a hub that is restored from yesterday counts nothing of today a second time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.hub.exchange import backup_file
from appliance.hub.exchange.backup_file import Backup
from appliance.hub.exchange.transfer import private_key
from appliance.hub.storage import backup
from appliance.hub.storage.ledger import LEDGER, Ledger
from appliance.protocol import sign
from appliance.protocol.acts import ActKind
from appliance.settings import config as configs
from appliance.settings.acts_file import note
from appliance.settings.cli_arguments import Subparsers, config_option, confirm, word, yes_option
from appliance.settings.streams import STANDARD, text_output


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``backup`` and ``restore``."""
    make = word(
        subparsers,
        "backup",
        "copy what a hub knows to one file, while it runs",
        "leftfield backup --out /media/usb/hub.backup --keys",
    )
    make.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to; made with mode 0600")
    make.add_argument(
        "--keys",
        action="store_true",
        help="the booth's settings and keys as well: keep that file locked away",
    )
    make.set_defaults(run=_backup)
    back = word(
        subparsers,
        "restore",
        "put a hub's backup back (the hub must be stopped)",
        "leftfield restore /media/usb/hub.backup --yes",
    )
    back.add_argument("file", type=Path, metavar="FILE", help="a backup")
    back.add_argument(
        "--keys",
        action="store_true",
        help="put settings and keys back as well, beside --config: a new machine",
    )
    back.add_argument(
        "--key", metavar="HEX", help="the public key of the hub that made it, where this machine has none"
    )
    yes_option(back)
    back.set_defaults(run=_restore)
    for parser in (make, back):
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")
        config_option(parser, "hub.toml")


def _say(given: argparse.Namespace, fields: dict[str, object], sentence: str) -> None:
    with text_output(STANDARD) as out:
        out.write((json.dumps(fields) if given.json else sentence) + "\n")


def _backup(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    key = private_key(config.signing_key)
    if given.out.is_dir() or not given.out.parent.is_dir():
        raise Unfit(
            "name a file in a folder that exists", where=str(given.out), fix="--out FOLDER/hub.backup"
        )
    with tempfile.TemporaryDirectory(dir=given.out.parent, prefix=".backup-") as folder:
        copy = Path(folder) / backup_file.DATABASE
        backup.copy_online(config.database, copy)
        made = backup_file.write(
            given.out,
            booth=config.booth,
            made_at=int(time.time()),
            database=copy,
            ledger=config.database.parent / LEDGER,
            settings=given.config.parent if given.keys else None,
            private_key=key,
        )
    note(given.config.parent, ActKind.BACKUP)
    size, public = given.out.stat().st_size, sign.public_key_of(key).hex()
    what = f"database and {len(made.settings)} files of settings and keys" if given.keys else "database"
    _say(
        given,
        {
            "booth": made.booth,
            "file": str(given.out),
            "bytes": size,
            "keys": given.keys,
            "public_key": public,
        },
        f"booth {made.booth}: {what} in {given.out}, {size:,} bytes; sealed with {public}",
    )
    return 0


def _restore(given: argparse.Namespace) -> int:
    given.file = given.file.absolute()
    confirm(given, f"Put {given.file} back, in place of what this hub knows?")
    place = given.config.parent
    with tempfile.TemporaryDirectory(dir=_folder_for(given), prefix=".restore-") as folder:
        into = Path(folder)
        made = backup_file.unpack(given.file, into, public_keys=_keys(given))
        if given.keys:
            _put_settings(made, into / backup_file.SETTINGS, place)
        config = configs.hub_config(given.config)
        if config.booth != made.booth:
            raise Unfit(
                f"it is of booth {made.booth}, not {config.booth}", where=str(given.file), fix="use its own"
            )
        config.database.parent.mkdir(parents=True, exist_ok=True, mode=atomic_files.SECRET_DIRECTORY)
        joined = backup.put_back(into / backup_file.DATABASE, config.database, config.booth)
        if (into / LEDGER).exists():
            spent = Ledger(into / LEDGER, config.booth)
            Ledger(config.database.parent / LEDGER, config.booth).join(spent)
    note(place, ActKind.RESTORE)
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(made.made_at))
    _say(
        given,
        {"booth": made.booth, "made_at": made.made_at, "units_joined": joined, "keys": given.keys},
        f"booth {made.booth} is as of {when}; start it: systemctl start leftfield-watch",
    )
    return 0


def _folder_for(given: argparse.Namespace) -> Path:
    """A folder on the disk of the database, so that replacing it is one rename."""
    if given.config.exists():
        parent = configs.hub_config(given.config).database.parent
        if parent.is_dir():
            return parent
    given.config.parent.mkdir(parents=True, exist_ok=True, mode=atomic_files.PUBLIC_DIRECTORY)
    folder: Path = given.config.parent
    return folder


def _keys(given: argparse.Namespace) -> tuple[bytes, ...]:
    """The public keys that a backup is believed under: this hub's own, or the one that was typed."""
    if given.key:
        try:
            return (sign.check_public_key(bytes.fromhex(given.key)),)
        except ValueError:
            fix = "give 64 hexadecimal digits"
            raise Unfit(f"{given.key!r} is no key", where="--key", fix=fix) from None
    if given.config.exists():
        path = configs.hub_config(given.config).signing_key
        if path.exists():
            return (sign.public_key_of(private_key(path)),)
    return ()


def _put_settings(made: Backup, source: Path, place: Path) -> None:
    if not made.settings:
        raise Unfit(
            "it holds no settings and keys", where="--keys", fix="make it with leftfield backup --keys"
        )
    for name in made.settings:
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=atomic_files.SECRET_DIRECTORY)
        mode = (source / name).stat().st_mode & 0o777
        atomic_files.write_durably(target, (source / name).read_bytes(), mode=mode)

"""The command ``leftfield erase``: end what a hub or a unit has stored, and with ``--all`` who it is.

Invariants:
    * Nothing is erased under a process that is at work: it would write it again.
    * What is named here is deleted whole, and the folders are synced; a second call finds nothing and says so.
    * A unit's lock is not erased: whoever is set up anew stays locked.
    * On flash memory a deleted block may be readable until it is used again: this is said, not hidden.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.base.errors import Unavailable
from appliance.enrol.options import group, say
from appliance.hub.exchange.encryption_keys import NAME as KEYS_NAME
from appliance.hub.fleet_link import EPOCH_FILE
from appliance.hub.storage.ledger import LEDGER
from appliance.settings import config
from appliance.settings.acts_file import FILE as ACTS_FILE
from appliance.settings.cli_arguments import Subparsers, config_option, confirm, word, yes_option
from appliance.unit.inputs import lock
from appliance.unit.outbox.hub_cipher import NAME as ENCRYPTION

MOSQUITTO_STORE: Final = Path("/var/lib/mosquitto")
_SERVICES: Final = {
    "hub": "mosquitto leftfield-watch leftfield-desk leftfield-pages",
    "unit": "leftfield-sense leftfield-relay leftfield-card leftfield-pair",
}
_BESIDE_THE_DATABASE: Final = (EPOCH_FILE, KEYS_NAME, LEDGER)
_FLASH: Final = (
    "blocks of a memory card may stay readable until they are used again: flash it anew, or destroy it"
)


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``erase`` and its two machines."""
    example = "leftfield erase hub --all"
    actions = group(subparsers, "erase", "end what a hub or a unit has stored", example)
    hub = word(
        actions, "hub", "counts, alerts, what waits at the broker, copies", "leftfield erase hub --yes"
    )
    hub.add_argument(
        "--broker-store",
        type=Path,
        default=MOSQUITTO_STORE,
        metavar="DIR",
        help=f"the broker's store (default {MOSQUITTO_STORE})",
    )
    config_option(hub, "hub.toml")
    unit = word(
        actions, "unit", "what waits in the spool, prior, colour matrix", "leftfield erase unit --yes"
    )
    config_option(unit, "unit.toml")
    for parser, run in ((hub, _hub), (unit, _unit)):
        parser.add_argument(
            "--all", action="store_true", help="keys, certificates and settings too: it must be enrolled anew"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")
        yes_option(parser)
        parser.set_defaults(run=run)


def _hub(given: argparse.Namespace) -> int:
    settings = config.hub_config(given.config)
    database = settings.database
    found = [Path(f"{database}{end}") for end in ("", "-wal", "-shm", "-journal", ".lock")]
    found += sorted(database.parent.glob(f"{database.name}.*"))
    # What else WATCH and the commands keep beside it: its number, keys of the day, the releases' ledger.
    found += [database.with_name(name) for name in _BESIDE_THE_DATABASE]
    found += [settings.register.with_name(ACTS_FILE)]
    found += [settings.notice.state] if settings.notice.state else []
    found += sorted(given.broker_store.glob("mosquitto.db*"))
    if given.all:
        found += [given.config.parent]
    return _erase(given, "hub", found, (database, given.broker_store))


def _unit(given: argparse.Namespace) -> int:
    settings = config.unit_config(given.config)
    found = [settings.spool, settings.prior, settings.matrix, settings.order, settings.zones]
    found += [settings.prior.with_name(ENCRYPTION)]
    if given.all:
        found += _all_but_the_lock(given.config)
    return _erase(given, "unit", found, (settings.spool,))


def _all_but_the_lock(config_path: Path) -> list[Path]:
    """Everything beside ``unit.toml`` but the lock: a unit that is erased stays locked."""
    kept = lock.path_beside(config_path)
    if not lock.is_locked(config_path):
        return [config_path.parent]
    beside = [*config_path.absolute().parent.iterdir(), *kept.parent.iterdir()]
    return [path for path in sorted(beside) if path not in {kept, kept.parent}]


def _erase(given: argparse.Namespace, what: str, paths: Iterable[Path], busy: tuple[Path, ...]) -> int:
    there = [path for path in dict.fromkeys(paths) if path.exists()]
    what_more = " and who it is" if given.all else ""
    confirm(given, f"Erase what this {what} has stored{what_more}?")
    holder = next(_users(busy), "")
    if holder:
        raise Unavailable(
            f"{holder} is at work there", where=str(busy[0]), fix=f"systemctl stop {_SERVICES[what]}"
        )
    size = sum(_size(path) for path in there)
    for path in there:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for folder in {path.parent for path in there if path.parent.exists()}:
        atomic_files.sync_directory(folder)
    fields = {"machine": what, "all": given.all, "erased": [str(path) for path in there], "bytes": size}
    say(given, fields, f"erased {len(there)} files and folders, {size:,} bytes; {_FLASH}")
    return 0


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(one.lstat().st_size for one in files if not one.is_dir())


def _users(places: tuple[Path, ...]) -> Iterator[str]:
    """Names of processes that have one of ``places``, or a file in it, open; and of a broker whose store it is."""
    real = [place.resolve() for place in places]
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        try:
            name = (process / "comm").read_text("utf-8").strip()
            held = [Path(os.readlink(link)) for link in (process / "fd").iterdir()]  # noqa: PTH115 - may be no path
            settings = _broker_settings(process) if name == "mosquitto" else ""
        except OSError:
            continue
        if any(place in (path, *path.parents) for place in real for path in held):
            yield name
        if settings and any(f"persistence_location {place}/" in settings for place in (*real, *places)):
            yield name


def _broker_settings(process: Path) -> str:
    """The settings that a running mosquitto was started with."""
    words = (process / "cmdline").read_bytes().split(b"\0")
    if b"-c" not in words:
        return ""
    return Path(os.fsdecode(words[words.index(b"-c") + 1])).read_text("utf-8")

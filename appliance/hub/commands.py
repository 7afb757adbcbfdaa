"""The commands ``leftfield baseline`` and ``leftfield audit``.

Invariants:
    * What a machine wants goes to standard output or a file, what a person should know to standard error.
    * A running hub owns its database: taking a baseline in needs it stopped, looking does not.
    * The hub's signing key is born with the booth, else here at the first export, and never leaves: only its public
      half is shown.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from appliance.base import atomic_files
from appliance.base.errors import Refused, Rule, Unfit
from appliance.hub.exchange import baseline_file, prior_publisher
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.records import audit
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import BaselineState, coarse
from appliance.hub.statistics.conformal import whole
from appliance.hub.storage.restore import learnt
from appliance.hub.storage.state import Imported, Snapshot, StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol import sign
from appliance.protocol.values import Seconds
from appliance.settings import cli_arguments
from appliance.settings import config as configs
from appliance.settings.config import CONFIG_DIRECTORY, HubConfig

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse gives the type no public name


def add_parsers(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add ``baseline`` and ``audit``; each sets ``run`` to a function of the parsed arguments."""
    baseline = cli_arguments.word(
        subparsers,
        "baseline",
        "what is usual here: export, import, merge, inspect, prior, key",
        "leftfield baseline export > corner.baseline",
    )
    actions = baseline.add_subparsers(metavar="ACTION", required=True)
    key = "--key 64-HEX-DIGITS"
    for name, about, example, run in (
        (
            "export",
            "write this hub's baseline, signed, to standard output",
            "export > corner.baseline",
            _export,
        ),
        (
            "import",
            "add another hub's baseline to this one (the hub must be stopped)",
            f"import corner.baseline {key}",
            _import,
        ),
        (
            "merge",
            "add up several files to one, signed by this hub, on standard output",
            f"merge monday.baseline tuesday.baseline {key} > both.baseline",
            _merge,
        ),
        ("inspect", "say what is in a file", f"inspect corner.baseline {key}", _inspect),
        (
            "prior",
            "write how common each word is here, for this booth's units, to standard output",
            "prior > hub.prior",
            _prior,
        ),
        ("key", "show the public key that this hub signs with", "key", _key),
    ):
        _action(actions, name, about, example, run)
    report = cli_arguments.word(
        subparsers,
        "audit",
        "flag rates by camera, hour, visibility and garment, from counts",
        "leftfield audit --config /etc/leftfield/hub.toml",
    )
    report.add_argument("--json", action="store_true", help="one JSON object")
    report.set_defaults(run=_audit)
    _config(report)


def _config(parser: argparse.ArgumentParser) -> None:
    default = CONFIG_DIRECTORY / "hub.toml"
    parser.add_argument("--config", type=Path, default=default, help="the hub's (default: %(default)s)")


def _action(
    actions: Subparsers[argparse.ArgumentParser],
    name: str,
    about: str,
    example: str,
    run: Callable[[argparse.Namespace], int],
) -> None:
    parser = cli_arguments.word(actions, name, about, f"leftfield baseline {example}")
    parser.set_defaults(run=run)
    _config(parser)
    if name in {"import", "merge", "inspect"}:
        parser.add_argument("files", type=Path, nargs="+" if name == "merge" else 1, help="baseline files")
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="HEX",
            help="public key of a hub whose files are believed (leftfield baseline key, there); repeat it",
        )


def _private_key(path: Path) -> bytes:
    """One of this hub's keys, made where there is none yet."""
    if not path.exists():
        atomic_files.write_durably(path, sign.new_private_key(), mode=atomic_files.SECRET)
    key = atomic_files.read(path, fix="run as the account of the hub")
    if len(key) != sign.KEY_BYTES:
        raise Unfit(
            f"the hub's key has {len(key)} bytes, not {sign.KEY_BYTES}",
            where=str(path),
            fix="restore the key file from its backup",
        )
    return key


def _believed(given: argparse.Namespace, config: HubConfig) -> tuple[bytes, ...]:
    return (sign.public_key_of(_private_key(config.signing_key)), *_typed(given.key))


def _typed(texts: Sequence[str]) -> tuple[bytes, ...]:
    """Public keys as typed behind ``--key``."""
    keys = []
    for text in texts:
        try:
            keys.append(sign.check_public_key(bytes.fromhex(text)))
        except ValueError:
            raise Unfit(f"{text!r} is no key", where="--key", fix="give 64 hexadecimal digits") from None
    return tuple(keys)


def _opened(path: Path, keys: tuple[bytes, ...]) -> tuple[BaselineFile, bytes]:
    """The baseline in a file under whichever of ``keys`` signed it, and the file's bytes."""
    untrusted = atomic_files.read(path, fix="name an existing file")
    refusal: Refused | None = None
    for key in keys:
        try:
            return baseline_file.decode(untrusted, public_key=key, where=str(path)), untrusted
        except Refused as refused:
            # The one that says most: a key that fits but a signature that does not is forgery.
            if refusal is None or refused.rule is not Rule.UNKNOWN_KEY:
                refusal = refused
    raise refusal or Unfit(
        "no public key was given", where=str(path), fix="pass the other hub's public key with --key"
    )


def _existing(config: HubConfig, *, alone: bool) -> Store:
    if not config.database.exists():
        raise Unfit("the database does not exist yet", where=str(config.database), fix="start the hub once")
    return Store(config.database, config.booth, alone=alone)


def _state(config: HubConfig) -> BaselineState:
    """What this hub has learnt, as coarse as it is stored: who was seen once or twice is not in what leaves it."""
    store = _existing(config, alone=False)
    try:
        return coarse(learnt(store.load()).baseline.state())
    finally:
        store.close()


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _write(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _export(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    key, state = _private_key(config.signing_key), _state(config)
    _write(baseline_file.encode(BaselineFile(booth=config.booth, made_at=int(time.time()), state=state), key))
    _say(f"{state.people:,} people of booth {config.booth}; signed with {sign.public_key_of(key).hex()}")
    _say("counts of things and of two things, in whole fives: for hubs, not for publishing")
    return 0


def _import(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    now = Seconds(time.time())
    guest, content = _opened(given.files[0], _believed(given, config))
    baseline_file.check_age(guest, now, where=str(given.files[0]))
    store = Store(config.database, config.booth)
    try:
        digest = hashlib.sha256(content).digest()
        if digest in store.imported():
            raise Unfit("this file has been imported before", where=str(given.files[0]), fix="nothing to do")
        rarity = learnt(store.load())
        joined = baseline_file.joined(rarity.baseline.state(), guest, booth=config.booth)
        note = Imported(digest=digest, booth=guest.booth, people=guest.state.people, at=now)
        snapshot = Snapshot(baseline=coarse(joined), bins=whole(rarity.bins()))
        store.commit(StateDelta(snapshot=snapshot, imported=(note,)))
    finally:
        store.close()
    _say(f"{guest.state.people:,} people of booth {guest.booth} taken in; {joined.people:,} in all")
    return 0


def _merge(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    keys = _believed(given, config)
    parts = [_opened(path, keys) for path in given.files]
    if len({content for _, content in parts}) != len(parts):
        raise Unfit("a file is named twice", where="merge", fix="name each file once")
    state = Baseline().state()
    for path, (guest, _) in zip(given.files, parts, strict=True):
        baseline_file.check_age(guest, Seconds(time.time()), where=str(path))
        state = baseline_file.joined(state, guest, booth=config.booth)
    _write(
        baseline_file.encode(
            BaselineFile(booth=config.booth, made_at=int(time.time()), state=state),
            _private_key(config.signing_key),
        )
    )
    _say(f"{state.people:,} people from {len(parts)} files")
    return 0


def _inspect(given: argparse.Namespace) -> int:
    path = given.files[0]
    if given.key:
        one, signature = _opened(path, _typed(given.key))[0], "good"
    else:
        content = atomic_files.read(path, fix="name an existing file")
        one, signature = baseline_file.inspect(content, where=str(path)), "not checked (give --key)"
    told = baseline_file.summary(one, Seconds(time.time())) | {"signature": signature}
    _write(json.dumps(told, indent=2, ensure_ascii=False).encode() + b"\n")
    return 0


def _prior(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    state, now = _state(config), Seconds(time.time())
    needs = Baseline(state).needs(config.young, now)
    if needs:
        raise Unfit(
            f"the baseline is too young: {needs} more people are needed",
            where="prior",
            fix="let the hub watch",
        )
    key = _private_key(config.prior_key)
    _write(prior_publisher.prior_of(Baseline(state), booth=config.booth, private_key=key, now=now))
    _say(f"signed with {sign.public_key_of(key).hex()}")
    return 0


def _key(given: argparse.Namespace) -> int:
    _write(
        sign.public_key_of(_private_key(configs.hub_config(given.config).signing_key)).hex().encode() + b"\n"
    )
    return 0


def _audit(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    store = _existing(config, alone=False)
    try:
        rows = audit.report(store.audited())
    finally:
        store.close()
    if given.json:
        told = {
            "v": 1,
            "booth": config.booth,
            "rows": [
                asdict(row.count)
                | {"rate": row.rate, "low": row.low, "high": row.high, "stands_out": row.stands_out}
                for row in rows
            ],
            "cannot_know": [" ".join(limit.split()) for limit in audit.LIMITS],
        }
        _write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
    else:
        _write(audit.text(rows, config.booth).encode() + b"\n")
    return 0

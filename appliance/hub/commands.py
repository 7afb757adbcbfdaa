"""The commands ``leftfield baseline`` and ``leftfield audit``.

Invariants:
    * What a machine wants goes to standard output or a file, what a person should know to standard error.
    * A running hub owns its database: taking a baseline in needs it stopped, looking does not.
    * The hub's signing key is made with the booth, else at the first export, and never leaves: only its public
      half is shown.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from appliance.base.errors import Unfit
from appliance.hub.exchange import baseline_file, transfer
from appliance.hub.exchange.transfer import NamedContent
from appliance.hub.records import audit, maturity
from appliance.hub.storage.restore import learnt
from appliance.protocol import sign
from appliance.protocol.acts import ActKind
from appliance.protocol.values import Seconds
from appliance.settings import config as configs
from appliance.settings.acts_file import note
from appliance.settings.cli_arguments import Subparsers, command, config_option, confirm, word, yes_option
from appliance.settings.streams import STANDARD, read_bytes, text_output, write_bytes


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``baseline`` and ``audit``; each sets ``run`` to a function of the parsed arguments."""
    baseline = word(
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
            f"import corner.baseline {key} --yes",
            _import,
        ),
        (
            "merge",
            "add up several files to one, signed by this hub, on standard output",
            f"merge monday.baseline tuesday.baseline {key} > both.baseline",
            _merge,
        ),
        (
            "maturity",
            "say what this hub can tell already, and when it can tell the rest",
            "maturity",
            _maturity,
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
    report = word(
        subparsers,
        "audit",
        "flag rates by camera, hour, visibility and garment, from counts",
        "leftfield audit --config /etc/leftfield/hub.toml",
    )
    report.add_argument("--json", action="store_true", help="one JSON object")
    report.set_defaults(run=_audit)
    config_option(report, "hub.toml")


def _action(
    actions: Subparsers, name: str, about: str, example: str, run: Callable[[argparse.Namespace], int]
) -> None:
    parser = command(actions, name, about, f"leftfield baseline {example}", run)
    config_option(parser, "hub.toml")
    if name in {"export", "merge", "prior"}:
        parser.add_argument(
            "--out", type=Path, default=STANDARD, metavar="FILE", help="where to (default: standard output)"
        )
    if name == "merge":
        parser.add_argument(
            "files", type=Path, nargs="+", metavar="FILE", help="baseline files; - is standard input"
        )
    if name in {"import", "inspect"}:
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="a baseline file, or - for standard input"
        )
    if name == "maturity":
        parser.add_argument("--json", action="store_true", help="one JSON object")
    if name == "import":
        yes_option(parser)
        parser.add_argument(
            "--instead-of",
            type=Path,
            metavar="FILE",
            help="an imported file whose counts this one replaces, where both hold the same people",
        )
    if name in {"import", "merge", "inspect"}:
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="HEX",
            help="public key of a hub whose files are believed (leftfield baseline key, there); repeat it",
        )


def _typed(texts: Sequence[str]) -> tuple[bytes, ...]:
    """Public keys as typed behind ``--key``."""
    keys = []
    for text in texts:
        try:
            keys.append(sign.check_public_key(bytes.fromhex(text)))
        except ValueError:
            raise Unfit(f"{text!r} is no key", where="--key", fix="give 64 hexadecimal digits") from None
    return tuple(keys)


def _content(path: Path) -> NamedContent:
    name = "standard input" if path == STANDARD else str(path)
    return NamedContent(name=name, untrusted=read_bytes(path))


def _now() -> Seconds:
    return Seconds(time.time())


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _print(text: str) -> None:
    with text_output(STANDARD) as out:
        out.write(text + "\n")


def _export(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    made = transfer.export_baseline(config, _now())
    note(config.register.parent, ActKind.EXPORT)
    write_bytes(made.content, given.out)
    _say(f"{made.people:,} people of booth {config.booth}; signed with {made.public_key.hex()}")
    _say("counts of single words and of pairs, in whole fives: for hubs, not for publishing")
    return 0


def _import(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    confirm(given, f"Add {given.file} to what booth {config.booth} knows?")
    earlier = _content(given.instead_of) if given.instead_of else None
    done = transfer.import_baseline(
        config, _content(given.file), _typed(given.key), _now(), instead_of=earlier
    )
    note(config.register.parent, ActKind.IMPORT, of=done.booth)
    _say(f"{done.people:,} people of booth {done.booth} imported; {done.total:,} in all")
    if not done.known:
        _say(
            f"the file does not say whose people it holds (version 0.1 or 0.2 wrote it): another file of booth "
            f"{done.booth} is refused from now on, unless it takes its place (--instead-of)"
        )
    return 0


def _merge(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    files = [_content(path) for path in given.files]
    made = transfer.merge_baselines(config, files, _typed(given.key), _now())
    write_bytes(made.content, given.out)
    _say(f"{made.people:,} people from {len(files)} files")
    return 0


def _maturity(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    store = transfer.existing_store(config, alone=False)
    try:
        stored, now = store.load(), _now()
    finally:
        store.close()
    baseline = learnt(stored).baseline
    found = maturity.maturity_of(baseline, stored.tallies, warmup_people=config.warmup_people, now=now)
    _print(
        json.dumps(asdict(found), indent=2) if given.json else maturity.told(found, collects=config.collect)
    )
    return 0


def _inspect(given: argparse.Namespace) -> int:
    file = _content(given.file)
    if given.key:
        one, signature = transfer.opened(file, _typed(given.key)), "good"
    else:
        one, signature = baseline_file.inspect(file.untrusted, where=file.name), "not checked (give --key)"
    told = baseline_file.summary(one, _now()) | {"signature": signature}
    _print(json.dumps(told, indent=2, ensure_ascii=False))
    return 0


def _prior(given: argparse.Namespace) -> int:
    made = transfer.export_prior(configs.hub_config(given.config), _now())
    write_bytes(made.content, given.out)
    _say(f"signed with {made.public_key.hex()}")
    return 0


def _key(given: argparse.Namespace) -> int:
    key = transfer.private_key(configs.hub_config(given.config).signing_key)
    _print(sign.public_key_of(key).hex())
    return 0


def _audit(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    store = transfer.existing_store(config, alone=False)
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
        _print(json.dumps(told, ensure_ascii=False))
    else:
        _print(audit.text(rows, config.booth))
    return 0

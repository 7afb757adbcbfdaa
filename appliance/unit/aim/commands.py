"""The commands ``leftfield aim`` and ``leftfield lock``, on a unit.

Invariants: no pixel library and no network is loaded here; what a person should know goes to standard output.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from appliance.protocol.aim import BITS_PER_SECOND, MOST_MINUTES
from appliance.settings.cli_arguments import Subparsers, command, config_option, confirm, word, yes_option
from appliance.settings.config import unit_config
from appliance.settings.streams import STANDARD, text_output
from appliance.unit.inputs import lock, zones


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``aim`` with its actions, and ``lock``; each sets ``run`` to a function of the parsed arguments."""
    _add_aim(subparsers)
    about = (
        "lock this unit for good: it is never aimed again and reads no colour card, until its card is flashed"
    )
    locking = command(
        subparsers, "lock", about, "sudo leftfield lock --config /etc/leftfield/unit.toml", _lock
    )
    config_option(locking, "unit.toml")
    locking.add_argument("--show", action="store_true", help="only say whether it is locked")
    locking.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")
    yes_option(locking)


def _add_aim(subparsers: Subparsers) -> None:
    about = "aim a unit by stick figures: no picture leaves it, and nobody is observed meanwhile"
    actions = word(
        subparsers, "aim", about, "leftfield aim show --config /etc/leftfield/unit.toml"
    ).add_subparsers(required=True, metavar="ACTION")
    running = command(
        actions,
        "run",
        "SENSE while it is aimed (leftfield-aim.service): stick figures through the pipe, for some minutes",
        "leftfield aim run --config /etc/leftfield/unit.toml --minutes 5",
        _run,
    )
    config_option(running, "unit.toml")
    running.add_argument(
        "--minutes", type=int, choices=range(1, MOST_MINUTES + 1), metavar="N", help="1 to 15 (default: 10)"
    )
    running.add_argument("--source", help="a device or a recorded file instead of the configured one")
    running.add_argument("--unboxed", action="store_true", help="developers only: no walls")
    carrying = command(
        actions,
        "carry-out",
        "check what the hub ordered and carry it out (leftfield-setup.service)",
        "leftfield aim carry-out --config /etc/leftfield/unit.toml",
        _carry_out,
    )
    config_option(carrying, "unit.toml")
    carrying.add_argument(
        "--order", type=Path, metavar="FILE", help="the order (default: where RELAY puts it)"
    )
    carrying.add_argument("--minutes-to", type=Path, metavar="FILE", help="where the minutes of an aiming go")
    carrying.add_argument("--no-systemd", action="store_true", help="the next process is started by hand")
    carrying.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")
    showing = command(
        actions,
        "show",
        "how this unit is set up: locked or not, zones, and what aiming could tell at most",
        "leftfield aim show --config /etc/leftfield/unit.toml --json",
        _show,
    )
    config_option(showing, "unit.toml")
    showing.add_argument("--json", action="store_true", help="one JSON object instead of sentences")


def _run(given: argparse.Namespace) -> int:
    from appliance.unit.aim import mode  # noqa: PLC0415 - loads SENSE's walls for those who aim

    minutes = given.minutes or mode.minutes_asked()
    return mode.main(given.config, minutes=minutes, unboxed=given.unboxed, source=given.source)


def _carry_out(given: argparse.Namespace) -> int:
    from appliance.unit.aim import carry_out  # noqa: PLC0415

    lock.refuse_where_locked(given.config, "it takes no orders")
    path = given.order or unit_config(given.config).order
    untrusted = carry_out.read_order(path)
    done = carry_out.carry_out(given.config, untrusted, minutes=given.minutes_to or carry_out.MINUTES_PATH)
    if not given.no_systemd:
        carry_out.start(done.next_service)
    told = {"do": done.order.do.value, "minutes": done.order.minutes, "next": done.next_service}
    with text_output(STANDARD) as out:
        out.write((json.dumps(told) if given.json else f"{told['do']}; next is {told['next']}") + "\n")
    return 0


def _show(given: argparse.Namespace) -> int:
    config = unit_config(given.config)
    left_out, said = zones.taken(config)
    record = lock.record_at(given.config, config.public_key)
    told = {
        "locked": record is not None,
        "zones": len(left_out),
        "aim_bits_per_second": round(BITS_PER_SECOND),
    }
    with text_output(STANDARD) as out:
        if given.json:
            out.write(json.dumps(told) + "\n")
        else:
            out.write(f"{_locked_line(record)}\n{said}\n")
            out.write(f"aiming could tell at most {told['aim_bits_per_second']:,} bits a second\n")
    return 0


def _locked_line(record: lock.LockRecord | None) -> str:
    if record is None:
        return "not locked: an installer's tablet can have this unit aimed"
    if record.ours:
        return f"locked for good, in epoch {record.epoch}, signed by this unit's key"
    return "locked for good, by a record that this unit's key did not sign"


def _lock(given: argparse.Namespace) -> int:
    config = unit_config(given.config)
    if not given.show and not lock.is_locked(given.config):
        confirm(given, "Lock this unit for good? It can then never be aimed or read a colour card again")
        from appliance.unit.aim import carry_out  # noqa: PLC0415

        carry_out.lock_here(given.config, config)
    record = lock.record_at(given.config, config.public_key)
    with text_output(STANDARD) as out:
        if given.json:
            told = {"locked": record is not None, "epoch": record.epoch if record else None}
            out.write(json.dumps(told | {"ours": record.ours if record else None}) + "\n")
        else:
            out.write(f"{_locked_line(record)}\n")
    return 0

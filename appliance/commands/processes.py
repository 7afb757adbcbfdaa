"""The commands that systemd starts: ``sense``, ``relay``, ``watch`` and ``epoch``.

Invariants:
    * A process is imported when it is started: RELAY never loads numpy, ``epoch`` loads nothing but files.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from appliance.settings.cli_arguments import Subparsers, command, config_option
from appliance.settings.config import CONFIG_DIRECTORY
from appliance.settings.streams import STANDARD, text_output


def add_parsers(subparsers: Subparsers) -> None:
    """Add the four commands; each sets ``run`` to a function of the parsed arguments."""
    _add_processes(subparsers)
    _add_epoch(subparsers)


def _sense(given: argparse.Namespace) -> int:
    from appliance.unit import sense

    return sense.main(given.config, unboxed=given.unboxed, source=given.source)


def _relay(given: argparse.Namespace) -> int:
    from appliance.unit import relay

    return relay.main(given.config)


def _watch(given: argparse.Namespace) -> int:
    from appliance.hub import watch

    return watch.main(given.config)


def _epoch(given: argparse.Namespace) -> int:
    from appliance.settings import epoch

    count = epoch.next_epoch(given.directory / epoch.CREDENTIALS)
    with text_output(STANDARD) as out:
        out.write((json.dumps({"epoch": count}) if given.json else f"epoch {count}") + "\n")
    return 0


def _add_processes(subparsers: Subparsers) -> None:
    sense = command(
        subparsers,
        "sense",
        "process SENSE: sees, and says what it saw, sealed, through one pipe",
        "leftfield sense --config /etc/leftfield/unit.toml",
        _sense,
    )
    config_option(sense, "unit.toml")
    sense.add_argument("--source", help="a device or a recorded file instead of the configured one")
    sense.add_argument(
        "--unboxed", action="store_true", help="developers only: no walls, and every screen says so"
    )
    relay = command(
        subparsers,
        "relay",
        "process RELAY: from the pipe to the spool to the broker",
        "leftfield relay --config /etc/leftfield/unit.toml",
        _relay,
    )
    config_option(relay, "unit.toml")
    watch = command(
        subparsers,
        "watch",
        "process WATCH: the hub; admits, learns what is usual, raises alerts",
        "leftfield watch --config /etc/leftfield/hub.toml",
        _watch,
    )
    config_option(watch, "hub.toml")


def _add_epoch(subparsers: Subparsers) -> None:
    epoch = command(
        subparsers,
        "epoch",
        "count this unit's start (done by leftfield-epoch.service before each start of SENSE)",
        "leftfield epoch",
        _epoch,
    )
    epoch.add_argument(
        "--directory",
        type=Path,
        default=CONFIG_DIRECTORY,
        help="where everything is kept (default: %(default)s)",
    )
    epoch.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")

"""The command ``leftfield booth fleet``: let the booth report to a fleet, or no more.

Invariants: those of ``commands``. Reports hold counts of crowds and how the booth is (``protocol/fleet_report.py``).
"""

from __future__ import annotations

import argparse
import ipaddress
import re
import sys
from pathlib import Path
from typing import Final

from appliance.base import atomic_files
from appliance.enrol import booth as booths
from appliance.enrol import bridge
from appliance.enrol.bridge import FleetAddress
from appliance.enrol.layout import BoothDirectory, load_authority, write_rights
from appliance.enrol.options import group, runs, say
from appliance.protocol import sign
from appliance.settings import config
from appliance.settings.cli_arguments import Subparsers, confirm, word, yes_option
from appliance.settings.streams import read_bytes, write_bytes

DROP_IN: Final = Path("/etc/systemd/system/mosquitto.service.d/leftfield-fleet.conf")
"""Hands the bridge's key to a broker that systemd runs, and lets it out to the fleet's address."""
_RESTART: Final = "now: systemctl daemon-reload && systemctl restart mosquitto leftfield-watch"
_TABLE: Final = re.compile(r"\n*^\[fleet\]\n(?:(?!\[).*\n?)*", re.MULTILINE)


def add_fleet(actions: Subparsers) -> None:
    """Add ``fleet`` and its actions to those of ``booth``."""
    example = "leftfield booth fleet request --fleet city > request.json"
    inner = group(actions, "fleet", "report counts of crowds to a fleet of booths, or no more", example)
    asking = word(inner, "request", "ask a fleet to let this booth in", example)
    asking.add_argument("--fleet", required=True, help="name of the fleet")
    runs(asking, _request)
    joining = word(
        inner, "join", "take the fleet's answer and begin to report", "leftfield booth fleet join answer.json"
    )
    joining.add_argument("answer", type=Path, help="the answer, or - for standard input")
    runs(joining, _join)
    leaving = word(inner, "leave", "report no more", "leftfield booth fleet leave --yes")
    yes_option(leaving)
    runs(leaving, _leave)


def _request(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    key = atomic_files.read(booth.prior_key, fix="run as the booth's owner (root)")
    write_bytes(bridge.ask(booth.broker_directory, booth.booth, args.fleet, key))
    sys.stderr.write(
        f"give it to whoever runs the fleet: leftfield fleet add REQUEST > ANSWER ({args.fleet})\n"
    )


def _join(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    with atomic_files.alone(booth.directory):
        answer = read_bytes(args.answer)
        fleet = bridge.join(booth.broker_directory, booth.booth, answer)
        _rewrite(booth)
        signing = atomic_files.read(booth.signing_key, fix="run as the booth's owner (root)")
        set_home(booth.directory / "hub.toml", bridge.home_name(booth.booth, sign.public_key_of(signing)))
        if booth.system:
            atomic_files.write_durably(
                DROP_IN, drop_in(booth, fleet).encode("ascii"), mode=atomic_files.PUBLIC
            )
    told = {"fleet": fleet.fleet, "host": fleet.host, "port": fleet.port}
    say(
        args,
        dict(told),
        f"booth {booth.booth} reports to {fleet.fleet} at {fleet.host}:{fleet.port}; {_RESTART}",
    )


def _leave(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    confirm(args, f"Report no more to the fleet of booth {booth.booth}?")
    with atomic_files.alone(booth.directory):
        bridge.leave(booth.broker_directory)
        _rewrite(booth)
        set_home(booth.directory / "hub.toml", "")
        if booth.system:
            DROP_IN.unlink(missing_ok=True)
    told = (
        f"booth {booth.booth} reports to no fleet; what it reported stays there until the fleet withdraws it"
    )
    say(args, {"booth": booth.booth, "left": True}, f"{told}; {_RESTART}")


def _rewrite(booth: BoothDirectory) -> None:
    write_rights(booth, load_authority(booth), config.register(booth.register))


def set_home(path: Path, home: str) -> None:
    """Write ``hub`` into the table ``[fleet]`` of a ``hub.toml``, or take the table out where ``home`` is empty.

    The rest of the file stays as it is. Unfit where the result cannot be used; the file is then as it was.
    """
    before = atomic_files.read(path, fix="create the booth: leftfield booth create --help")
    text = _TABLE.sub("\n", before.decode("utf-8")).rstrip("\n") + "\n"
    text += f'\n[fleet]\nhub = "{home}"\n' if home else ""
    trial = path.with_suffix(".trial")
    atomic_files.write_durably(trial, text.encode("utf-8"), mode=atomic_files.PUBLIC)
    try:
        config.hub_config(trial)
    finally:
        trial.unlink()
    atomic_files.write_durably(path, text.encode("utf-8"), mode=atomic_files.PUBLIC)


def drop_in(booth: BoothDirectory, fleet: FleetAddress) -> str:
    """What systemd needs to know of the bridge."""
    lines = ["[Service]", f"LoadCredential={bridge.KEY}:{booth.broker_directory / bridge.KEY}"]
    try:
        lines.append(f"IPAddressAllow={ipaddress.ip_address(fleet.host)}")
    except ValueError:
        lines.append("# The fleet has a name and no fixed address; names outside the private networks need:")
        lines.append("# IPAddressAllow=ADDRESS")
    return "\n".join(lines) + "\n"

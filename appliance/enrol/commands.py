"""The commands ``leftfield booth`` and ``leftfield enrol``.

Rules: what a machine wants goes to standard output (a request, an answer, one JSON object with ``--json``), what a
person should know goes to standard error; a secret is shown once, where it was asked for.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from appliance.enrol import booth as booths
from appliance.enrol import home, start
from appliance.enrol.booth_commands import add_booth
from appliance.enrol.finish import write_settings
from appliance.enrol.options import RELOAD, group, runs, say
from appliance.enrol.request import read_answer
from appliance.protocol.acts import ActKind
from appliance.protocol.values import BoothId, UnitId
from appliance.settings import config
from appliance.settings.acts_file import note
from appliance.settings.cli_arguments import Subparsers, word
from appliance.settings.streams import STANDARD, read_bytes, text_output

_MAX_LETTER: Final = 65_536


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``booth`` and ``enrol``; each action sets ``run`` to a function of the parsed arguments."""
    add_booth(subparsers)
    _add_enrol(subparsers)


def _add_enrol(subparsers: Subparsers) -> None:
    about = "let a unit into a booth: request (on the unit), accept (on the booth), finish (on the unit)"
    example = "leftfield enrol request corner-north --booth corner > request.json"
    actions = group(subparsers, "enrol", about, example)
    asking = word(actions, "request", "make this unit's keys and ask for a certificate", example)
    asking.add_argument("name", help="name of the unit, such as corner-north")
    asking.add_argument("--booth", required=True, help="name of the booth")
    runs(asking, _request)
    accept = word(
        actions,
        "accept",
        "check a request, put the unit into the register, and answer",
        "leftfield enrol accept request.json --place 'north corner' > answer.json",
    )
    accept.add_argument("request", help="the request, or - for standard input")
    accept.add_argument("--place", required=True, help="what staff call the place")
    accept.add_argument("--simulated", action="store_true", help="no real camera: said on every screen")
    runs(accept, _accept)
    _add_finish(actions)


def _add_finish(actions: Subparsers) -> None:
    finish = word(
        actions,
        "finish",
        "keep the booth's answer and write unit.toml",
        "leftfield enrol finish answer.json --source /dev/video0 --systemd",
    )
    finish.add_argument("answer", help="the answer, or - for standard input")
    finish.add_argument("--source", required=True, help="/dev/video0 (or 0), picamera2, or a recorded file")
    finish.add_argument(
        "--systemd", action="store_true", help="the key is handed in by systemd/leftfield-relay.service"
    )
    finish.add_argument(
        "--walls",
        choices=("required", "every"),
        help="which walls SENSE must find standing at each start, or refuse to see (under systemd and with a kernel "
        "that has them all: every; else required)",
    )
    runs(finish, _finish)


def _request(args: argparse.Namespace) -> None:
    unit_home = home.UnitHome(directory=args.directory)
    asking = home.make_request(unit_home, booth=BoothId(args.booth), unit=UnitId(args.name))
    _put(asking)
    sys.stderr.write("carry this request to the booth: leftfield enrol accept\n")


def _accept(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    answer = booths.accept_request(booth, _letter(args.request), place=args.place, simulated=args.simulated)
    note(booth.directory, ActKind.ENROL, of=read_answer(answer).unit)
    _put(answer)
    sys.stderr.write(f"carry this answer back to the unit: leftfield enrol finish; {RELOAD}\n")


def _finish(args: argparse.Namespace) -> None:
    unit_home = home.UnitHome(directory=args.directory.absolute())
    config.refuse_network_source(args.source, "--source")
    source, doubt = start.source_of(args.source)
    answer = home.install_answer(unit_home, _letter(args.answer))
    write_settings(unit_home, answer, source=source, systemd=args.systemd, walls=args.walls or "")
    told = f"{answer.unit} is enrolled in booth {answer.booth}; its settings are in {unit_home.config}"
    say(args, {"unit": answer.unit, "booth": answer.booth, "config": str(unit_home.config)}, told)
    if doubt:
        sys.stderr.write(f"warning: {doubt}\n")
    sys.stderr.write(f"now start it:\n{start.BY_SYSTEMD if args.systemd else start.by_hand(unit_home)}")


def _put(letter: bytes) -> None:
    """A letter (text) on standard output."""
    with text_output(STANDARD) as out:
        out.write(letter.decode("ascii"))


def _letter(name: str) -> bytes:
    """A letter's bytes, at most a little more than any letter has. Unfit where it cannot be read."""
    return read_bytes(Path(name))[:_MAX_LETTER]

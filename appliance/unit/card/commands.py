"""The command ``leftfield card``: print the card, and read it on a unit.

Invariants: the page goes to the file that is named; what a person should know goes to standard error, in words of the
closed list; no pixel library is loaded here.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.base.errors import Unavailable, Unfit
from appliance.settings.cli_arguments import Subparsers, config_option, seconds, word
from appliance.settings.config import refuse_network_source, unit_config
from appliance.settings.streams import STANDARD, text_output
from appliance.unit.card import patches, reading
from appliance.unit.card.drawing import PAPERS, page
from appliance.unit.card.words import CardWord
from appliance.unit.inputs import lock
from appliance.unit.inputs.colour_matrix import kept_at

_READ: Final = "sudo leftfield card read --config /etc/leftfield/unit.toml"


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``card`` with ``print`` and ``read``; each sets ``run`` to a function of the parsed arguments."""
    example = "leftfield card print --out card.svg"
    actions = word(
        subparsers, "card", "a printed colour card tells a unit how its camera sees colours", example
    ).add_subparsers(required=True, metavar="ACTION")
    printing = word(
        actions, "print", "write the card as an SVG page, to be printed at its true size", example
    )
    printing.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="where the page goes (.svg), or - for standard output",
    )
    printing.add_argument("--paper", choices=sorted(PAPERS), default="a4", help="(default: %(default)s)")
    printing.set_defaults(run=_print)
    about = "look for the card inside SENSE's walls, and keep the camera's matrix; no frame leaves the box"
    looking = word(actions, "read", about, _READ)
    config_option(looking, "unit.toml")
    looking.add_argument("--source", help="a device or a recorded file instead of the configured one")
    looking.add_argument(
        "--seconds", type=seconds, default=60.0, help="how long to look, at most 600 (default: %(default)g)"
    )
    looking.add_argument(
        "--patches", type=Path, metavar="FILE", help="CSV patch,L,a,b of this print (CIELAB, D50), measured"
    )
    looking.set_defaults(run=_read)


def _print(given: argparse.Namespace) -> int:
    if given.out != STANDARD and given.out.suffix.lower() != ".svg":
        raise Unfit(
            f"the card is an SVG page, not {given.out.suffix or 'a file without a suffix'}",
            where=str(given.out),
            fix="give a name that ends with .svg, and print that page to PDF from a browser",
        )
    with text_output(given.out) as out:
        out.write(page(given.paper))
    return 0


def _read(given: argparse.Namespace) -> int:
    lock.refuse_where_locked(given.config, "it reads no colour card")
    config = unit_config(given.config)
    if given.seconds > 600:
        raise Unfit("more than 600", where="--seconds", fix="give at most 600")
    if given.source is not None:
        refuse_network_source(given.source, "--source")
        config = replace(config, camera=replace(config.camera, source=given.source))
    wanted = patches.asked() if given.patches is None else patches.measured(given.patches)
    sys.stderr.write("card: looking for the card\n")
    found = reading.read(config, wanted, seconds=given.seconds, tell=_tell, debug=given.debug)
    if isinstance(found, int):
        if found == Unavailable.exit_code:
            sys.stderr.write("card: a camera serves one at a time; is SENSE stopped?\n")
        return found
    kept_at(config.matrix, found)
    sys.stderr.write(
        f"card: read; {found.residual / 10:.1f} (CIEDE2000) are left between card and camera. The matrix is in "
        f"{config.matrix}; SENSE takes it at its next start\n"
    )
    return 0


def _tell(said: CardWord) -> None:
    sys.stderr.write(f"card: {said.said}: {said.fix}\n")
    sys.stderr.flush()

"""The command ``leftfield pair``: a unit waits, the hub keeps a desk, and an installer can pair there."""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Final

from appliance.base.errors import Refused, Rule, Unavailable
from appliance.base.systemd import log
from appliance.enrol.options import group, runs, say
from appliance.pairing.requests import DIRECTIONS
from appliance.settings.cli_arguments import Subparsers, confirm, port, word, yes_option

PORT: Final = 8884
SOCKET: Final = Path("/run/leftfield-desk/socket")
ANSWER_SECONDS: Final = 30.0


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``pair`` and its actions; each sets ``run`` to a function of the parsed arguments."""
    about = "pair cameras with the booth by the code on their label"
    actions = group(subparsers, "pair", about, "leftfield pair accept 7K3M-9PQX-2HTD --name corner-north")
    _add_accept(actions)
    waiting = word(
        actions,
        "wait",
        "on a unit: find the hub and wait to be paired",
        "leftfield pair wait --source /dev/video0",
    )
    waiting.add_argument("--source", default="", help="the camera (default: /dev/video0, else picamera2)")
    waiting.add_argument(
        "--hub", default="", metavar="HOST", help="address of the hub (default: look for it)"
    )
    waiting.add_argument(
        "--port", type=port, default=PORT, help="the hub's pairing port (default %(default)s)"
    )
    waiting.add_argument("--no-systemd", action="store_true", help="the unit's processes are started by hand")
    runs(waiting, _wait)
    renew = word(
        actions, "renew", "on a unit: a new code in place of a used or dead one", "leftfield pair renew"
    )
    yes_option(renew)
    runs(renew, _renew)
    desk = word(actions, "desk", "on the hub: let waiting cameras call", "leftfield pair desk --host 0.0.0.0")
    desk.add_argument("--host", default="0.0.0.0", help="address to listen on (default: every one)")  # noqa: S104 - cameras call
    desk.add_argument("--port", type=port, default=PORT, help="(default %(default)s)")
    desk.add_argument("--socket", type=Path, help="where `leftfield pair accept` asks")
    desk.add_argument("--no-announce", action="store_true", help="say nothing by multicast DNS")
    runs(desk, _desk)


def _add_accept(actions: Subparsers) -> None:
    accept = word(
        actions,
        "accept",
        "on the hub: pair the camera with this code (as the tablet's page does)",
        "leftfield pair accept 7K3M-9PQX-2HTD --name corner-north --place 'north corner'",
    )
    accept.add_argument("code", help="the code on the camera's label")
    accept.add_argument("--name", required=True, help="the camera's name, such as corner-north")
    accept.add_argument("--place", required=True, help="what staff call the place")
    accept.add_argument("--looks", default="", choices=DIRECTIONS, help="which way it looks")
    accept.add_argument(
        "--replaces", default="", help="the camera that it takes the place of; that one is revoked"
    )
    accept.add_argument("--socket", type=Path, default=SOCKET, help="(default %(default)s)")
    runs(accept, _accept)


def _accept(args: argparse.Namespace) -> None:
    asked = {
        "v": 1,
        "code": args.code,
        "unit": args.name,
        "place": args.place,
        "looks": args.looks,
        "replaces": args.replaces,
    }
    try:
        with socket.socket(socket.AF_UNIX) as desk:
            desk.settimeout(ANSWER_SECONDS)
            desk.connect(str(args.socket))
            desk.sendall(json.dumps(asked).encode() + b"\n")
            answer = json.loads(desk.makefile().readline())
    except (OSError, ValueError):
        raise Unavailable(
            "the pairing desk does not answer",
            where=str(args.socket),
            fix="run this on the hub as root; systemctl status leftfield-desk",
        ) from None
    if not answer["ok"]:
        raise Refused(Rule.WRONG_CODE, answer["text"].rstrip("."), where="pairing")
    say(args, {"unit": args.name, "why": answer["why"]}, answer["text"])


def _wait(args: argparse.Namespace) -> None:
    from appliance.pairing import unit  # noqa: PLC0415 - loads the key exchange for those who pair
    from appliance.pairing.finder import Found  # noqa: PLC0415
    from appliance.pairing.plan import camera_here, told_plan  # noqa: PLC0415

    told = told_plan(args.directory)
    hub = args.hub or told.hub
    plan = unit.UnitPlan(
        directory=args.directory.absolute(),
        source=args.source or told.source or camera_here(),
        hub=Found(host=hub, port=args.port) if hub else None,
        systemd=not args.no_systemd,
    )
    name = asyncio.run(unit.wait(plan))
    log(f"paired as {name}")
    say(args, {"unit": name}, f"paired as {name}")


def _renew(args: argparse.Namespace) -> None:
    from appliance.pairing.tries import CodeOnUnit  # noqa: PLC0415
    from appliance.protocol.pairing_code import new_code  # noqa: PLC0415

    if (args.directory / "unit.toml").exists():
        confirm(args, "This unit is paired. Take it out of its booth and make a new code?")
    code = new_code()
    args.directory.mkdir(parents=True, exist_ok=True)
    CodeOnUnit(args.directory).write(code)
    for left in ("unit.toml", "link/unit.pem", "link/ca.pem", "link/tls.key", "credentials/signing.key"):
        (args.directory / left).unlink(missing_ok=True)
    say(args, {"code": str(code)}, f"{code} (shown only now; write it on the label)")
    sys.stderr.write("now: systemctl restart leftfield-pair\n")


def _desk(args: argparse.Namespace) -> None:
    from appliance.pairing import serve  # noqa: PLC0415

    serve.main(
        serve.DeskPlan(
            directory=args.directory.absolute(),
            host=args.host,
            port=args.port,
            socket=args.socket,
            announce=not args.no_announce,
        )
    )

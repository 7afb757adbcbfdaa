"""The commands ``leftfield booth``, ``leftfield enrol`` and ``leftfield epoch``.

Laws: what a machine wants goes to standard output (a request, an answer, one JSON object with ``--json``), what a
person should know goes to standard error; a secret is shown once, where it was asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance import config
from appliance.enrol import booth as booths
from appliance.enrol import files, home, start
from appliance.enrol.broker import Listeners
from appliance.enrol.names import host
from appliance.errors import LeftfieldError, Unfit
from appliance.values import BoothId, UnitId

PAGES_PORT: Final = 8443
"""Where systemd/leftfield-pages.service serves."""

_EXIT_CODES: Final = (
    "exit codes: 0 done; 2 wrong use; 65 the request was refused; 75 away for now, try again; "
    "78 a file, a name or the set-up is wrong"
)
_RELOAD: Final = "now let the broker read it: systemctl reload mosquitto"
_SYSTEM_KEY: Final = Path("/run/credentials/leftfield-relay.service/tls.key")


def add_parsers(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``booth``, ``enrol`` and ``epoch``; each sets ``run`` to a function of the parsed arguments."""
    _add_booth(subparsers)
    _add_enrol(subparsers)
    epoch = _parser(
        subparsers,
        "epoch",
        "count this unit's start (done by leftfield-epoch.service before each start of SENSE)",
        "leftfield epoch",
    )
    _runs(epoch, _epoch)


def _add_booth(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "the booth: create it, let tablets in and out, revoke units"
    example = "leftfield booth create corner --host booth.local --host 192.168.4.1"
    actions = _group(subparsers, "booth", about, example)
    _add_create(actions, example)
    tablet = _parser(
        actions, "tablet", "let a tablet in and show its password, once", "leftfield booth tablet tablet-1"
    )
    tablet.add_argument("name", help="name of the tablet")
    tablet.add_argument("--again", action="store_true", help="a new password for a tablet that is known")
    tablet.add_argument("--remove", action="store_true", help="put the tablet out instead")
    _runs(tablet, _tablet)
    revoke = _parser(actions, "revoke", "put a unit out, for good", "leftfield booth revoke corner-north")
    revoke.add_argument("name", help="name of the unit")
    _runs(revoke, _revoke)
    about = "fresh certificates for broker and pages"
    renew = _parser(actions, "renew", about, "leftfield booth renew --host 192.168.4.1")
    renew.add_argument(
        "--host", action="append", help="names and addresses of this hub from now on; repeat it"
    )
    _runs(renew, _renew)
    show = _parser(actions, "show", "who is in the register", "leftfield booth show --json")
    _runs(show, _show)


def _add_create(actions: argparse._SubParsersAction[argparse.ArgumentParser], example: str) -> None:
    create = _parser(actions, "create", "make the authority, the broker's settings and hub.toml", example)
    create.add_argument("name", help="name of the booth, such as corner")
    create.add_argument(
        "--host",
        action="append",
        default=[],
        help="name or address of this hub; repeat it; the first is told to units",
    )
    create.add_argument(
        "--mqtt-port", type=int, default=8883, help="units and hub, mutual TLS (default 8883)"
    )
    create.add_argument("--wss-port", type=int, default=9443, help="tablets, TLS and password (default 9443)")
    create.add_argument("--systemd", action="store_true", help="keys are handed in by the units in systemd/")
    _runs(create, _create)


def _add_enrol(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "let a unit into a booth: request (on the unit), accept (on the booth), finish (on the unit)"
    example = "leftfield enrol request corner-north --booth corner > request.json"
    actions = _group(subparsers, "enrol", about, example)
    asking = _parser(actions, "request", "make this unit's keys and ask for a certificate", example)
    asking.add_argument("name", help="name of the unit, such as corner-north")
    asking.add_argument("--booth", required=True, help="name of the booth")
    _runs(asking, _request)
    accept = _parser(
        actions,
        "accept",
        "check a request, put the unit into the register, and answer",
        "leftfield enrol accept request.json --place 'north corner' > answer.json",
    )
    accept.add_argument("request", help="the request, or - for standard input")
    accept.add_argument("--place", required=True, help="what staff call the place")
    accept.add_argument("--simulated", action="store_true", help="no real camera: said on every screen")
    _runs(accept, _accept)
    _add_finish(actions)


def _add_finish(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    finish = _parser(
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
    _runs(finish, _finish)


def _told(args: argparse.Namespace) -> int:
    """Run the action; each error is one line on standard error and one exit code."""
    action: Callable[[argparse.Namespace], None] = args.action
    try:
        action(args)
    except LeftfieldError as error:
        sys.stderr.write(f"leftfield: {error}\n")
        return error.exit_code
    return 0


def _create(args: argparse.Namespace) -> None:
    listeners = Listeners(mqtt_port=args.mqtt_port, wss_port=args.wss_port)
    for text in args.host:
        host(text)
    made = booths.create_booth(
        args.directory, args.name, tuple(args.host), listeners=listeners, system=args.systemd
    )
    files.write_hub_config(
        made.directory / "hub.toml",
        booth=made.booth,
        broker=made.hub_broker,
        register=made.register,
        database=Path("/var/lib/leftfield/hub/hub.sqlite") if args.systemd else made.directory / "hub.sqlite",
        signing_key=made.signing_key,
    )
    _say(
        args,
        {"booth": made.booth, "directory": str(made.directory)},
        f"booth {made.booth} is in {made.directory}",
    )


def _tablet(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    if args.remove:
        booths.remove_tablet(booth, args.name)
        _say(args, {"tablet": args.name, "removed": True}, f"{args.name} is out; {_RELOAD}")
        return
    password = booths.add_tablet(booth, args.name, again=args.again)
    page = f"https://{booth.hosts[0] if booth.hosts else 'localhost'}:{PAGES_PORT}/tablet"
    told = f"{args.name} opens {page}#{args.name}:{password} (shown only now); {_RELOAD}"
    _say(args, {"tablet": args.name, "password": password}, told)


def _revoke(args: argparse.Namespace) -> None:
    booths.revoke_unit(booths.open_booth(args.directory), args.name)
    _say(args, {"unit": args.name, "revoked": True}, f"{args.name} is out for good; {_RELOAD}")


def _renew(args: argparse.Namespace) -> None:
    hosts = tuple(args.host) if args.host else None
    booth = booths.renew(booths.open_booth(args.directory), hosts=hosts)
    told = "fresh certificates are in place; now: systemctl restart mosquitto leftfield-pages"
    _say(args, {"booth": booth.booth, "hosts": list(booth.hosts)}, told)


def _show(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    register = config.register(booth.register)
    units = [
        {"unit": unit.unit, "place": unit.place, "simulated": unit.simulated, "revoked": unit.revoked}
        for unit in register.units
    ]
    counts = ", ".join((_count(len(units), "unit"), _count(len(register.tablets), "tablet")))
    lines = [f"booth {booth.booth}: {counts}"]
    lines += [f"  {row['unit']}  {row['place']}{'  REVOKED' if row['revoked'] else ''}" for row in units]
    lines += [f"  {tablet}" for tablet in register.tablets]
    _say(args, {"booth": booth.booth, "units": units, "tablets": list(register.tablets)}, "\n".join(lines))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _request(args: argparse.Namespace) -> None:
    unit_home = home.UnitHome(directory=args.directory)
    asking = home.make_request(unit_home, booth=BoothId(args.booth), unit=UnitId(args.name))
    sys.stdout.buffer.write(asking)
    sys.stderr.write("carry this request to the booth: leftfield enrol accept\n")


def _accept(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    answer = booths.accept_request(booth, _letter(args.request), place=args.place, simulated=args.simulated)
    sys.stdout.buffer.write(answer)
    sys.stderr.write(f"carry this answer back to the unit: leftfield enrol finish; {_RELOAD}\n")


def _finish(args: argparse.Namespace) -> None:
    unit_home = home.UnitHome(directory=args.directory.absolute())
    config.refuse_network_source(args.source, "--source")
    source, doubt = start.source_of(args.source)
    answer = home.install_answer(unit_home, _letter(args.answer))
    by_hand = not args.systemd
    files.write_unit_config(
        unit_home.config,
        booth=answer.booth,
        unit=answer.unit,
        broker=unit_home.broker(answer, key=None if by_hand else _SYSTEM_KEY),
        source=source,
        pipe=unit_home.directory / "pipe" if by_hand else None,
        spool=unit_home.directory / "spool" if by_hand else None,
        public_key=unit_home.public_key(),
        hub_key=bytes.fromhex(answer.hub_key),
        prior=unit_home.directory / "hub.prior" if by_hand else None,
        walls=args.walls or (None if by_hand else _walls_of_this_kernel()),
    )
    told = f"{answer.unit} is enrolled in booth {answer.booth}; its settings are in {unit_home.config}"
    _say(args, {"unit": answer.unit, "booth": answer.booth, "config": str(unit_home.config)}, told)
    if doubt:
        sys.stderr.write(f"warning: {doubt}\n")
    sys.stderr.write(f"now start it:\n{start.by_hand(unit_home) if by_hand else start.BY_SYSTEMD}")


def _walls_of_this_kernel() -> str:
    """``every`` where the kernel has what systemd/leftfield-sense.service cannot bring: Landlock, and PR_SET_MDWE.

    Nobody relies on this answer: SENSE builds and probes its walls at each start, and refuses where it was wrong.
    """
    modules = Path("/sys/kernel/security/lsm")
    landlock = modules.is_file() and "landlock" in modules.read_text("ascii").strip().split(",")
    version = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    missing = [
        what for what, has in (("Landlock", landlock), ("Linux 6.3 or newer", version >= (6, 3))) if not has
    ]
    if missing:
        sys.stderr.write(
            f"this kernel lacks {' and '.join(missing)}: SENSE will do with the required walls\n"
        )
    return "required" if missing else "every"


def _epoch(args: argparse.Namespace) -> None:
    epoch = home.next_epoch(home.UnitHome(directory=args.directory).credentials)
    _say(args, {"epoch": epoch}, f"epoch {epoch}")


def _letter(name: str) -> bytes:
    """A letter's bytes, at most a little more than any letter has. Unfit where it cannot be read."""
    limit = 65536
    if name == "-":
        return sys.stdin.buffer.read(limit)
    try:
        with Path(name).open("rb") as file:
            return file.read(limit)
    except OSError as error:
        raise Unfit(
            f"cannot read it: {error.strerror}", where=name, mend="name the file, or - for standard input"
        ) from None


def _say(args: argparse.Namespace, fields: dict[str, object], sentence: str) -> None:
    sys.stdout.write((json.dumps(fields) if args.json else sentence) + "\n")


def _group(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str, example: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return _parser(subparsers, name, about, example).add_subparsers(required=True, metavar="ACTION")


def _parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str, example: str
) -> argparse.ArgumentParser:
    return subparsers.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=f"example:\n  {example}\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _runs(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], None]) -> None:
    """Let ``parser`` do ``action``, and give it the options that every command here has."""
    parser.set_defaults(run=_told, action=action)
    parser.add_argument(
        "--directory",
        type=Path,
        default=config.CONFIG_DIRECTORY,
        help=f"where everything is kept (default {config.CONFIG_DIRECTORY})",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")

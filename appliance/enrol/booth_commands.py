"""The command ``leftfield booth``: create it, let tablets in and out, revoke units, renew certificates, show.

Invariants: those of ``commands``; a secret is shown once, where it was asked for.
"""

from __future__ import annotations

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit
from appliance.base.network import own_addresses
from appliance.enrol import booth as booths
from appliance.enrol import broker_store, files, notice_sign
from appliance.enrol.broker import Listeners, mosquitto
from appliance.enrol.fleet_commands import add_fleet
from appliance.enrol.layout import days_left
from appliance.enrol.names import host
from appliance.enrol.notice_sign import PAPERS
from appliance.enrol.options import RELOAD, group, runs, say
from appliance.protocol.acts import ActKind
from appliance.protocol.values import Seconds
from appliance.settings import config
from appliance.settings.acts_file import note
from appliance.settings.cli_arguments import Subparsers, clock, confirm, port, whole, word, yes_option
from appliance.settings.notice import LEGAL_BASES, STATE_PATH, NoticeConfig
from appliance.settings.streams import write_bytes
from appliance.settings.toml_table import time_of_day

PAGES_PORT: Final = 8443
"""Where systemd/leftfield-pages.service serves."""
STORE: Final = Path("/var/lib/mosquitto")
"""Where Debian's mosquitto keeps what it holds."""
START: Final = """
now start it (restart: a broker that Debian has started with its own settings listens on nothing of ours):
  systemd-tmpfiles --create leftfield.conf
  systemctl enable mosquitto
  systemctl restart mosquitto
  systemctl enable --now leftfield-watch leftfield-pages leftfield-desk
  systemctl enable --now leftfield-reload.path leftfield-certificate.path leftfield-renew.timer"""


def add_booth(subparsers: Subparsers) -> None:
    """Add ``booth`` and its actions."""
    about = "the booth: create it, let tablets in and out, revoke units"
    example = "leftfield booth create corner --host booth.local --host 192.168.4.1"
    actions = group(subparsers, "booth", about, example)
    _add_create(actions, example)
    tablet = word(
        actions, "tablet", "let a tablet in and show its password, once", "leftfield booth tablet tablet-1"
    )
    tablet.add_argument("name", help="name of the tablet")
    tablet.add_argument("--again", action="store_true", help="a new password for a tablet that is enrolled")
    kind = tablet.add_mutually_exclusive_group()
    kind.add_argument("--installer", action="store_true", help="it may also pair cameras")
    tablet.add_argument(
        "--lead",
        action="store_true",
        help="it is the lead's: it may also set stock and staff, and close the day",
    )
    kind.add_argument("--room", action="store_true", help="it is a big screen, which may only look")
    tablet.add_argument("--remove", action="store_true", help="put the tablet out instead")
    yes_option(tablet)
    runs(tablet, _tablet)
    revoke = word(actions, "revoke", "put a unit out, for good", "leftfield booth revoke corner-north")
    revoke.add_argument("name", help="name of the unit")
    yes_option(revoke)
    runs(revoke, _revoke)
    about = "fresh certificates for broker and pages"
    renew = word(actions, "renew", about, "leftfield booth renew --host 192.168.4.1")
    renew.add_argument(
        "--host", action="append", help="names and addresses of this hub from now on; repeat it"
    )
    renew.add_argument("--here", action="store_true", help="add this machine's private addresses to them")
    renew.add_argument(
        "--before",
        type=whole,
        metavar="DAYS",
        help="only where the page certificate has fewer days left, or --here adds one",
    )
    runs(renew, _renew)
    about = "set the broker's store aside where the broker cannot load it (before it starts)"
    mend = word(actions, "mend-store", about, "leftfield booth mend-store --store /var/lib/mosquitto")
    mend.add_argument(
        "--store", type=Path, default=STORE, metavar="DIR", help=f"the broker's store (default {STORE})"
    )
    runs(mend, _mend)
    about = "the sign for the booth, to be printed: who answers, how to say no, a code that opens /here"
    sign = word(actions, "sign", about, "leftfield booth sign --language fr --out sign.pdf")
    sign.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a name that ends in .pdf or .svg"
    )
    sign.add_argument("--language", choices=config.LANGUAGES, help="default: the hub's")
    sign.add_argument("--paper", choices=tuple(PAPERS), default="A4", help="default %(default)s")
    sign.add_argument("--address", help="what the code opens (default: this hub's public page)")
    runs(sign, _sign)
    add_fleet(actions)
    show = word(actions, "show", "who is in the register", "leftfield booth show --json")
    runs(show, _show)


def _add_create(actions: Subparsers, example: str) -> None:
    create = word(actions, "create", "make the authority, the broker's settings and hub.toml", example)
    create.add_argument("name", help="name of the booth, such as corner")
    create.add_argument(
        "--host",
        action="append",
        default=[],
        help="name or address of this hub; repeat it; the first is told to units",
    )
    create.add_argument(
        "--mqtt-port", type=port, default=8883, help="units and hub, mutual TLS (default 8883)"
    )
    create.add_argument(
        "--wss-port", type=port, default=9443, help="tablets, TLS and password (default 9443)"
    )
    create.add_argument("--opens", type=clock, metavar="HH:MM", help="when the booth opens, each day")
    create.add_argument(
        "--closes",
        type=clock,
        metavar="HH:MM",
        help="when it closes (default: ten hours after the first person)",
    )
    create.add_argument(
        "--language", choices=config.LANGUAGES, help=f"what staff are told in (default {config.LANGUAGES[0]})"
    )
    create.add_argument("--controller", default="", help="who answers for the booth, by law: a name")
    create.add_argument("--contact", default="", help="how to reach them: an address, a telephone number")
    create.add_argument("--legal-basis", choices=LEGAL_BASES, default="", help="article 6(1) of the GDPR")
    create.add_argument("--way-round", default="", help="where one can pass without being seen")
    create.add_argument("--systemd", action="store_true", help="keys are handed in by the units in systemd/")
    runs(create, _create)


def _hours(opens: str | None, closes: str | None) -> tuple[Seconds | None, Seconds | None]:
    """Both as seconds since midnight. Unfit where one is missing, or the booth would close before it opens."""
    if opens is None and closes is None:
        return None, None
    begin, end = (None if text is None else time_of_day(text) for text in (opens, closes))
    if begin is None or end is None or end <= begin:
        raise Unfit(
            "the booth must open and close on the same day, in this order",
            where="--opens, --closes",
            fix="give both, such as --opens 10:00 --closes 18:30, or neither",
        )
    return begin, end


def _create(args: argparse.Namespace) -> None:
    listeners = Listeners(mqtt_port=args.mqtt_port, wss_port=args.wss_port)
    for text in args.host:
        host(text)
    hours = _hours(args.opens, args.closes)
    made = booths.create_booth(
        args.directory, args.name, tuple(args.host), listeners=listeners, system=args.systemd
    )
    _ask_who_answers(args)
    database = (
        config.STATE_DIRECTORY / "hub" / "hub.sqlite" if args.systemd else made.directory / "hub.sqlite"
    )
    notice = NoticeConfig(
        controller=args.controller,
        contact=args.contact,
        legal_basis=args.legal_basis,
        way_round=args.way_round,
        state=STATE_PATH if args.systemd else made.directory / STATE_PATH.name,
    )
    files.write_hub_config(
        made.directory / "hub.toml",
        config.HubConfig(
            booth=made.booth,
            broker=made.hub_broker,
            register=made.register,
            database=database,
            signing_key=made.signing_key,
            prior_key=made.prior_key,
            pacing=config.PacingConfig(opens=hours[0], closes=hours[1]),
            language=args.language or config.LANGUAGES[0],
            notice=notice,
        ),
    )
    note(made.directory, ActKind.CREATE)
    say(
        args,
        {"booth": made.booth, "directory": str(made.directory)},
        f"booth {made.booth} is in {made.directory}{_closed(notice)}{START if args.systemd else ''}",
    )


_QUESTIONS: Final = {
    "controller": "Who answers for the booth, by law (a name)",
    "contact": "How to reach them (an address, a telephone number)",
    "legal_basis": f"The legal basis by article 6(1) of the GDPR, one of {', '.join(LEGAL_BASES)}",
    "way_round": "Where one can pass without being seen",
}
"""What the public page must know, asked on a terminal where no option has said it."""


def _ask_who_answers(args: argparse.Namespace) -> None:
    """Ask for what is missing, where somebody is there to answer; an empty line leaves it for later."""
    if not sys.stdin.isatty() or args.json:
        return
    for key, question in _QUESTIONS.items():
        while not getattr(args, key):
            sys.stderr.write(f"{question}; empty for later: ")
            sys.stderr.flush()
            answer = sys.stdin.readline().strip()
            if key == "legal_basis" and answer and answer not in LEGAL_BASES:
                sys.stderr.write(f"{answer!r} is none of them\n")
                continue
            setattr(args, key, answer)
            break


def _closed(notice: NoticeConfig) -> str:
    """What keeps the public page closed, as a line; nothing where it is open."""
    if not notice.missing:
        return ""
    keys = ", ".join(notice.missing)
    return f"\nthe public page /here stays closed; missing: {keys}. Fix: set them under [notice] in hub.toml"


def _tablet(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    if args.remove:
        confirm(args, f"Put the tablet {args.name} out?")
        booths.remove_tablet(booth, args.name)
        note(booth.directory, ActKind.TABLET_OUT, of=args.name)
        say(args, {"tablet": args.name, "removed": True}, f"{args.name} is out; {RELOAD}")
        return
    if args.room and args.lead:
        fix = "leave one of both out"
        raise Unfit("a big screen only looks: it cannot be the lead's", where="--room, --lead", fix=fix)
    password = booths.add_tablet(
        booth, args.name, again=args.again, installer=args.installer, lead=args.lead, room=args.room
    )
    note(booth.directory, ActKind.TABLET, of=args.name)
    host = booth.hosts[0] if booth.hosts else "localhost"
    page = f"https://{host}:{PAGES_PORT}/{'room' if args.room else 'tablet'}"
    link = f"{page}#{args.name}:{password}"
    told = f"{args.name} opens {link} (shown only now); {RELOAD}"
    if sys.stdout.isatty():
        told += f"\n{square_code(link)}"
    say(args, {"tablet": args.name, "password": password}, told)


def square_code(link: str) -> str:
    """A link as a QR code in characters, two rows of squares a line, to be scanned off a terminal."""
    import segno  # noqa: PLC0415 - only who looks at a terminal needs it

    drawn = io.StringIO()
    segno.make(link, error="l", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def _revoke(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    confirm(args, f"Revoke the unit {args.name}?")
    booths.revoke_unit(booth, args.name)
    note(booth.directory, ActKind.REVOKE, of=args.name)
    say(args, {"unit": args.name, "revoked": True}, f"{args.name} is revoked; {RELOAD}")


def _renew(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    known = tuple(args.host) if args.host else booth.hosts
    hosts = tuple(dict.fromkeys((*known, *(own_addresses() if args.here else ()))))
    left = days_left(booth, datetime.now(UTC))
    if args.before and left >= args.before and hosts == booth.hosts:
        told = f"the page certificate lasts {left} more days; nothing was changed"
        say(args, {"booth": booth.booth, "hosts": list(hosts), "renewed": False, "days": left}, told)
        return
    booth = booths.renew(booth, hosts=hosts)
    note(booth.directory, ActKind.RENEW)
    told = (
        "fresh certificates are in place; broker and page server take them up (else: systemctl restart both)"
    )
    left = days_left(booth, datetime.now(UTC))
    say(args, {"booth": booth.booth, "hosts": list(booth.hosts), "renewed": True, "days": left}, told)


def _mend(args: argparse.Namespace) -> None:
    done = broker_store.mend(args.store, mosquitto())
    told = done or f"the broker's store in {args.store} is as it should be"
    say(args, {"store": str(args.store), "set_aside": bool(done)}, told)


def _sign(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    hub = config.hub_config(booth.directory / "hub.toml")
    host = booth.hosts[0] if booth.hosts else "localhost"
    page = notice_sign.sign(
        hub.notice,
        language=args.language or hub.language,
        paper=args.paper,
        address=args.address or f"https://{host}:{PAGES_PORT}/here",
    )
    forms = {".pdf": notice_sign.pdf, ".svg": notice_sign.svg}
    form = forms.get(args.out.suffix.lower())
    if form is None:
        fix = "name it .pdf, or .svg"
        raise Unfit("a sign is a PDF or an SVG file", where=str(args.out), fix=fix)
    write_bytes(form(page), args.out)
    say(
        args,
        {"sign": str(args.out), "paper": args.paper},
        f"the sign is in {args.out}: print it on {args.paper}",
    )


def _show(args: argparse.Namespace) -> None:
    booth = booths.open_booth(args.directory)
    register = config.register(booth.register)
    units = [
        {"unit": unit.unit, "place": unit.place, "simulated": unit.simulated, "revoked": unit.revoked}
        for unit in register.units
    ]
    counts = ", ".join((_count(len(units), "unit"), _count(len(register.tablets), "tablet")))
    counts += f", {_count(len(register.rooms), 'room')}" if register.rooms else ""
    lines = [f"booth {booth.booth}: {counts}"]
    lines += [f"  {row['unit']}  {row['place']}{'  REVOKED' if row['revoked'] else ''}" for row in units]
    lines += [f"  {name}" for name in (*register.tablets, *register.rooms)]
    shown = {"units": units, "tablets": list(register.tablets), "rooms": list(register.rooms)}
    say(args, {"booth": booth.booth, **shown}, "\n".join(lines))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

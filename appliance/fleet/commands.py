"""The command ``leftfield fleet``: create it, let booths in and out, run its parts, read what it has.

Invariants: what a machine wants goes to standard output, what a person should know to standard error.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.base.systemd import log
from appliance.enrol.options import group, runs, say
from appliance.fleet import layout
from appliance.protocol.values import BoothId, Seconds
from appliance.settings.cli_arguments import Subparsers, confirm, name, port, whole, word, yes_option
from appliance.settings.streams import STANDARD, read_bytes, write_bytes

DIRECTORY: Final = Path("/etc/leftfield-fleet")
VARIABLE: Final = "LEFTFIELD_FLEET_DATABASE"


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``fleet`` and its actions."""
    example = "leftfield fleet create city --host fleet.local --directory city"
    actions = group(subparsers, "fleet", "many booths, one view: counts of crowds, health, shares", example)
    create = word(actions, "create", "make the fleet's authority and its broker's settings", example)
    create.add_argument("name", type=name, help="name of the fleet, such as city")
    create.add_argument("--host", required=True, help="name or address of this machine, as booths reach it")
    create.add_argument("--mqtt-port", type=port, default=8883, help="booths and workers (default 8883)")
    create.add_argument("--workers", type=whole, default=2, help="how many take reports (default 2)")
    _runs(create, _create)
    add = word(actions, "add", "let a booth in", "leftfield fleet add request.json > answer.json")
    add.add_argument("request", type=Path, help="the booth's request, or - for standard input")
    _runs(add, _add, database=True)
    about = "put a booth out and delete all that came of it"
    withdraw = word(actions, "withdraw", about, "leftfield fleet withdraw corner --yes")
    withdraw.add_argument("booth", type=name, help="name of the booth")
    yes_option(withdraw)
    _runs(withdraw, _withdraw, database=True)
    show = word(actions, "show", "every booth and how it is", "leftfield fleet show --json")
    _runs(show, _show, database=True)
    about = "write all booths' baselines, added up and signed, to standard output"
    baseline = word(actions, "baseline", about, "leftfield fleet baseline > city.baseline")
    _runs(baseline, _baseline, database=True)
    worker = word(actions, "worker", "take reports until stopped", "leftfield fleet worker --number 1")
    worker.add_argument("--number", type=whole, default=1, help="which worker (default 1)")
    worker.add_argument("--broker", default="127.0.0.1", help="where the broker is (default %(default)s)")
    _runs(worker, _worker, database=True)
    page = word(actions, "page", "serve the fleet's page", "leftfield fleet page --page-port 8090")
    _page_options(page)
    _runs(page, _page, database=True)
    up = word(
        actions, "up", "run broker, database, workers and page here", "leftfield fleet up --directory city"
    )
    _page_options(up)
    _runs(up, _up, database=True)


def _page_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--page-host", default="127.0.0.1", help="where the page listens (default %(default)s)"
    )
    parser.add_argument("--page-port", type=port, default=8090, help="its port (default 8090)")


def _runs(
    parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], None], *, database: bool = False
) -> None:
    runs(parser, action)
    parser.set_defaults(directory=DIRECTORY)
    if database:
        parser.add_argument(
            "--database",
            default=os.environ.get(VARIABLE, ""),
            metavar="URL",
            help=f"PostgreSQL, such as postgresql://fleet@host/fleet (default ${VARIABLE}, else one of our own)",
        )


def _url(args: argparse.Namespace) -> str:
    from appliance.fleet.up import own_database

    given: str = args.database
    return given or own_database(args.directory.absolute())


def _create(args: argparse.Namespace) -> None:
    made = layout.create_fleet(
        args.directory, args.name, args.host, port=args.mqtt_port, workers=args.workers
    )
    told = {"fleet": made.fleet, "directory": str(made.directory), "port": made.port}
    say(args, dict(told), f"fleet {made.fleet} is in {made.directory}; start it: leftfield fleet up")


def _add(args: argparse.Namespace) -> None:
    from appliance.fleet.store import FleetStore

    fleet = layout.open_fleet(args.directory)
    asked = layout.read_booth(fleet, read_bytes(args.request))
    store = FleetStore(_url(args))
    try:
        store.add_booth(BoothId(asked.unit), asked.public_key)
    finally:
        store.close()
    write_bytes(layout.answer_to(fleet, asked), STANDARD)
    log(f"booth {asked.unit} is in fleet {fleet.fleet}; on its hub: leftfield booth fleet join ANSWER")


def _withdraw(args: argparse.Namespace) -> None:
    from appliance.fleet.store import FleetStore

    fleet = layout.open_fleet(args.directory)
    confirm(args, f"Withdraw booth {args.booth} and delete what came of it?")
    store = FleetStore(_url(args))
    try:
        gone = store.withdraw(BoothId(args.booth))
        withdrawn = tuple(str(booth) for booth, key in store.keys().items() if key.withdrawn)
    finally:
        store.close()
    layout.shut_out(fleet, withdrawn)
    told = ", ".join(f"{number} of {table}" for table, number in gone.items() if number) or "nothing"
    say(
        args,
        {"booth": args.booth, "deleted": gone},
        f"booth {args.booth} is withdrawn; rows deleted: {told}. Reload the broker (SIGHUP) so that it shuts it out",
    )


def _show(args: argparse.Namespace) -> None:
    from dataclasses import asdict

    from appliance.fleet.store import FleetStore
    from appliance.fleet.view import page_of

    store = FleetStore(_url(args))
    try:
        page = page_of(layout.open_fleet(args.directory).fleet, store.rows(), Seconds(time.time()))
    finally:
        store.close()
    lines = [
        f"{one.booth:24} {one.state:10} {one.people:>9,} people  {one.cameras_on} of {one.cameras} cameras  "
        f"{one.alerts} alerts and {one.gifts} gifts today"
        for one in page.booths
    ]
    lines += [f"{booth} is not counted: {why}" for booth, why in page.left_out]
    say(args, asdict(page), "\n".join(lines) or "no booth has joined yet")


def _baseline(args: argparse.Namespace) -> None:
    from appliance.fleet.merged import signed_baseline
    from appliance.fleet.store import FleetStore

    fleet = layout.open_fleet(args.directory)
    store = FleetStore(_url(args))
    try:
        made = signed_baseline(fleet, store.rows(), Seconds(time.time()))
    finally:
        store.close()
    write_bytes(made.content, STANDARD)
    for booth, why in made.left_out:
        log(f"{booth} is not in it: {why}", level=4)
    log(f"{made.people:,} people of {made.booths} booths; believed under key {made.public_key.hex()}")


def _worker(args: argparse.Namespace) -> None:
    from appliance.fleet.worker import run_worker

    fleet = layout.open_fleet(args.directory)
    run_worker(
        name=f"{layout.WORKER}{args.number}",
        broker=fleet.broker(args.number, args.broker),
        database=_url(args),
    )


def _page(args: argparse.Namespace) -> None:
    from appliance.fleet.page import serve

    fleet = layout.open_fleet(args.directory)
    serve(fleet.fleet, _url(args), args.page_host, args.page_port)


def _up(args: argparse.Namespace) -> None:
    from appliance.fleet.up import up

    fleet = layout.open_fleet(args.directory)
    up(fleet, database=args.database, page_host=args.page_host, page_port=args.page_port)

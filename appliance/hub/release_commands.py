"""The command ``leftfield trends``: a differentially private release of what people wore, as files for the analyst.

Invariants:
    * The price is in the ledger before a number is drawn; where the month's budget is spent nothing is released.
    * A running hub goes on: its stored counts are read, nothing is written to its database.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

from appliance.base.atomic_files import PUBLIC, write_durably
from appliance.base.errors import Unfit
from appliance.hub.exchange.transfer import stored_baseline
from appliance.hub.releases import forms
from appliance.hub.releases.release import grid, movers, released
from appliance.hub.storage.ledger import LEDGER, MONTHLY, Ledger, month_of
from appliance.protocol.values import Seconds
from appliance.settings import config as configs
from appliance.settings.cli_arguments import Subparsers, command, config_option
from appliance.settings.progress import Progress
from appliance.settings.streams import STANDARD, read_bytes, write_bytes


def _epsilon(text: str) -> float:
    """A price of 0.1 to the whole budget of a month, in thousandths."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= MONTHLY / 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no epsilon from 0.1 to {MONTHLY / 1000:g}")
    return round(found, 3)


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``trends``; its ``run`` takes the parsed arguments and gives the exit code."""
    about = "release what crowds wore: CSV, Parquet and a page, differentially private"
    made = command(subparsers, "trends", about, "leftfield trends --out november", _trends)
    config_option(made, "hub.toml")
    made.add_argument("--out", type=Path, metavar="DIR", help="folder for the files (default: none)")
    made.add_argument(
        "--epsilon", type=_epsilon, default=1.0, help="price of this release (default: %(default)s)"
    )
    made.add_argument(
        "--against", type=Path, metavar="FILE", help="an earlier release (.json), for what changed"
    )
    made.add_argument("--json", action="store_true", help="the release as one JSON object on standard output")


def _libraries() -> None:
    """Unfit where what draws the noise and writes Parquet is not installed."""
    try:
        for name in ("opendp.prelude", "pyarrow.parquet"):
            importlib.import_module(name)
    except ImportError as error:
        fix = "pip install 'leftfield[analyst]', on the hub itself: a copy of its database releases nothing"
        raise Unfit(f"a library for releases is missing: {error.name}", where="trends", fix=fix) from None


def _trends(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    before = forms.read(read_bytes(given.against), str(given.against)) if given.against else None
    _libraries()  # before anything is spent
    counts = grid(stored_baseline(config))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
    now = Seconds(time.time())
    left = Ledger(config.database.parent / LEDGER, config.booth).spend(round(1000 * given.epsilon), now)
    progress = Progress("release", 4)
    made = released(counts, booth=config.booth, month=month_of(now), epsilon=given.epsilon)
    progress.step(1)
    moved = movers(made, before) if before else ()
    if given.out:
        stem = f"{made.booth}-{made.month}"
        for ending, content in (
            ("json", forms.as_json(made)),
            ("csv", forms.as_csv(made)),
            ("parquet", forms.as_parquet(made)),
            ("html", forms.as_page(made, moved, before.month if before else "")),
        ):
            write_durably(given.out / f"{stem}.{ending}", content, mode=PUBLIC)
    progress.end()
    if given.json or not given.out:
        write_bytes(forms.as_json(made), STANDARD)
    sys.stderr.write(
        f"{len(made.cells)} cells; the budget of {made.month} has {left / 1000:g} of {MONTHLY / 1000:g} left\n"
    )
    return 0

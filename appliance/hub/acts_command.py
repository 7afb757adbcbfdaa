"""The command ``leftfield acts``: who did what with this booth and when.

Invariants:
    * It looks and changes nothing; the hub may run.
    * A chain that is broken is said, and ends the command with the exit code of refused input.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from typing import Final

from appliance.base.errors import Refused, Rule
from appliance.hub.records import acts
from appliance.hub.storage.store import Store
from appliance.protocol.acts import BY_DAY, KEPT_SECONDS
from appliance.settings import config as configs
from appliance.settings.cli_arguments import Subparsers, config_option, word
from appliance.settings.streams import STANDARD, text_output

_FIX: Final = "somebody has changed the database by hand: compare it with a backup"


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``acts``."""
    about = "who did what with this booth and when, from its append-only log"
    show = word(subparsers, "acts", about, "leftfield acts --json")
    show.add_argument("--json", action="store_true", help="one JSON object a line")
    config_option(show, "hub.toml")
    show.set_defaults(run=_acts)


def _acts(given: argparse.Namespace) -> int:
    config = configs.hub_config(given.config)
    store = Store(config.database, config.booth, alone=False)
    try:
        rows = store.acts()
    finally:
        store.close()
    with text_output(STANDARD) as out:
        for act, _ in rows:
            if given.json:
                told = {"at": act.at, "who": act.who, "kind": act.kind.value, "of": act.of}
                out.write(json.dumps(told) + "\n")
            else:
                by_day = act.kind in BY_DAY  # a day begins at midnight UTC
                when = time.strftime("%Y-%m-%d       " if by_day else "%Y-%m-%d %H:%MZ", time.gmtime(act.at))
                out.write(f"{when}  {act.who:20} {act.kind.value:10} {act.of}".rstrip() + "\n")
        if not given.json:
            out.write(f"{len(rows)} acts in {KEPT_SECONDS // 86_400} days\n")
    for (_, before), (act, link) in pairwise(rows):
        if acts.link(before, act) != link:
            raise Refused(Rule.FORGED, "the chain of acts is broken", where=str(config.database), fix=_FIX)
    return 0

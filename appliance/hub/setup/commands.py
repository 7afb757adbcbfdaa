"""The command ``leftfield walk``: what counts of right and wrong words say of a camera.

Invariants: nothing is read but numbers; no broker, no database, no clock.
"""

from __future__ import annotations

import argparse
import json

from appliance.base.errors import Unavailable
from appliance.hub.setup.walk import WalkCounts
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.settings.cli_arguments import Subparsers, command
from appliance.settings.streams import STANDARD, text_output

_MOST = 1_000_000


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``walk``; it sets ``run`` to a function of the parsed arguments."""
    about = "a camera's accuracy and interval from a walk test's counts; exit code 75 where it is not ready"
    example = "leftfield walk --right 21 --wrong 3 --passes 3 --card"
    walking = command(subparsers, "walk", about, example, _walk)
    for name, what in (("right", "words that were right"), ("wrong", "words that were wrong")):
        walking.add_argument(f"--{name}", type=_count, required=True, metavar="N", help=what)
    walking.add_argument(
        "--unsaid", type=_count, default=0, metavar="N", help="words that were not said (default: 0)"
    )
    walking.add_argument(
        "--passes", type=_count, default=3, metavar="N", help="passes that were read (default: 3)"
    )
    walking.add_argument("--card", action="store_true", help="the colour card has been read on this camera")
    walking.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {_MOST}")
    return int(text)


def _walk(given: argparse.Namespace) -> int:
    rest = (0,) * (len(ATTRIBUTES) - 1)
    counts = WalkCounts(
        read=given.passes,
        right=(given.right, *rest),
        wrong=(given.wrong, *rest),
        unsaid=(given.unsaid, *rest),
    )
    (low, high), ready = counts.interval, counts.is_ready(card=given.card)
    with text_output(STANDARD) as out:
        if given.json:
            told = {"right": given.right, "said": counts.said, "low": round(low, 3), "high": round(high, 3)}
            out.write(json.dumps(told | {"ready": ready}) + "\n")
        else:
            ends = f"{100 * low:.0f} to {100 * high:.0f} %"
            out.write(
                f"{given.right} of {counts.said} words right: {ends}; {'ready' if ready else 'not ready'}\n"
            )
    return 0 if ready else Unavailable.exit_code

"""What the commands of enrolment have in common: their parsers, their errors, and how they say what they did.

Rules: what a machine wants goes to standard output, what a person should know goes to standard error; each error is
one line and one exit code.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.settings import config
from appliance.settings.cli_arguments import Subparsers, word
from appliance.settings.streams import STANDARD, text_output

RELOAD: Final = "the broker reads it by itself (without leftfield-reload.path: systemctl reload mosquitto)"


def group(subparsers: Subparsers, name: str, about: str, example: str) -> Subparsers:
    """A word that groups actions: ``leftfield NAME ACTION``."""
    return word(subparsers, name, about, example).add_subparsers(required=True, metavar="ACTION")


def runs(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], None]) -> None:
    """Let ``parser`` do ``action``, and give it the options that every command here has."""
    parser.set_defaults(run=_told, action=action)
    parser.add_argument(
        "--directory",
        type=Path,
        default=config.CONFIG_DIRECTORY,
        help=f"where everything is kept (default {config.CONFIG_DIRECTORY})",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")


def _told(args: argparse.Namespace) -> int:
    """Run the action; its errors are told by the command line like everybody's."""
    action: Callable[[argparse.Namespace], None] = args.action
    action(args)
    return 0


def say(args: argparse.Namespace, fields: dict[str, object], sentence: str) -> None:
    """What was done, on standard output: ``fields`` as one JSON object where ``--json`` asks for it."""
    with text_output(STANDARD) as out:
        out.write((json.dumps(fields) if args.json else sentence) + "\n")

"""What the commands of enrolment have in common: their parsers, their errors, and how they say what they did.

Laws: what a machine wants goes to standard output, what a person should know goes to standard error; each error is
one line and one exit code.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.base.errors import LeftfieldError
from appliance.settings import config
from appliance.settings.cli_arguments import word

RELOAD: Final = "now let the broker read it: systemctl reload mosquitto"


def group(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str, example: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
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
    """Run the action; each error is one line on standard error and one exit code."""
    action: Callable[[argparse.Namespace], None] = args.action
    try:
        action(args)
    except LeftfieldError as error:
        sys.stderr.write(f"leftfield: {error}\n")
        return error.exit_code
    return 0


def say(args: argparse.Namespace, fields: dict[str, object], sentence: str) -> None:
    """What was done, on standard output: ``fields`` as one JSON object where ``--json`` asks for it."""
    sys.stdout.write((json.dumps(fields) if args.json else sentence) + "\n")

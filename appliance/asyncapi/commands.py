"""The command ``leftfield asyncapi``: the AsyncAPI 3 document of every topic and payload, as JSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from appliance.settings.cli_arguments import Subparsers, command
from appliance.settings.streams import STANDARD, write_bytes


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``asyncapi``; its ``run`` takes the parsed arguments and gives the exit code."""
    about = "print the AsyncAPI 3 document of every topic and payload"
    made = command(subparsers, "asyncapi", about, "leftfield asyncapi --out docs/asyncapi.json", _asyncapi)
    made.add_argument(
        "--out", type=Path, default=STANDARD, metavar="FILE", help="where to (default: standard output)"
    )


def _asyncapi(given: argparse.Namespace) -> int:
    from appliance.asyncapi.document import document  # noqa: PLC0415 - loads the rooms that it describes

    write_bytes((json.dumps(document(), indent=1, ensure_ascii=False) + "\n").encode(), given.out)
    return 0

"""What every command line shares: a help with an example and exit codes, and what may be typed behind an option."""

from __future__ import annotations

import argparse
from typing import Final

from appliance.protocol.values import NAME_FORM
from appliance.settings.toml_table import time_of_day

_EXIT_CODES: Final = (
    "exit codes: 0 done; 2 wrong use; 65 what was given is refused; 75 away for now, try again; "
    "78 a file, a name or the set-up is wrong"
)


def word(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str, example: str
) -> argparse.ArgumentParser:
    """The parser of one word of a command line, with an example of its use."""
    return subparsers.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=f"example:\n  {example}\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def port(text: str) -> int:
    """A port's number, 0 for any free one."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 (any free one) to 65535")
    return int(text)


def name(text: str) -> str:
    """The name of a booth, a unit or a tablet."""
    if not NAME_FORM.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no lower-case name such as corner-north")
    return text


def seconds(text: str) -> float:
    """A time above nothing."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return found


def whole(text: str) -> int:
    """A whole number from 1."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def share(text: str) -> float:
    """A share from 0 to 1."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 1")
    return found


def clock(text: str) -> str:
    """A time of day, as it is written into a configuration."""
    if time_of_day(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of day such as 18:30")
    return text

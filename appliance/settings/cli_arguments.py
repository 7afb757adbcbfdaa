"""What every command line shares: a help with an example and exit codes, and what may be typed behind an option."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from appliance.base.errors import Unfit
from appliance.protocol.values import NAME_FORM
from appliance.settings.config import CONFIG_DIRECTORY
from appliance.settings.streams import STANDARD, text_output
from appliance.settings.toml_table import time_of_day

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - see below
"""What ``add_subparsers`` gives; argparse has no public name for it."""
EXIT_CODES: Final = (
    "exit codes (sysexits.h): 0 done; 2 wrong use; 65 what was given is refused; 70 a fault of the program; "
    "75 away for now, try again; 78 a file, a name or the set-up is wrong; 130 interrupted; "
    "141 the reader of the output ended"
)


class Parser(argparse.ArgumentParser):
    """A parser whose help is output like any other: argparse itself is silent where it cannot be written."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Write the help to ``file``, else to standard output. Unfit where that cannot be written."""
        if file is not None:
            super().print_help(file)
            return
        with text_output(STANDARD) as out:
            out.write(self.format_help())


class Version(argparse.Action):
    """The option ``--version``: the version alone on standard output. Unfit where that cannot be written."""

    def __init__(self, option_strings: Sequence[str], dest: str, *, version: str, help: str) -> None:  # noqa: A002 - argparse's word
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)
        self.version = version

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Write it and end."""
        with text_output(STANDARD) as out:
            out.write(f"{parser.prog} {self.version}\n")
        sys.exit(0)


def word(subparsers: Subparsers, name: str, about: str, example: str) -> argparse.ArgumentParser:
    """The parser of one word of a command line, with an example of its use and the exit codes."""
    return subparsers.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=f"example:\n  {example}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def command(
    subparsers: Subparsers, name: str, about: str, example: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """The parser of one word that does something: ``run`` takes the parsed arguments and gives the exit code."""
    made = word(subparsers, name, about, example)
    made.set_defaults(run=run)
    return made


def config_option(parser: argparse.ArgumentParser, name: str) -> None:
    """The option ``--config`` of every command that reads a configuration; ``name`` is that of the default's file."""
    parser.add_argument(
        "--config",
        type=Path,
        default=CONFIG_DIRECTORY / name,
        metavar="FILE",
        help="configuration file (default: %(default)s)",
    )


def yes_option(parser: argparse.ArgumentParser) -> None:
    """The option ``--yes`` of every command that cannot be undone; see `confirm`."""
    parser.add_argument("--yes", action="store_true", help="do not ask; this cannot be undone")


def confirm(given: argparse.Namespace, question: str) -> None:
    """Ask before what cannot be undone. Unfit where the answer is no, or nobody is there to answer.

    ``given`` has the option of `yes_option`; ``question`` ends with a question mark.
    """
    if given.yes:
        return
    if not sys.stdin.isatty():
        where = question.rstrip("?")
        raise Unfit("this cannot be undone", where=where, fix="pass --yes to do it without being asked")
    sys.stderr.write(f"{question} This cannot be undone. Type yes: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"yes", "y"}:
        raise Unfit(
            "not confirmed, nothing was changed", where=question.rstrip("?"), fix="type yes, or pass --yes"
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

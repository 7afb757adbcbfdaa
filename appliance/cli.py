"""The command ``leftfield``: which module has which command, and what becomes of its errors.

Invariants:
    * Imports happen where a command needs them: RELAY never loads numpy, the page server never loads a model.
    * An error of ours is one line on standard error and an exit code; ``--debug`` shows where it came from.
    * An output that cannot be written is such a line too, help included, to the last byte that was buffered.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from appliance import __version__
from appliance.base.errors import LeftfieldError, Unfit
from appliance.settings.cli_arguments import EXIT_CODES, Parser, Version
from appliance.settings.streams import discard_output, unwritable


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandModule:
    """A module whose ``add_parsers`` adds these commands."""

    commands: tuple[str, ...]
    module: str


MODULES: Final = (
    CommandModule(commands=("sense", "relay", "watch", "epoch"), module="appliance.commands.processes"),
    CommandModule(commands=("pages",), module="appliance.pages.commands"),
    CommandModule(commands=("booth", "enrol"), module="appliance.enrol.commands"),
    CommandModule(commands=("pair",), module="appliance.pairing.commands"),
    CommandModule(commands=("baseline", "audit"), module="appliance.hub.commands"),
    CommandModule(commands=("backup", "restore"), module="appliance.hub.backup_commands"),
    CommandModule(commands=("acts",), module="appliance.hub.acts_command"),
    CommandModule(commands=("trends",), module="appliance.hub.release_commands"),
    CommandModule(commands=("rehearse",), module="appliance.hub.rehearse"),
    CommandModule(commands=("score",), module="appliance.hub.batch.score"),
    CommandModule(commands=("erase",), module="appliance.commands.erase"),
    CommandModule(commands=("fleet",), module="appliance.fleet.commands"),
    CommandModule(commands=("image", "firewall"), module="appliance.image.commands"),
    CommandModule(commands=("update",), module="appliance.update.commands"),
    CommandModule(commands=("flash",), module="appliance.image.flash_command"),
    CommandModule(commands=("metrics",), module="appliance.metrics.commands"),
    CommandModule(commands=("asyncapi",), module="appliance.asyncapi.commands"),
    CommandModule(commands=("doctor",), module="appliance.doctor.commands"),
    CommandModule(commands=("card",), module="appliance.unit.card.commands"),
    CommandModule(commands=("aim", "lock"), module="appliance.unit.aim.commands"),
    CommandModule(commands=("walk",), module="appliance.hub.setup.commands"),
    CommandModule(
        commands=("demo", "measure", "vocabulary", "completion", "manual"), module="appliance.commands.tools"
    ),
)
"""Every command and where it is; a test compares this with what the modules add."""


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for a command line; modules that only other commands need are not loaded. No words: all of them."""
    top = Parser(
        prog="leftfield",
        description="Reads what passers-by wear, keeps no picture, and says only what is rare.",
        epilog=f"example:\n  leftfield demo --source street.avi\n  leftfield COMMAND --help\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=Version, version=__version__, help="print the version and end")
    top.add_argument("--debug", action="store_true", help="show where an error came from")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    typed = next((word for word in words if not word.startswith("-")), "")
    asked = [one for one in MODULES if typed in one.commands]
    for one in asked or MODULES:
        importlib.import_module(one.module).add_parsers(subparsers)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when all is well, else the exit code of the error's family."""
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    try:
        given = parser(words).parse_args(words)
        run: Callable[[argparse.Namespace], int] = given.run
        code = run(given)
        sys.stdout.flush()
    except LeftfieldError as error:
        if debug:
            raise
        return _told(error)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read us has enough; what is left to be flushed goes nowhere
        discard_output()
        return 141
    except OSError as error:
        if debug:
            raise
        return _told(_unfit(error))
    return code


def _told(error: LeftfieldError) -> int:
    sys.stderr.write(f"leftfield: {error}\n")
    return error.exit_code


def _unfit(error: OSError) -> Unfit:
    """What the system refused, as ours to fix; without a name it was standard output."""
    if error.filename is None:
        return unwritable("standard output", error)
    return Unfit(
        f"the system refuses: {error.strerror or error}",
        where=str(error.filename),
        fix="check that it exists, whose it is, and the disk's space; leftfield --debug shows what asked for it",
    )


if __name__ == "__main__":
    sys.exit(main())

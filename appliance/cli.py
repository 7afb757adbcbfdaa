"""The command ``leftfield``: one word for each process and each task.

Invariants:
    * Imports happen where a word needs them: RELAY never loads numpy, the page server never loads a model.
    * An error of ours is one line on standard error and an exit code; ``--debug`` shows where it came from.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from appliance import __version__
from appliance.base.errors import LeftfieldError, Unfit
from appliance.settings import cli_arguments as arguments
from appliance.settings.cli_arguments import port, seconds, share, whole
from appliance.settings.config import CONFIG_DIRECTORY

Subparsers = argparse._SubParsersAction  # noqa: SLF001 - argparse gives the type no public name
_PROVISIONING: Final = frozenset({"booth", "enrol"})
_STATISTICS: Final = frozenset({"baseline", "audit"})
_OWN: Final = frozenset({"sense", "relay", "watch", "demo", "vocabulary", "measure", "epoch"})
"""Words whose parsers stand in this file."""
_ALL: Final = _OWN | _PROVISIONING | _STATISTICS | {"pages", "card", "score"}


def _parser_of(
    subparsers: Subparsers[argparse.ArgumentParser],
    word: str,
    about: str,
    example: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    made = arguments.word(subparsers, word, about, example)
    made.set_defaults(run=run)
    return made


def _config_option(parser: argparse.ArgumentParser, name: str) -> None:
    default = CONFIG_DIRECTORY / name
    parser.add_argument(
        "--config", type=Path, default=default, help="configuration file (default: %(default)s)"
    )


def _sense(given: argparse.Namespace) -> int:
    from appliance.unit import sense

    return sense.main(given.config, unboxed=given.unboxed, source=given.source)


def _relay(given: argparse.Namespace) -> int:
    from appliance.unit import relay

    return relay.main(given.config)


def _watch(given: argparse.Namespace) -> int:
    from appliance.hub import watch

    return watch.main(given.config)


def _demo(given: argparse.Namespace) -> int:
    from appliance.demo import booth
    from appliance.demo.show import Options

    return booth.main(
        Options(
            source=given.source,
            duration=given.duration,
            headless=given.headless,
            port=given.port,
            host=given.host,
            keep=given.keep,
            as_json=given.json,
            seed=given.seed,
        )
    )


def _measure(given: argparse.Namespace) -> int:
    from appliance.unit.vision import measure

    files = measure.files(given.paths)  # before the last result is emptied
    try:
        out = given.jsonl.open("w", encoding="utf-8")
    except OSError as error:
        what = error.strerror or "cannot be written"
        raise Unfit(what, where=str(given.jsonl), fix="give another --jsonl") from None
    with out:
        return measure.main(files, out, every=given.every, least_score=given.score)


def _epoch(given: argparse.Namespace) -> int:
    from appliance.settings import epoch

    count = epoch.next_epoch(given.directory / epoch.CREDENTIALS)
    print(json.dumps({"epoch": count}) if given.json else f"epoch {count}")
    return 0


def _vocabulary(given: argparse.Namespace) -> int:
    from appliance.protocol import vocabulary, wire

    del given
    for attribute in vocabulary.ATTRIBUTES:
        print(f"{attribute.name:16} {attribute.question}: {', '.join(('unknown', *attribute.levels))}")
    print(
        f"\nVocabulary {vocabulary.VERSION}: {vocabulary.CAPACITY_BITS:.1f} bits of clothing at most; a message "
        f"holds {wire.CAPACITY_BITS:.1f} bits, counters and time included, in at most {wire.MAX_ENVELOPE} bytes."
    )
    return 0


def _add_processes(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    sense = _parser_of(
        subparsers,
        "sense",
        "process SENSE: sees, and says what it saw, sealed, through one pipe",
        "leftfield sense --config /etc/leftfield/unit.toml",
        _sense,
    )
    _config_option(sense, "unit.toml")
    sense.add_argument("--source", help="a device or a recorded file instead of the configured one")
    sense.add_argument(
        "--unboxed", action="store_true", help="developers only: no walls, and every screen says so"
    )
    relay = _parser_of(
        subparsers,
        "relay",
        "process RELAY: from the pipe to the spool to the broker",
        "leftfield relay --config /etc/leftfield/unit.toml",
        _relay,
    )
    _config_option(relay, "unit.toml")
    watch = _parser_of(
        subparsers,
        "watch",
        "process WATCH: the hub; admits, learns what is usual, raises alerts",
        "leftfield watch --config /etc/leftfield/hub.toml",
        _watch,
    )
    _config_option(watch, "hub.toml")


def _add_epoch(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    epoch = _parser_of(
        subparsers,
        "epoch",
        "count this unit's start (done by leftfield-epoch.service before each start of SENSE)",
        "leftfield epoch",
        _epoch,
    )
    epoch.add_argument(
        "--directory",
        type=Path,
        default=CONFIG_DIRECTORY,
        help="where everything is kept (default: %(default)s)",
    )
    epoch.add_argument("--json", action="store_true", help="one JSON object instead of a sentence")


def _add_demo(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    demo = _parser_of(
        subparsers,
        "demo",
        "a booth in a box: a real unit on a video, a simulated street, hub, broker and tablet page",
        "leftfield demo --source street.avi --duration 60 --headless",
        _demo,
    )
    demo.add_argument("--source", default="", help="video of people walking, or the number of a webcam")
    demo.add_argument(
        "--duration", type=seconds, metavar="SECONDS", help="end after so long (default: Ctrl-C)"
    )
    demo.add_argument("--headless", action="store_true", help="plain lines, no picture; for CI")
    demo.add_argument("--port", type=port, default=8080, help="of the tablet page (default: %(default)s)")
    demo.add_argument(
        "--host",
        metavar="ADDRESS",
        help="this machine's address for tablets on the network (default: found out; 127.0.0.1: none)",
    )
    demo.add_argument(
        "--keep", type=Path, metavar="DIRECTORY", help="keep the booth here, and take it up again"
    )
    demo.add_argument("--json", action="store_true", help="print the summary as JSON")
    demo.add_argument("--seed", type=int, default=1, help="of the simulated street (default: %(default)s)")


def _add_measure(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    measure = _parser_of(
        subparsers,
        "measure",
        "the unit's own eyes on pictures and videos, for the bench: people and posteriors as JSON lines",
        "leftfield measure photos/ street.avi --every 10 --jsonl measured.jsonl",
        _measure,
    )
    measure.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="pictures, videos, or folders of them"
    )
    measure.add_argument("--jsonl", type=Path, required=True, metavar="OUT", help="where the lines go")
    measure.add_argument(
        "--every",
        type=whole,
        default=1,
        metavar="N",
        help="of a video, each N-th frame (default: 1)",
    )
    measure.add_argument(
        "--score", type=share, default=0.4, help="least score of a person (default: %(default)s)"
    )


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for a command line; rooms that only other words need are not loaded."""
    top = argparse.ArgumentParser(
        prog="leftfield",
        description="Reads what passers-by wear, keeps no picture, and says only what is rare.",
        epilog="example:\n  leftfield demo --source street.avi\n  leftfield COMMAND --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"leftfield {__version__}")
    top.add_argument("--debug", action="store_true", help="show where an error came from")
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    _add_processes(subparsers)
    said = next((word for word in words if not word.startswith("-")), "")
    everything = said not in _ALL
    if everything or said == "pages":
        from appliance.pages import commands as pages

        pages.add_parser(subparsers)
    if everything or said == "card":
        from appliance.unit.card import commands as card

        card.add_parsers(subparsers)
    if everything or said == "score":
        from appliance.hub.batch import score

        score.add_parser(subparsers)
    if everything or said in _PROVISIONING:
        from appliance.enrol import commands

        commands.add_parsers(subparsers)
    if everything or said in _STATISTICS:
        from appliance.hub import commands as statistics

        statistics.add_parsers(subparsers)
    _add_epoch(subparsers)
    _add_demo(subparsers)
    _add_measure(subparsers)
    _parser_of(subparsers, "vocabulary", "everything a unit can say", "leftfield vocabulary", _vocabulary)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when all is well, else the exit code of the error's family."""
    words = sys.argv[1:] if arguments is None else arguments
    given = parser(words).parse_args(words)
    run: Callable[[argparse.Namespace], int] = given.run
    try:
        return run(given)
    except LeftfieldError as error:
        if given.debug:
            raise
        sys.stderr.write(f"leftfield: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read us has enough; what is left to be flushed goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


if __name__ == "__main__":
    sys.exit(main())

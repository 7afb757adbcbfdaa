"""The commands for people at a desk: ``demo``, ``measure``, ``vocabulary``, ``completion`` and ``manual``.

Invariants:
    * What a command needs is imported when it runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from appliance.settings.cli_arguments import Subparsers, command, port, seconds, share, whole
from appliance.settings.streams import STANDARD, text_output

_SHELLS = ("bash", "zsh", "tcsh")


def add_parsers(subparsers: Subparsers) -> None:
    """Add the commands; each sets ``run`` to a function of the parsed arguments."""
    _add_demo(subparsers)
    _add_measure(subparsers)
    about = "every word that a unit can say"
    words = command(subparsers, "vocabulary", about, "leftfield vocabulary", _vocabulary)
    words.add_argument("--json", action="store_true", help="one JSON object")
    about = "print a script that completes commands and options in a shell"
    example = "leftfield completion bash > ~/.local/share/bash-completion/completions/leftfield"
    completion = command(subparsers, "completion", about, example, _completion)
    completion.add_argument("shell", choices=_SHELLS, help="which shell")
    about = "print the manual page of all commands (roff)"
    command(subparsers, "manual", about, "leftfield manual > leftfield.1; man ./leftfield.1", _manual)


def _completion(given: argparse.Namespace) -> int:
    import shtab

    from appliance.cli import parser

    with text_output(STANDARD) as out:
        out.write(shtab.complete(parser(()), shell=given.shell) + "\n")
    return 0


def _manual(given: argparse.Namespace) -> int:
    from appliance.cli import parser
    from appliance.commands.manual import page

    del given
    with text_output(STANDARD) as out:
        out.write(page(parser(())))
    return 0


def _demo(given: argparse.Namespace) -> int:
    from appliance.demo import booth
    from appliance.demo.show import DemoOptions

    return booth.main(
        DemoOptions(
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
    with text_output(given.jsonl, option="--jsonl") as out:
        return measure.main(files, out, every=given.every, least_score=given.score)


def _vocabulary(given: argparse.Namespace) -> int:
    from appliance.protocol import vocabulary, wire

    attributes = [(one.name, one.question, ("unknown", *one.levels)) for one in vocabulary.ATTRIBUTES]
    with text_output(STANDARD) as out:
        if given.json:
            told = {
                "version": vocabulary.VERSION,
                "attributes": {name: list(levels) for name, _, levels in attributes},
                "clothing_bits": vocabulary.CAPACITY_BITS,
                "message_bits": wire.CAPACITY_BITS,
                "message_bytes": wire.MAX_ENVELOPE,
            }
            out.write(json.dumps(told) + "\n")
            return 0
        for name, question, levels in attributes:
            out.write(f"{name:16} {question}: {', '.join(levels)}\n")
        out.write(
            f"\nVocabulary {vocabulary.VERSION}: {vocabulary.CAPACITY_BITS:.1f} bits of clothing at most; "
            f"a message holds {wire.CAPACITY_BITS:.1f} bits, counters and time included, "
            f"in at most {wire.MAX_ENVELOPE} bytes.\n"
        )
    return 0


def _add_demo(subparsers: Subparsers) -> None:
    demo = command(
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


def _add_measure(subparsers: Subparsers) -> None:
    measure = command(
        subparsers,
        "measure",
        "the unit's own eyes on pictures and videos, for the bench: people and posteriors as JSON lines",
        "leftfield measure photos/ street.avi --every 10 --jsonl measured.jsonl",
        _measure,
    )
    measure.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="pictures, videos, or folders of them"
    )
    measure.add_argument(
        "--jsonl", type=Path, required=True, metavar="OUT", help="where the lines go; - is standard output"
    )
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

"""The manual page, generated from the parsers: what ``man leftfield`` shows (roff, man macros; groff_man(7)).

Invariants:
    * Nothing is written twice: every sentence comes from the parser of its command.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from appliance import __version__


def page(top: argparse.ArgumentParser) -> str:
    """The manual page of ``top`` and of every command below it."""
    lines = [
        f'.TH LEFTFIELD 1 "" "leftfield {__version__}" "User Commands"',
        ".SH NAME",
        _text(f"leftfield - {(top.description or '').rstrip('.')}"),
        ".SH SYNOPSIS",
        ".B leftfield",
        r".I COMMAND \fR[\fIOPTIONS\fR]",
        ".SH COMMANDS",
    ]
    for parser in _commands(top):
        lines += _command(parser)
    lines += [".SH EXIT STATUS", _text(_epilog(top)[1])]
    return "\n".join(lines) + "\n"


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every parser below ``parser`` that does something, in order."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list what a parser takes
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            for below in action.choices.values():
                if below.get_default("run"):
                    yield below
                yield from _commands(below)


def _command(parser: argparse.ArgumentParser) -> list[str]:
    lines = [".SS " + _text(parser.prog), _text(parser.description or "")]
    for action in parser._actions:  # noqa: SLF001 - as above
        if isinstance(action, argparse._SubParsersAction | argparse._HelpAction):  # noqa: SLF001 - as above
            continue
        value = str(action.metavar or action.dest.upper()) if action.nargs != 0 else ""
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        told = f"{name} {value}" if action.option_strings and value else name
        help_text = (action.help or "") % {"default": action.default, "prog": parser.prog}
        lines += [".TP", rf"\fB{_text(told)}\fR", _text(help_text)]
    example = _epilog(parser)[0]
    if example:
        lines += [
            ".PP",
            "Example:",
            ".PP",
            ".nf",
            *(_text(line.strip()) for line in example.splitlines()),
            ".fi",
        ]
    return lines


def _epilog(parser: argparse.ArgumentParser) -> tuple[str, str]:
    """The example and the exit codes of a parser's epilog."""
    example, _, codes = (parser.epilog or "").partition("\n\n")
    return example.partition("\n")[2], codes


def _text(text: str) -> str:
    """Text that roff takes as it is: backslashes, hyphens and a leading dot are escaped."""
    safe = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{safe}" if safe.startswith((".", "'")) else safe

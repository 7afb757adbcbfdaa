"""The command ``leftfield doctor``: every promise with the evidence of this running machine.

Invariants:
    * It changes nothing but the file that ``--bundle`` names.
    * Without root it says what it could not see, and calls nothing good that it did not look at.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from appliance import __version__
from appliance.doctor import bundle, keys, network, processes, services, software, stores, system
from appliance.doctor.findings import Finding, exit_code, report
from appliance.doctor.machine import Machine
from appliance.doctor.software import About
from appliance.settings.cli_arguments import Subparsers, command
from appliance.settings.config import CONFIG_DIRECTORY
from appliance.settings.streams import STANDARD, text_output


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``doctor``."""
    doctor = command(
        subparsers,
        "doctor",
        "look at this running unit or hub: each promise's evidence, what is wrong, and how to mend it",
        "sudo leftfield doctor --bundle for-support.json",
        _doctor,
    )
    doctor.add_argument(
        "--directory",
        type=Path,
        default=CONFIG_DIRECTORY,
        help="where everything is kept (default: %(default)s)",
    )
    doctor.add_argument("--json", action="store_true", help="one JSON object, for auditors' programs")
    doctor.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE",
        help="write what support needs: closed words and numbers, nothing seen; - is standard output",
    )


def examined(machine: Machine, directory: Path, now: float) -> tuple[About, tuple[Finding, ...]]:
    """What a machine is, and every finding on it at ``now`` (unix seconds)."""
    about = software.about(machine, directory)
    return about, tuple(_looked_at(machine, directory, about, now))


def _looked_at(machine: Machine, directory: Path, about: About, now: float) -> Iterator[Finding]:
    yield from software.looked_at(about)
    role = about.role
    if role not in processes.SERVICES:
        return
    yield from services.looked_at(machine, role)
    yield from processes.looked_at(machine, role)
    yield from system.looked_at(machine, role, tuple(processes.SERVICES[role]), now)
    yield from network.looked_at(machine, role, about.image)
    yield from keys.looked_at(machine, role, directory, now)
    if about.settings is not None:
        yield from stores.looked_at(machine, directory, about.settings, now)


def _doctor(given: argparse.Namespace) -> int:
    machine = Machine()
    about, findings = examined(machine, given.directory, time.time())
    code = exit_code(findings)
    if given.bundle is not None:
        content = bundle.made(machine, about, findings)
        with text_output(given.bundle, option="--bundle") as out:
            out.write(content.decode("ascii"))
    if str(given.bundle) == "-":
        return code
    with text_output(STANDARD) as out:
        if given.json:
            document = {
                "role": about.role, "version": __version__, "exit_code": code,
                "findings": [finding.document() for finding in findings],
            }  # fmt: skip
            json.dump(document, out, indent=1)
            out.write("\n")
        else:
            out.write(report(findings, about.heading))
    sys.stdout.flush()
    return code

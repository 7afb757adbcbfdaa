"""The command ``leftfield flash``: write a card, read it back, print its label.

Invariants:
    * The label is written before the card is: a code that nobody can read would be a card for nothing.
    * Without ``--yes`` somebody must say yes; where nobody can be asked, nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from appliance.base.errors import Unfit
from appliance.image import target
from appliance.image.flash import flash
from appliance.image.label import Label, pdf, svg
from appliance.image.seed import Seed, Wifi
from appliance.protocol.pairing_code import PairingCode, new_code
from appliance.settings.cli_arguments import Subparsers, command
from appliance.settings.progress import Progress
from appliance.settings.streams import STANDARD, read_bytes, text_output


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``flash``, which sets ``run`` to a function of the parsed arguments."""
    example = "sudo leftfield flash images/leftfield-unit_0.2.0_amd64.raw /dev/sdb --label labels"
    about = "write an image to a card, read it back, and print the machine's label"
    writing = command(subparsers, "flash", about, example, _flash)
    writing.add_argument("image", type=Path, help="the .raw file that leftfield image made")
    writing.add_argument("device", type=Path, help="the whole card, such as /dev/sdb, or a file")
    writing.add_argument("--name", help="the machine's name (default: unit-CODE, or booth)")
    writing.add_argument(
        "--label", type=Path, default=Path(), metavar="FOLDER", help="where the label goes (default: here)"
    )
    writing.add_argument(
        "--hub", default="", metavar="ADDRESS", help="a unit's hub (default: it looks for it)"
    )
    writing.add_argument(
        "--source", default="", help="a unit's camera (default: /dev/video0, else picamera2)"
    )
    writing.add_argument("--wifi-ssid", metavar="NAME", help="the booth's Wi-Fi; wired where it is not said")
    writing.add_argument(
        "--wifi-password-file", type=Path, metavar="FILE", help="a file with the Wi-Fi's password alone"
    )
    writing.add_argument(
        "--wifi-country", default="US", metavar="CC", help="where the radio is (default: %(default)s)"
    )
    writing.add_argument("--yes", action="store_true", help="do not ask")
    writing.add_argument("--json", action="store_true", help="one JSON object instead of sentences")


def _flash(given: argparse.Namespace) -> int:
    hub = given.image.name.startswith("leftfield-hub_")
    code = None if hub else new_code()
    name = given.name or ("booth" if code is None else f"unit-{code.number.lower()}")
    told = Seed(name=name, code=code, hub=given.hub, source=given.source, wifi=_wifi(given))
    told.files()  # whatever is wrong with a name or a network shows before anybody is asked
    target.refuse_what_is_in_use(given.device)
    _confirm(given)
    labels = _labels(given.label, name, code)
    written = flash(given.image, given.device, told, _Shown())
    fields = {
        "device": str(given.device), "name": name, "bytes": written.size, "sha256": written.sha256,
        "seconds": round(written.seconds, 1), "labels": [str(path) for path in labels],
        "network": "wifi" if told.wifi else "wired",
    }  # fmt: skip
    with text_output(STANDARD) as out:
        sentence = (
            f"{given.device} holds {name}: {written.size:,} bytes written, read back and the same "
            f"({written.seconds:.0f} s)\nlabel: {labels[0]} and {labels[1]}; a code on it is secret until used"
        )
        out.write((json.dumps(fields) if given.json else sentence) + "\n")
    return 0


class _Shown:
    """Progress of the two passes, one line each."""

    def __init__(self) -> None:
        self._what = ""
        self._progress: Progress | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        """``what`` has come to ``done`` of ``total`` bytes."""
        if what != self._what or self._progress is None:
            self._what, self._progress = what, Progress(f"flash: {what}, bytes", total)
        self._progress.step(done)
        if done >= total:
            self._progress.end()


def _wifi(given: argparse.Namespace) -> Wifi | None:
    if given.wifi_ssid is None:
        return None
    if given.wifi_password_file is None:
        raise Unfit(
            "a Wi-Fi needs its password",
            where="--wifi-ssid",
            fix="say --wifi-password-file FILE, not the password itself",
        )
    password = read_bytes(given.wifi_password_file).decode("utf-8", "replace").rstrip("\r\n")
    return Wifi(ssid=given.wifi_ssid.encode(), password=password, country=given.wifi_country.upper())


def _confirm(given: argparse.Namespace) -> None:
    if given.yes or (not given.device.exists()):
        return
    if not sys.stdin.isatty():
        raise Unfit("nobody can be asked here", where="flash", fix="say --yes where you are sure")
    sys.stderr.write(f"Everything on {given.device} will be lost. Type yes to write to it: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "yes":
        raise Unfit("nothing was written", where="flash", fix="type yes, the whole word")


def _labels(folder: Path, name: str, code: PairingCode | None) -> tuple[Path, Path]:
    """The label as SVG and PDF, for its owner's eyes only. Unfit where they cannot be written."""
    if code is None:
        address = f"https://{name}.local:8443"
        label = Label(
            name=f"Hub {name}", scanned=address, lines=(f"{name}.local", "Open on a tablet:", address)
        )
    else:
        about = ("Scan or type this on the", "tablet, once. Keep it out", "of sight until then.")
        label = Label(name=f"Unit {code.number}", scanned=str(code), lines=(str(code), *about))
    made = (folder / f"leftfield-{name}.svg", folder / f"leftfield-{name}.pdf")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in zip(made, (svg(label).encode("utf-8"), pdf(label)), strict=True):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
    except OSError as error:
        raise Unfit(
            f"cannot write the label: {error.strerror}", where=str(folder), fix="name another --label"
        ) from None
    return made

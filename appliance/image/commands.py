"""The commands ``leftfield image`` and ``leftfield firewall``.

Invariants:
    * Steps go to standard error as they happen; what was made goes to standard output at the end.
    * ``firewall`` prints rules and changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance import __version__
from appliance.base.errors import Unfit
from appliance.image import build, firewall, workshop
from appliance.image.recipe import PROCESSORS, ROLES, Recipe
from appliance.settings import this_image
from appliance.settings.cli_arguments import Subparsers, command
from appliance.settings.streams import STANDARD, read_bytes, text_output

_CHECKOUT: Final = Path(__file__).resolve().parents[2]


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``image`` and ``firewall``; each sets ``run`` to a function of the parsed arguments."""
    example = "sudo leftfield image unit --arch amd64 --out images --release-key release.pub"
    making = command(subparsers, "image", "build a card image of a unit or a hub", example, _image)
    making.add_argument("role", choices=ROLES, help="what the machine will be")
    making.add_argument("--arch", choices=sorted(PROCESSORS), default="amd64", help="(default: %(default)s)")
    making.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the image goes")
    making.add_argument(
        "--package", type=Path, metavar="FILE", help="our .deb for Debian 13; a checkout builds it itself"
    )
    making.add_argument(
        "--release-key", type=Path, metavar="FILE", help="public key that updates are signed with"
    )
    making.add_argument(
        "--ssh-key", type=Path, metavar="FILE", help="let in by ssh who has this key; else no ssh"
    )
    for name, about in (("key", "secret key"), ("certificate", "certificate")):
        making.add_argument(
            f"--secure-boot-{name}", type=Path, metavar="FILE",
            help=f"{about} (PEM) that the firmware checks the start by; both or none",
        )  # fmt: skip
    making.add_argument(
        "--with", dest="extra", action="append", default=[], metavar="PACKAGE",
        help="one more Debian package, such as firmware-iwlwifi; several times for several",
    )  # fmt: skip
    making.add_argument(
        "--image-version", default=__version__, metavar="N.N.N", help="(default: %(default)s)"
    )
    making.add_argument("--mirror", default=workshop.MIRROR, metavar="URL", help="(default: %(default)s)")
    making.add_argument(
        "--cache",
        type=Path,
        default=Path("/var/cache/leftfield/image"),
        metavar="FOLDER",
        help="(default: %(default)s)",
    )
    making.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    about = "print this machine's firewall rules (nftables)"
    walls = command(subparsers, "firewall", about, "leftfield firewall | sudo nft --file -", _firewall)
    walls.add_argument("--role", choices=ROLES, help="(default: what the image says)")
    walls.add_argument(
        "--config", type=Path, default=Path("/etc/leftfield/unit.toml"), help="(default: %(default)s)"
    )
    walls.add_argument("--ssh", action="store_true", help="open port 22 to private networks")
    walls.add_argument(
        "--limits", action="store_true", help="of a hub's rules only what one address may have of its ports"
    )
    walls.add_argument(
        "--clock", action="store_true", help="print where a unit has the time from (timesyncd.conf)"
    )


def _image(given: argparse.Namespace) -> int:
    recipe = Recipe(
        role=given.role,
        arch=given.arch,
        version=given.image_version,
        epoch=_epoch(),
        release_key=_public_key(given.release_key) if given.release_key else None,
        ssh_key=read_bytes(given.ssh_key).decode("utf-8", "replace") if given.ssh_key else None,
        extra=tuple(given.extra),
        secure_boot=given.secure_boot_key is not None,
    )
    from appliance.image.signing import signing  # noqa: PLC0415 - firewall is here too, and needs no certificates

    signing_files = signing(given.secure_boot_key, given.secure_boot_certificate)
    begun = time.monotonic()

    def say(step: str) -> None:
        sys.stderr.write(f"image  {time.monotonic() - begun:4.0f} s  {step}\n")

    workshop.require_tools()
    package = given.package or _package(recipe, given.cache, say)
    if not package.is_file():
        raise Unfit("there is no such package", where=str(package), fix="name a leftfield .deb for Debian 13")
    if recipe.release_key is None:
        say("no --release-key: this image will take no updates")
    order = build.Order(
        package=package, out=given.out, cache=given.cache, mirror=given.mirror, signing=signing_files
    )
    made = build.build(recipe, order, say)
    fields = {
        "image": str(made.image), "bytes": made.size, "sha256": made.sha256, "root_hash": made.root_hash,
        "seconds": round(time.monotonic() - begun), "parts": {name: str(path) for name, path in made.parts.items()},
        "part_bytes": {name: path.stat().st_size for name, path in made.parts.items()},
    }  # fmt: skip
    with text_output(STANDARD) as out:
        sentence = (
            f"{made.image} ({made.size / 1e6:,.0f} MB, {fields['seconds']} s)\nsha256 {made.sha256}\n"
            f"now write it to a card: sudo leftfield flash {made.image} /dev/DEVICE"
        )
        out.write((json.dumps(fields) if given.json else sentence) + "\n")
    return 0


def _epoch() -> int:
    """The time that every file of the image bears: of $SOURCE_DATE_EPOCH, of the commit, or of this package."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "")
    if said.isascii() and said.isdigit():
        return int(said)
    asked = ["git", "-C", str(_CHECKOUT), "log", "-1", "--format=%ct"]
    if (_CHECKOUT / ".git").exists():
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip().isdigit():
            return int(done.stdout)
    return int(Path(__file__).stat().st_mtime)


def _package(recipe: Recipe, cache: Path, say: Callable[[str], None]) -> Path:
    """Our package for this image, built from the checkout that this program runs from."""
    script = _CHECKOUT / "provisioning/deb/build.py"
    if not script.exists():
        raise Unfit(
            "this is no checkout, so that there is nothing to build our package from",
            where="--package",
            fix=f"name leftfield-{recipe.role}_*+deb13_{recipe.arch}.deb",
        )
    out = cache / "package"
    say("building our package")
    words = [
        sys.executable,
        str(script),
        "--role",
        recipe.role,
        "--suite",
        workshop.SUITE,
        "--arch",
        recipe.arch,
    ]
    done = subprocess.run([*words, "--out", str(out), "--fast"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(done.stderr.strip()[-400:], where="image", fix="make deb SUITE=trixie shows the same")
    made = sorted(
        out.glob(f"leftfield-{recipe.role}_*_{recipe.arch}.deb"), key=lambda path: path.stat().st_mtime
    )
    return made[-1]


def _public_key(path: Path) -> bytes:
    said = read_bytes(path).decode("ascii", "replace").split()
    try:
        key = bytes.fromhex(said[0])
    except (IndexError, ValueError):
        key = b""
    if len(key) != 32:
        raise Unfit(
            "it holds no public key of 64 hexadecimal digits",
            where=str(path),
            fix="name the .pub that leftfield update key wrote",
        )
    return key


def _firewall(given: argparse.Namespace) -> int:
    image = this_image.read()
    role = given.role or (image.role if image else "hub" if given.limits else None)
    if role not in ROLES:
        raise Unfit(
            "this machine was made from no image", where="firewall", fix="say --role unit or --role hub"
        )
    ssh = given.ssh or (image is not None and image.ssh)
    if given.limits:
        text = firewall.limit_rules()
    elif given.clock:
        text = firewall.clock_settings(_host(given.config))
    elif role == "hub":
        text = firewall.hub_rules(ssh=ssh)
    else:
        addresses = firewall.addresses_in(_host(given.config))
        text = firewall.unit_rules(firewall.Hub(addresses=addresses), ssh=ssh)
    with text_output(STANDARD) as out:
        out.write(text)
    return 0


def _host(config: Path) -> str:
    """A paired unit's hub, as its settings name it; empty before it is paired."""
    try:
        return str(tomllib.loads(config.read_text("utf-8"))["broker"]["host"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        raise Unfit(
            "its [broker] host cannot be read", where=str(config), fix="enrol or pair this unit again"
        ) from None

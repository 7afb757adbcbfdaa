"""The command ``leftfield update``: for the maker of releases, for the hub, and for the machine itself.

Invariants:
    * What a program wants goes to standard output; progress and reasons go to standard error.
    * The private key is read by ``make`` only.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance.base import atomic_files
from appliance.base.errors import Unfit
from appliance.base.systemd import log, stop_requested
from appliance.protocol import sign
from appliance.protocol.acts import ActKind
from appliance.settings import config, this_image
from appliance.settings.acts_file import note
from appliance.settings.cli_arguments import Subparsers, command, word
from appliance.settings.progress import Progress
from appliance.settings.streams import STANDARD, text_output
from appliance.update import apply, bundle, confirm, fetch, machine, making, offer
from appliance.update.apply import Places
from appliance.update.starter import CONFIRMED, Starter, SystemdBoot
from appliance.update.tryboot import CHOSEN, Tryboot

BUNDLES: Final = Path("/var/lib/leftfield/updates")
INCOMING: Final = Path("/var/lib/leftfield/incoming/bundle")


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``update`` with its actions; each sets ``run`` to a function of the parsed arguments."""
    about = "signed updates of images: make, check, offer, apply"
    top = word(subparsers, "update", about, "leftfield update status")
    actions = top.add_subparsers(required=True, metavar="ACTION")
    _add_makers(actions)
    _add_hubs(actions)
    _add_machines(actions)


def _add_makers(actions: Subparsers) -> None:
    key = command(
        actions,
        "key",
        "make the pair of keys that releases are signed with",
        "leftfield update key release",
        _key,
    )
    key.add_argument("stem", type=Path, help="FILE for FILE.key (secret) and FILE.pub (for images)")
    example = (
        "leftfield update make leftfield-unit_0.3.0_amd64.json --key release.key --number 7 --out unit.update"
    )
    make = command(actions, "make", "sign what leftfield image made as an update", example, _make)
    make.add_argument("image", type=Path, help="the .json file beside the image")
    make.add_argument("--key", type=Path, required=True, metavar="FILE", help="the release key (secret)")
    make.add_argument("--number", type=int, required=True, help="of this release, higher than all before")
    make.add_argument(
        "--least", default="0", metavar="N.N.N", help="lowest version that may go to it (default: any)"
    )
    make.add_argument("--days", type=int, default=90, help="until it expires (default: %(default)s)")
    make.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the bundle goes")
    check = command(
        actions,
        "check",
        "check a bundle to its last byte",
        "leftfield update check unit.update --key release.pub",
        _check,
    )
    check.add_argument("bundle", type=Path, help="the bundle")
    check.add_argument(
        "--key", type=Path, metavar="FILE", help="the public release key (default: this image's)"
    )
    check.add_argument("--json", action="store_true", help="one JSON object")


def _add_hubs(actions: Subparsers) -> None:
    about = "check a bundle and offer it to the units (on the hub, from a stick or a download)"
    put = command(
        actions, "offer", about, "sudo leftfield update offer unit.update --key release.pub", _offer
    )
    put.add_argument("bundle", type=Path, help="the bundle")
    put.add_argument(
        "--key", type=Path, metavar="FILE", help="the public release key (default: this image's)"
    )
    put.add_argument("--bundles", type=Path, default=BUNDLES, metavar="FOLDER", help="(default: %(default)s)")
    about = "serve offered bundles to the units of this booth"
    serving = command(actions, "serve", about, "leftfield update serve", _serve)
    serving.add_argument(
        "--directory", type=Path, default=config.CONFIG_DIRECTORY, help="(default: %(default)s)"
    )
    serving.add_argument(
        "--bundles", type=Path, default=BUNDLES, metavar="FOLDER", help="(default: %(default)s)"
    )
    serving.add_argument(
        "--database",
        type=Path,
        default=Path("/var/lib/leftfield/hub/hub.sqlite"),
        help="(default: %(default)s)",
    )
    serving.add_argument("--port", type=int, default=offer.PORT, help="(default: %(default)s)")


def _add_machines(actions: Subparsers) -> None:
    about = "put a bundle into the other place (on a machine that was made from an image)"
    put = command(actions, "apply", about, "sudo leftfield update apply unit.update --reboot", _apply)
    put.add_argument("bundle", type=Path, help="the bundle")
    put.add_argument("--reboot", action="store_true", help="start it at once")
    put.add_argument("--consume", action="store_true", help="remove the bundle, whatever became of it")
    for name, about, run in (
        ("fetch", "ask the hub for an update and take it", _fetch),
        ("confirm", "wait until this system has proved itself; 78 where it is to be undone", _confirm),
    ):
        asking = command(actions, name, about, f"leftfield update {name}", run)
        asking.add_argument(
            "--config", type=Path, default=Path("/etc/leftfield/unit.toml"), help="(default: %(default)s)"
        )
        asking.add_argument(
            "--port", type=int, default=offer.PORT, help="the hub's port (default: %(default)s)"
        )
        if name == "fetch":
            asking.add_argument("--incoming", type=Path, default=INCOMING, help="(default: %(default)s)")
    for name, about, run in (
        ("keep", "on a Raspberry Pi: let what has proved itself start from now on", _keep),
        ("retry", "on a Raspberry Pi: start what was put in place once more, where tries are left", _retry),
    ):
        command(actions, name, about, f"sudo leftfield update {name}", run)
    status = command(
        actions, "status", "what runs here, and what became of updates", "leftfield update status", _status
    )
    status.add_argument("--json", action="store_true", help="one JSON object")


def _key(given: argparse.Namespace) -> int:
    secret, public = given.stem.with_suffix(".key"), given.stem.with_suffix(".pub")
    if secret.exists():
        raise Unfit("there is one already", where=str(secret), fix="name another, or keep that one")
    key = os.urandom(32)
    atomic_files.write_durably(secret, key, mode=atomic_files.SECRET)
    text = f"{sign.public_key_of(key).hex()} leftfield release key\n"
    atomic_files.write_durably(public, text.encode(), mode=atomic_files.PUBLIC)
    with text_output(STANDARD) as out:
        out.write(
            f"{secret} signs releases: keep it off every machine that can be reached. {public} goes into images\n"
        )
    return 0


def _make(given: argparse.Namespace) -> int:
    key = atomic_files.read(given.key, fix="name the .key file that leftfield update key wrote")
    terms = making.Terms(number=given.number, least=given.least, made=int(time.time()), days=given.days)
    release, size = making.make(given.image, terms, key, given.out)
    with text_output(STANDARD) as out:
        out.write(f"{given.out} ({size / 1e6:,.1f} MB): {_sentence(release)}\n")
    return 0


def _sentence(release: Any) -> str:  # noqa: ANN401 - a Release
    until = time.strftime("%Y-%m-%d", time.gmtime(release.expires))
    return f"release {release.number}, {release.role} {release.version} for {release.arch}, until {until}"


def _public_key(given: argparse.Namespace) -> bytes:
    if given.key is None:
        image = this_image.require()
        if image.release_key is None:
            raise Unfit("this image has no release key", where="update", fix="say --key release.pub")
        return image.release_key
    return making.public_key_in(given.key)


def _heard(path: Path, label: str) -> Callable[[int], None]:
    return Progress(label, path.stat().st_size if path.exists() else 0).step


def _check(given: argparse.Namespace) -> int:
    release = apply.check(given.bundle, _public_key(given), _heard(given.bundle, "check, bytes"))
    fields = {"role": release.role, "arch": release.arch, "version": release.version, "number": release.number,
              "expires": release.expires, "bytes": given.bundle.stat().st_size}  # fmt: skip
    with text_output(STANDARD) as out:
        out.write((json.dumps(fields) if given.json else f"whole and signed: {_sentence(release)}") + "\n")
    return 0


def _offer(given: argparse.Namespace) -> int:
    release = making.put(
        given.bundle, _public_key(given), given.bundles, _heard(given.bundle, "offer, bytes")
    )
    if given.bundles == BUNDLES:  # this hub's own, and no folder of somebody who tries
        note(config.CONFIG_DIRECTORY, ActKind.UPDATE)
    with text_output(STANDARD) as out:
        out.write(f"offered to the units, one at a time: {_sentence(release)}\n")
    return 0


def _serve(given: argparse.Namespace) -> int:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    broker = given.directory / "broker"
    settings = offer.OfferConfig(
        bundles=given.bundles, register=given.directory / "register.toml", database=given.database,
        ca=broker / "ca.pem", certificate=broker / "broker.pem",
        key=(Path(credentials) if credentials else broker) / "broker.key", port=given.port,
    )  # fmt: skip
    offer.serve(settings, stop_requested())
    return 0


def _apply(given: argparse.Namespace) -> int:
    try:
        image = this_image.require()
        places = Places(starter=starter())
        release = apply.apply(given.bundle, image, places, _heard(given.bundle, "apply, bytes"))
    finally:
        if given.consume:
            given.bundle.unlink(missing_ok=True)
    with text_output(STANDARD) as out:
        out.write(f"in place, and on trial from the next start: {_sentence(release)}\n")
    if given.reboot:
        places.starter.restart()
    return 0


def _hub(given: argparse.Namespace) -> fetch.Hub:
    settings = config.unit_config(given.config)
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    key = Path(credentials) / "tls.key" if credentials else settings.broker.key
    return fetch.Hub.of(settings.broker, given.port, key)


def _fetch(given: argparse.Namespace) -> int:
    image = this_image.require()
    if image.release_key is None or given.incoming.exists():
        return 0
    here = machine.machine(image)
    hub = _hub(given)
    found = fetch.ask(
        hub, here, on_trial=starter().on_trial(), public_key=image.release_key, now=apply.now(image)
    )
    if found is None:
        return 0
    document, release = found
    head = bundle.Head(untrusted_document=document, release=release)
    log(f"update: taking {_sentence(release)}, {head.length:,} bytes")
    fetch.take(hub, here, head.length, given.incoming, lambda _done: None)
    return 0


def _confirm(given: argparse.Namespace) -> int:
    """Wait until this system is kept; Unfit where it is to be undone."""
    if not starter().on_trial():
        return 0
    broker = config.unit_config(given.config).broker
    confirm.confirm(confirm.Watch(hub=_hub(given), broker_port=broker.port, epoch=_epoch()))
    return 0


def _keep(given: argparse.Namespace) -> int:
    """The system that runs has proved itself (after ``confirm``)."""
    del given
    if CONFIRMED.exists():
        starter().keep()
    return 0


def _retry(given: argparse.Namespace) -> int:
    """Start the other system again where it has tries left."""
    del given
    starter().retry()
    return 0


def starter(chosen: Path = CHOSEN) -> Starter:
    """What starts this machine: a Raspberry Pi's firmware where it has left its choice, else systemd-boot."""
    return Tryboot() if (chosen / "partition").exists() else SystemdBoot()


def _epoch() -> int:
    folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/etc/leftfield/credentials"))
    return int(atomic_files.read(folder / "epoch", fix="pair this unit").decode("ascii", "replace"))


def _status(given: argparse.Namespace) -> int:
    image = this_image.require()
    here = machine.machine(image)
    trial = machine.trying()
    fields = {"version": image.version, "seen": here.seen, "undone": here.failed, "on_trial": starter().on_trial(),
              "trying": trial.version if trial else None}  # fmt: skip
    state = "on trial" if fields["on_trial"] else "confirmed"
    undone = f"; release {here.failed} was undone" if here.failed else ""
    with text_output(STANDARD) as out:
        sentence = f"{image.role} {image.version}, {state}; highest release believed: {here.seen}{undone}"
        out.write((json.dumps(fields) if given.json else sentence) + "\n")
    return 0

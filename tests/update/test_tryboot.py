"""A Raspberry Pi's card between two systems: a firmware that is written here from its documentation, and power cuts.

The firmware is the one part that is not the real one: it reads ``autoboot.txt`` by its own rules, starts a boot
partition, and says in a device tree which.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.base.errors import Refused, Unfit
from appliance.settings.this_image import ThisImage
from appliance.update import apply, machine, tryboot
from appliance.update.apply import Places
from appliance.update.commands import starter
from appliance.update.starter import SystemdBoot
from appliance.update.tryboot import Tryboot, autoboot_text
from tests.update.releases import DAY, NOW, PUBLIC, SIZES, a_bundle, a_release, part_bytes

SYSUPDATE = """
import os, shutil, sys
parts, other = sys.argv[1], sys.argv[2]
for name in sorted(os.listdir(parts)):
    if name.endswith(('.root', '.verity')):
        shutil.copy(os.path.join(parts, name), os.path.join(other, name.rsplit('.')[-1]))
"""
OLD_BOOT = hashlib.shake_128(b"the boot partition of 1.0").digest(SIZES["kernel"])
ROOM = 100_000
"""Bytes of a boot partition: more than is put there."""


class PowerCut(BaseException):
    """Nobody catches this."""


class Pi:
    """A card, a firmware, and which of two systems runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flag = False
        for name in ("chosen", "card/2", "card/3", "root/2", "root/3"):
            (folder / name).mkdir(parents=True)
        for number in (2, 3):
            (folder / f"card/{number}/boot").write_bytes(bytes(ROOM))
        self.put_boot(2, OLD_BOOT)
        (folder / "autoboot.txt").write_text(autoboot_text(2))
        self.start()

    def put_boot(self, number: int, content: bytes) -> None:
        with (self.folder / f"card/{number}/boot").open("r+b") as file:
            file.write(content)

    def start(self) -> None:
        """Power on: the firmware takes its flag, reads ``autoboot.txt``, and starts what is whole."""
        flag, self.flag = self.flag, False
        said = self._autoboot("tryboot" if flag else "all")
        self.running = int(said.get("boot_partition", "2"))
        boot = (self.folder / f"card/{self.running}/boot").read_bytes()
        self.version = {OLD_BOOT: "1.0", part_bytes("kernel"): "1.1"}.get(boot[: SIZES["kernel"]], "")
        assert self.version, f"partition {self.running} does not start"
        if self.version == "1.1":
            for name in ("root", "verity"):
                assert (self.folder / "card/root" / name).read_bytes() == part_bytes(name)
        (self.folder / "chosen/partition").write_bytes(self.running.to_bytes(4, "big"))
        (self.folder / "boot_id").write_text(f"{os.urandom(8).hex()}\n")

    def _autoboot(self, wanted: str) -> dict[str, str]:
        found: dict[str, str] = {}
        section = "all"
        for line in (self.folder / "autoboot.txt").read_text(errors="replace").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line and section in {"all", wanted}:
                key, _, value = line.partition("=")
                found[key] = value
        return found

    @property
    def starter(self) -> Tryboot:
        other = self.folder / "card/root"
        other.mkdir(exist_ok=True)
        program = (sys.executable, "-c", SYSUPDATE, str(self.places_of().parts), str(other))
        return Tryboot(
            state=self.folder / "state", sysupdate=program, chosen=self.folder / "chosen",
            places={number: self.folder / f"card/{number}/boot" for number in (2, 3)},
            autoboot=self.folder / "autoboot.txt", reboot=(sys.executable, "-c", ""),
        )  # fmt: skip

    def places_of(self, starter: Tryboot | None = None) -> Places:
        state, boot_id = self.folder / "state", self.folder / "boot_id"
        return (
            Places(state=state, boot_id=boot_id, starter=starter)
            if starter
            else Places(state=state, boot_id=boot_id)
        )

    @property
    def image(self) -> ThisImage:
        return ThisImage(
            role="unit", arch="amd64", version=self.version, made=NOW - DAY, release_key=PUBLIC, ssh=False
        )

    def update(self, bundle: Path) -> None:
        """What ``leftfield update apply --reboot`` does, to the moment of the restart."""
        places = self.places_of(self.starter)
        apply.apply(bundle, self.image, places, lambda _done: None)
        self.restart()

    def restart(self) -> None:
        self.starter.restart()
        self.flag = True

    def retry(self) -> bool:
        self.flag = self.starter.retry()
        return self.flag

    @property
    def undone(self) -> int:
        return machine.machine(self.image, self.folder / "state", self.folder / "boot_id").failed


@pytest.fixture(autouse=True)
def _then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply.time, "time", lambda: float(NOW))


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    return Pi(tmp_path / "pi")


def test_an_update_is_tried_once_and_kept_by_one_sector(pi: Pi, tmp_path: Path) -> None:
    pi.update(a_bundle(tmp_path))
    assert (pi.folder / "autoboot.txt").read_text() == autoboot_text(2)
    pi.start()
    assert (pi.version, pi.running, pi.starter.on_trial()) == ("1.1", 3, True)
    pi.starter.keep()
    assert (pi.folder / "autoboot.txt").read_text() == autoboot_text(3)
    pi.start()
    assert (pi.version, pi.starter.on_trial(), pi.retry(), pi.undone) == ("1.1", False, False, 0)


def test_the_text_is_what_the_firmware_documents_and_fits_its_512_bytes() -> None:
    for first in (2, 3):
        text = autoboot_text(first)
        assert len(text) == len(autoboot_text(5 - first)) < 512
        assert text.split("[tryboot]")[0].splitlines()[:2] == ["[all]", "tryboot_a_b=1"]


def test_a_system_that_does_not_prove_itself_is_tried_three_times_and_undone(pi: Pi, tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path)
    pi.update(bundle)
    tries = 0
    while True:
        pi.start()  # the new one; it dies
        assert pi.version == "1.1"
        tries += 1
        pi.start()  # the one before, by itself
        assert pi.version == "1.0"
        assert bool(pi.undone) is not bool(machine.tries_left(pi.folder / "state"))
        if not pi.retry():
            break
    assert tries == tryboot.TRIES
    assert pi.undone == 7
    with pytest.raises(Refused, match="tried here and undone"):
        pi.update(bundle)


def test_a_system_on_trial_takes_no_update(pi: Pi, tmp_path: Path) -> None:
    pi.update(a_bundle(tmp_path))
    pi.start()
    newer = a_bundle(tmp_path, replace(a_release(version="1.2"), number=8))
    with pytest.raises(Unfit, match="on trial"):
        pi.update(newer)


def test_a_boot_partition_that_reads_back_otherwise_is_never_started(
    pi: Pi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that lies: what it took is not what it gives."""

    def lies(descriptor: int, *_more: int) -> None:
        os.pwrite(descriptor, b"\xff", 70)

    monkeypatch.setattr(tryboot.os, "posix_fadvise", lies)
    with pytest.raises(Unfit, match="reads back otherwise"):
        pi.update(a_bundle(tmp_path))
    pi.start()
    assert (pi.version, machine.tries_left(pi.folder / "state")) == ("1.0", 0)


def test_a_text_that_nobody_can_read_starts_the_lower_partition(pi: Pi) -> None:
    (pi.folder / "autoboot.txt").write_bytes(b"\xff" * 70)
    pi.start()
    assert (pi.running, pi.starter.first(), pi.starter.on_trial()) == (2, 2, False)


def test_a_machine_whose_firmware_says_nothing_is_no_raspberry_pi(pi: Pi) -> None:
    assert isinstance(starter(pi.folder / "chosen"), Tryboot)
    (pi.folder / "chosen/partition").write_bytes((9).to_bytes(4, "big"))
    with pytest.raises(Unfit, match="boot partition 9"):
        pi.starter.running()
    (pi.folder / "chosen/partition").unlink()
    assert isinstance(starter(pi.folder / "chosen"), SystemdBoot)


STEPS = ("open", "write", "fsync", "pwrite", "rename", "unlink")


def _cut_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Before the ``step``-th call that changes a disk, the power goes; how many such calls there were."""
    done = [0]

    def counted(name: str) -> None:
        real = getattr(os, name)

        def call(*words: Any, **more: Any) -> Any:
            done[0] += 1
            if done[0] == step:
                raise PowerCut(name)
            return real(*words, **more)

        monkeypatch.setattr(os, name, call)

    for name in STEPS:
        counted(name)
    return lambda: done[0]


@pytest.mark.parametrize("what", ["update", "restart", "keep"])
def test_the_power_may_go_before_any_step(what: str, tmp_path: Path) -> None:
    """Every call that changes the card, one after the other: it starts, and the update goes on from there."""
    step, called = 1, 0
    while step == 1 or called >= step - 1:
        folder = tmp_path / f"{what}-{step}"
        folder.mkdir()
        pi, bundle = Pi(folder / "pi"), a_bundle(folder)
        if what == "keep":
            pi.update(bundle)
            pi.start()
        elif what == "restart":
            apply.apply(bundle, pi.image, pi.places_of(pi.starter), lambda _done: None)
        acts = {"update": partial(pi.update, bundle), "restart": pi.restart, "keep": pi.starter.keep}
        with pytest.MonkeyPatch.context() as patch:
            count = _cut_at(step, patch)
            try:
                acts[what]()
            except PowerCut:
                pi.flag = False
            called = count()
        pi.start()  # asserts that what starts is whole
        _go_on(pi, bundle)
        assert (pi.version, pi.starter.on_trial()) == ("1.1", False), f"{what}: step {step}"
        step += 1
    assert step > 3


def _go_on(pi: Pi, bundle: Path) -> None:
    """What the machine's services do by themselves, until nothing is left to do."""
    for _ in range(6):
        if pi.version == "1.1":
            pi.starter.keep()
            pi.start()
            return
        if not pi.retry():
            pi.update(bundle)
        pi.start()

"""An image from its build to the plug that is pulled: `make image-test`, hours in emulation, no part of the suite.

The unit is a virtual machine that starts from a flashed image under OVMF; the hub is the .deb, booted by nspawn. The
tests build on each other and run in this order. ``KILLS=n`` says how often the plug is pulled (default 10).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator

import pytest

from appliance.image import gpt
from tests.boot.machines import packages
from tests.long.bed import BAD, CACHE, FIGURES, FIRST, KILLS, LAST, NEW, OLD, Bed
from tests.long.vm import FIRMWARE, Vm


@pytest.fixture(autouse=True)
def _told() -> Iterator[None]:
    """What was measured so far, after each test: a run that is broken off has told it."""
    begun = time.monotonic()
    yield
    print(f"\nfigures after {time.monotonic() - begun:.0f} s more: {json.dumps(FIGURES)}", flush=True)


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    lacking = [name for name in ("qemu-system-x86_64", "systemd-nspawn", "ip") if not shutil.which(name)]
    if os.geteuid() != 0 or lacking or not FIRMWARE.exists():
        pytest.fail(
            "image-test needs root, and: apt-get install qemu-system-x86 ovmf systemd-container iproute2"
        )
    folder = CACHE / "image" / f"run-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    one = Bed(folder)
    try:
        one.hub.boot()
        one.hub.install(packages(CACHE, "0.9.0")["hub"])
        yield one
    finally:
        one.vm.kill()
        one.hub.stop()
        one.network.close()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


def test_a_flashed_image_starts_and_is_paired_by_its_code(bed: Bed) -> None:
    """Power on, the code typed on the hub, and observations are admitted; nobody logged in to anything."""
    begun = time.monotonic()
    bed.vm.start(look=True)
    bed.vm.until(lambda: bed.vm.last("up"), "the first report")
    FIGURES["power on to all services, s"] = round(time.monotonic() - begun)
    paired = f"leftfield pair accept {bed.code} --name corner-north --place 'north corner'"

    def accepted() -> bool:
        return '"unit"' in bed.hub.shell(f"{paired} --json", check=False)

    bed.vm.until(accepted, "the pairing")
    FIGURES["power on to paired, s"] = round(time.monotonic() - begun)
    bed.heard_again("after pairing")
    FIGURES["power on to observations admitted, s"] = round(time.monotonic() - begun)
    assert bed.vm.last("version") == FIRST
    assert bed.vm.last("failed") == ""


def test_the_machine_is_as_the_recipe_says_seen_from_inside(bed: Bed) -> None:
    """No swap, no core dumps, a root that is checked and read-only, a journal in memory, and nothing that listens."""
    bed.vm.until(
        lambda: "Startup finished" in bed.vm.said() and "sl  local_address" in bed.vm.said(), "a look inside"
    )
    said = bed.vm.said()
    assert "|/bin/false" in said
    assert not re.search(r"^.*?(partition|file)\s+\d+\s+\d+\s+-?\d+$", said, re.MULTILINE)
    assert re.search(r"/dev/mapper/root on / type squashfs \(ro", said)
    assert re.search(r"/dev/\w+ on /etc/leftfield type ext4 \(rw,nosuid,nodev,noexec", said)
    assert "File path: /run/log/journal" in said
    startup = re.search(r"Startup finished in (.*)", said)
    FIGURES["systemd-analyze"] = startup[1] if startup else ""
    state = re.search(r"/dev/\w+\s+(\d+)\s+\d+\s+\d+\s+\d+%\s+/state", said)
    assert state
    FIGURES["state partition after the first start, MB"] = round(int(state[1]) / 1000)
    assert int(state[1]) > 1_500_000
    listening = re.findall(r": ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F:]+ 0A ", said)
    assert listening == []


def test_pulling_the_plug_loses_nothing_that_was_kept(bed: Bed) -> None:
    """``kill -9`` of the whole machine while it observes, again and again: it starts, and the hub misses nothing."""
    again = []
    for number in range(KILLS):
        time.sleep(3 + 2 * number % 7)
        bed.vm.kill()
        begun = time.monotonic()
        bed.vm.start()
        bed.heard_again(f"plug {number + 1}")
        again.append(round(time.monotonic() - begun))
    FIGURES["plug pulled in operation: times, seconds until admitted again, missing at the hub"] = (
        len(again), again, bed.missing(),
    )  # fmt: skip
    assert bed.missing() == 0


def test_an_update_is_taken_started_and_confirmed(bed: Bed) -> None:
    """The hub offers the next version; the unit fetches it, starts it on trial, is heard, and keeps it."""
    begun = time.monotonic()
    bed.offer(NEW, 1)
    bed.vm.until(lambda: bed.vm.last("version") == NEW, "the new version runs", 1800)
    FIGURES["offer to the new version running, s"] = round(time.monotonic() - begun)
    assert bed.vm.last("trial") == "1"
    bed.vm.until(
        lambda: f"leftfield-unit_{NEW}.efi" in bed.vm.last("entries"), "the new version is confirmed"
    )
    FIGURES["offer to confirmed, s"] = round(time.monotonic() - begun)
    assert f"leftfield-unit_{OLD}.efi" in bed.vm.last("entries")
    assert bed.missing() == 0


def test_a_bad_update_is_undone_by_itself(bed: Bed) -> None:
    """Signed, and yet its root is noise: after three tries the version before runs, and is heard."""
    begun = time.monotonic()
    stem = bed.images / f"leftfield-unit_{OLD}_amd64"
    noise = hashlib.shake_128(b"noise").digest(stem.with_name(f"{stem.name}.root").stat().st_size)
    kernel = stem.with_name(f"{stem.name}.kernel").read_bytes()
    newer = kernel.replace(f'IMAGE_VERSION="{OLD}"'.encode(), f'IMAGE_VERSION="{BAD}"'.encode())
    assert newer != kernel  # systemd-boot starts the highest version that a kernel says of itself
    bed.offer(OLD, 2, {"root": noise, "kernel": newer}, BAD)
    bed.vm.until(
        lambda: f"_{BAD}+" in bed.vm.last("entries") or bed.vm.said().count("Linux version") > 1,
        "it is put in place",
        1800,
    )
    bed.vm.until(lambda: f"_{BAD}+0-3" in bed.vm.last("entries"), "three tries", 1800)
    assert bed.vm.last("version") == NEW
    bed.heard_again("after the undone update")
    FIGURES["bad update: offer to heard again, s"] = round(time.monotonic() - begun)
    said = bed.hub.shell("journalctl --unit leftfield-offer --no-pager --output cat")
    bed.vm.until(
        lambda: (
            "undid release 2" in bed.hub.shell("journalctl --unit leftfield-offer --no-pager --output cat")
        ),
        f"the hub knows that it was undone: {said}",
    )


def test_pulling_the_plug_in_the_middle_of_an_update_leaves_a_machine_that_starts(bed: Bed) -> None:
    """``kill -9`` while the update is fetched, checked and written: the machine starts what is whole, every time."""
    bed.offer(LAST, 3)
    outcome = []
    for number in range(KILLS):
        time.sleep(8 + 11 * number % 40)
        bed.vm.kill()
        bed.vm.start()
        bed.heard_again(f"plug {number + 1} in an update")
        outcome.append(bed.vm.last("version"))
    FIGURES["plug pulled in an update: version that ran then"] = outcome
    assert set(outcome) <= {NEW, LAST}


def test_a_root_with_one_changed_byte_does_not_run(bed: Bed) -> None:
    """One byte of the root on the card is changed: dm-verity stops the machine instead of running it."""
    bed.vm.kill()
    tampered = bed.folder / "tampered.raw"
    shutil.copyfile(bed.image(OLD), tampered)
    with tampered.open("r+b") as file:
        root = next(one for one in gpt.partitions(file, "card") if one.label == f"leftfield-unit_{OLD}")
        file.seek(root.start + 96)  # the superblock of the squashfs
        byte = file.read(1)
        file.seek(root.start + 96)
        file.write(bytes([byte[0] ^ 1]))
    (bed.folder / "tampered").mkdir()
    other = Vm(bed.folder / "tampered", tampered, bed.network.names["unit"])
    other.start()
    try:
        other.until(
            lambda: "dm-verity" in other.said() and "Kernel panic" in other.said(), "dm-verity's panic"
        )
        assert "LF up=" not in other.said()
    finally:
        other.kill()
    assert not other.running

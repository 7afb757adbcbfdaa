"""An image from its build to the plug that is pulled: `make image-test`, hours in emulation, no part of the suite.

The unit is a virtual machine that starts from a flashed image under OVMF; the hub is the .deb, booted by nspawn. The
tests build on each other and run in this order. ``KILLS=n`` says how often the plug is pulled (default 10); after
a run that broke off, ``RESUME=1`` goes on with its card and its hub at the stage where it stopped.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator

import pytest

from appliance.image import gpt
from tests.boot.machines import packages
from tests.long.bed import BAD, CACHE, FIGURES, FIRST, KILLS, LAST, NEW, OLD, RUN, Bed
from tests.long.vm import FIRMWARE, Vm


@pytest.fixture(autouse=True)
def _told(request: pytest.FixtureRequest, bed: Bed) -> Iterator[None]:
    """A stage that was through is not run again; what a stage took is told after it."""
    name, begun = request.node.name, time.monotonic()
    if name in FIGURES.through:
        pytest.skip("through before the run broke off")
    if bed.resumed and FIGURES.through[-1] != "flash":
        bed.on()
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed == failed:
        FIGURES.stage(name)
        FIGURES[f"{name}, s"] = round(time.monotonic() - begun)


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    lacking = [name for name in ("qemu-system-x86_64", "systemd-nspawn", "ip") if not shutil.which(name)]
    if os.geteuid() != 0 or lacking or not FIRMWARE.exists():
        pytest.fail(
            "image-test needs root, and: apt-get install qemu-system-x86 ovmf systemd-container iproute2"
        )
    if "flash" not in FIGURES.through:
        shutil.rmtree(RUN, ignore_errors=True)
        RUN.mkdir(parents=True)
    one = Bed(RUN)
    try:
        one.hub.boot()
        if not one.resumed:
            one.hub.install(packages(CACHE, "0.9.0")["hub"])
            FIGURES.stage("flash")
        yield one
    finally:
        one.vm.kill()
        one.hub.stop()
        one.network.close()


def test_a_flashed_image_starts_and_is_paired_by_its_code(bed: Bed) -> None:
    """Power on, the code typed on the hub, and observations are admitted; nobody logged in to anything."""
    begun = time.monotonic()
    if not bed.vm.running:
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
    name = "plug pulled in operation: seconds until admitted again, missing at the hub"
    again = FIGURES.figures.get(name, [[], 0])[0]
    for number in range(len(again), KILLS):
        time.sleep(3 + 2 * number % 7)
        bed.vm.kill()
        begun = time.monotonic()
        bed.vm.start()
        bed.heard_again(f"plug {number + 1}", 2)
        again.append(round(time.monotonic() - begun))
        FIGURES[name] = [again, bed.missing()]
        assert bed.missing() == 0


def test_an_update_is_taken_started_and_confirmed(bed: Bed) -> None:
    """The hub offers the next version; the unit fetches it, starts it on trial, is heard, and keeps it."""
    begun = time.monotonic()
    bed.offer(NEW, 1)
    bed.vm.until(lambda: bed.vm.last("version") == NEW, "the new version runs", 1800)
    FIGURES["offer to the new version running, s"] = round(time.monotonic() - begun)
    assert bed.vm.last("trial") == "1" or bed.resumed
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


PHASES: dict[str, tuple[str, float]] = {
    "fetching": ("bundle", 1),
    "fetching, later": ("bundle", 6),
    "fetching, latest": ("bundle", 14),
    "checking": (r"root\.partial", 1),
    "checked": (r"\d+MB root(?!\.partial)", 1),
    "writing": (r"\.efi", 1),
    "writing, later": (r"\.efi", 7),
    "writing, latest": (r"\.efi", 16),
    "on trial": (r"^trial$", 1),
    "on trial, again": (r"^trial$", 8),
}
"""When the plug is pulled: at a sight of these files, and so many seconds later."""


def test_pulling_the_plug_in_the_middle_of_an_update_leaves_a_machine_that_starts(bed: Bed) -> None:
    """``kill -9`` while the update is fetched, checked, written, tried: what is whole starts, every time."""
    name = "plug pulled in an update: in what, version that ran then, missing at the hub"
    outcome = FIGURES.figures.get(name, [])
    if not outcome:
        bed.offer(LAST, 3)
    bed.vm.kill()
    bed.vm.start(later=True)
    for phase, (sight, seconds) in list(PHASES.items())[len(outcome) : KILLS]:

        def reached(sight: str = sight) -> bool:
            tried = bed.vm.last("version") == LAST
            return tried or bool(re.search(sight, bed.vm.doing()))

        if not phase.startswith("on trial"):
            bed.heard_again(f"before {phase}", 2)
        bed.vm.until(reached, phase)
        time.sleep(seconds)
        doing = bed.vm.doing() if bed.vm.last("version") != LAST else f"trial={bed.vm.last('trial')}"
        bed.vm.kill()
        bed.vm.start(later=True)
        bed.vm.until(lambda: bed.vm.last("version"), f"a report after {phase}")
        outcome.append([phase, doing, bed.vm.last("version"), bed.missing()])
        FIGURES[name] = outcome
        assert outcome[-1][2] in {NEW, LAST}
        assert bed.missing() == 0
    bed.heard_again("after the last plug", 2)
    assert bed.missing() == 0


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
    (bed.folder / "tampered").mkdir(exist_ok=True)
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

"""The hub's image: its root unpacked and booted by systemd-nspawn, without a kernel and a disk of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.machines import Machine, Network, run, until
from tests.long.bed import CACHE, leftfield


@pytest.fixture(scope="module")
def hub() -> Iterator[Machine]:
    """A hub from its image, at its first start."""
    if os.geteuid() != 0 or not shutil.which("unsquashfs"):
        pytest.fail("image-test needs root, and: apt-get install squashfs-tools systemd-container")
    given = os.environ.get("LEFTFIELD_HUB_ROOT")
    if given is None:
        made = leftfield("image", "hub", "--out", CACHE / "image/hub", "--cache", CACHE / "image", "--json")
        given = json.loads(made)["parts"]["root"]
    folder = CACHE / "image" / f"hub-{os.getpid()}"
    folder.mkdir(parents=True)
    subprocess.run(["unsquashfs", "-q", "-d", folder / "base", given], check=True, stdout=subprocess.DEVNULL)
    for name in ("etc", "lib", "mosquitto"):
        (folder / "base/state" / name).mkdir(parents=True)
    table = folder / "base/etc/fstab"
    rows = [row for row in table.read_text().splitlines() if "by-partlabel" not in row]
    table.write_text("\n".join(rows).replace(",x-systemd.requires=state.mount", "") + "\n")
    network = Network(f"g{os.getpid() % 10_000}")
    machine = Machine("hub", folder / "tree", folder / "base", network.names["hub"], "corner")
    try:
        machine.boot()
        yield machine
    finally:
        machine.stop()
        network.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_hub_makes_its_keys_at_its_first_start_and_runs(hub: Machine) -> None:
    """The booth is made once, then broker, WATCH, pages, pairing desk and update server run."""
    services = ("mosquitto", "leftfield-watch", "leftfield-pages", "leftfield-desk", "leftfield-offer")
    for service in services:
        until(lambda one=service: hub.show(one, "ActiveState") == "active", service, 90)  # type: ignore[misc]
    assert hub.show("leftfield-watch", "NRestarts") == "0"
    assert (hub.tree / "state/etc/authority/ca.key").exists()


def test_no_key_was_in_the_image(hub: Machine) -> None:
    base = hub.tree.parent / "base"
    assert list((base / "etc/leftfield").iterdir()) == []
    assert run("find", base / "etc", base / "usr/share/leftfield", "-name", "*.key") == ""


def test_its_firewall_is_open_for_its_ports_only(hub: Machine) -> None:
    until(
        lambda: "dport { 8443, 8883, 8884, 8885, 9443 }" in hub.shell("nft list ruleset"), "the hub's rules"
    )
    assert "policy drop" in hub.shell("nft list chain inet leftfield input")


def test_nobody_can_log_in(hub: Machine) -> None:
    """No password, no getty, no ssh."""
    shadow = (Path(hub.tree) / "etc/shadow").read_text().splitlines()
    assert [row for row in shadow if row.split(":")[1][:1] not in {"*", "!"}] == []
    units = hub.shell("systemctl list-units --no-legend --plain --all '*getty*' 'ssh*'")
    assert "running" not in units

"""An image with keys of its own: Secure Boot, ssh, Wi-Fi; and its services looked at from inside.

A part of `make image-test`. The firmware is OVMF in set-up mode: the first start takes the certificate from the card.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.machines import Network
from tests.long.bed import CACHE, leftfield
from tests.long.vm import Vm

FOLDER = CACHE / "image" / "locked"
VERSION = "0.3.0"
MOST = {"leftfield-update": 2.0, "leftfield-wifi": 2.5}
OTHERS = 1.5
WIFI = ("booth of the test", "correct horse battery")


def _image() -> Path:
    """The image, built once, with the keys beside it; ``LEFTFIELD_LOCKED`` names a folder that has both."""
    folder = Path(os.environ.get("LEFTFIELD_LOCKED", FOLDER))
    made = folder / f"leftfield-unit_{VERSION}_amd64.raw"
    if not made.exists():
        folder.mkdir(parents=True, exist_ok=True)
        words = ["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650"]
        words += [
            "-subj",
            "/CN=booth/",
            "-keyout",
            str(folder / "boot.key"),
            "-out",
            str(folder / "boot.crt"),
        ]
        subprocess.run(words, check=True, capture_output=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "ssh"], check=True)
        leftfield(
            "image", "unit", "--out", folder, "--cache", CACHE / "image", "--image-version", VERSION,
            "--ssh-key", folder / "ssh.pub", "--secure-boot-key", folder / "boot.key",
            "--secure-boot-certificate", folder / "boot.crt", "--with", "iw",
        )  # fmt: skip
    return made


class Locked:
    """The machine, and a shell on it by ssh."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.image = folder, _image()
        self.card = folder / "card.raw"
        (folder / "password").write_text(WIFI[1])
        words: list[str | Path] = [
            "--yes",
            "--json",
            "--label",
            folder,
            "--name",
            "corner",
            "--wifi-ssid",
            WIFI[0],
        ]
        words += ["--wifi-password-file", folder / "password", "--wifi-country", "DE"]
        json.loads(leftfield("flash", self.image, self.card, *words))
        self.network = Network(f"s{os.getpid() % 10_000}")
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = server.getsockname()[1]
        self.vm = Vm(folder, self.card, self.network.names["unit"], secure=True, ssh=self.port)

    def ssh(self, command: str, key: Path | None = None, *, check: bool = True) -> str:
        """What ``command`` prints there."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=60"]
        options += ["BatchMode=yes", "IdentitiesOnly=yes", "LogLevel=ERROR"]
        words = ["ip", "netns", "exec", self.network.names["unit"], "ssh"]
        words += ["-i", str(key or self.image.parent / "ssh")]
        words += [part for option in options for part in ("-o", option)]
        words += ["-p", str(self.port), "root@127.0.0.1", command]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
        assert not check or done.returncode == 0, done.stderr[-1000:]
        return done.stdout if done.returncode == 0 else f"refused: {done.stderr}"


@pytest.fixture(scope="module")
def locked() -> Iterator[Locked]:
    folder = CACHE / "image" / "run-locked"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    one = Locked(folder)
    try:
        one.vm.start()
        one.vm.until(lambda: one.vm.last("up"), "the first report", 1800)
        yield one
    finally:
        one.vm.kill()
        one.network.close()


def test_only_what_was_signed_is_started(locked: Locked) -> None:
    """The certificate was taken at the first start; since then the firmware checks, and the kernel knows."""
    locked.vm.until(lambda: "refused" not in locked.ssh("true", check=False), "ssh", 900)
    variables = "/sys/firmware/efi/efivars"
    group = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
    assert locked.ssh(f"od -An -tu1 {variables}/SecureBoot-{group}").split()[-1] == "1"
    assert locked.ssh(f"od -An -tu1 {variables}/SetupMode-{group}").split()[-1] == "0"


def test_only_the_named_key_may_log_in(locked: Locked) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", locked.folder / "other"], check=True)
    assert locked.ssh("id -u").strip() == "0"
    assert "Permission denied" in locked.ssh("true", locked.folder / "other", check=False)
    said = locked.ssh("sshd -T | grep -E '^(passwordauthentication|kbdinteractiveauthentication) '")
    assert set(said.splitlines()) == {"passwordauthentication no", "kbdinteractiveauthentication no"}


def test_the_services_of_the_image_are_exposed_as_little_as_their_files_say(locked: Locked) -> None:
    """As loaded, with every drop-in."""
    names = locked.ssh("cd /usr/lib/systemd/system && echo leftfield-*.service").split()
    said = locked.ssh("systemd-analyze security --no-pager " + " ".join(names), check=False)
    levels = dict(re.findall(r"exposure level for (leftfield-[a-z-]+)\.service: ([0-9.]+)", said))
    print(levels, flush=True)
    assert {"leftfield-update", "leftfield-hostname", "leftfield-firewall", "leftfield-wifi"} <= set(levels)
    once = {"leftfield-ssh-key"}
    assert {name for name, level in levels.items() if float(level) > MOST.get(name, OTHERS)} <= once


def test_what_ran_at_the_start_ran_inside_its_walls(locked: Locked) -> None:
    """The name is the card's, the rules are loaded, nothing failed."""
    assert locked.ssh("hostname").strip() == "corner"
    assert "tcp dport 22" in locked.ssh("nft list ruleset")
    assert locked.ssh("systemctl --failed --no-legend --plain").strip() == ""


ACCESS_POINT = """
set -e
modprobe mac80211_hwsim radios=2
i=0; until [ -e /sys/class/net/wlan1 ]; do i=$((i+1)); [ $i -lt 60 ]; sleep 1; done
printf 'network={{\\n ssid="{}"\\n mode=2\\n key_mgmt=WPA-PSK\\n psk="{}"\\n frequency=2412\\n}}\\n' > /run/ap.conf
systemd-run --unit=ap wpa_supplicant -i wlan1 -c /run/ap.conf
systemctl restart leftfield-wifi
""".format(*WIFI)


def test_a_card_with_a_network_joins_it(locked: Locked) -> None:
    """Two radios of the kernel's own making: an access point on one, the card's settings on the other."""
    locked.ssh(ACCESS_POINT)
    locked.vm.until(lambda: "Connected to" in locked.ssh("iw dev wlan0 link", check=False), "Wi-Fi", 600)
    assert WIFI[0] in locked.ssh("iw dev wlan0 link")
    locked.ssh("systemctl stop ap leftfield-wifi")


def test_a_kernel_that_was_changed_does_not_start(locked: Locked) -> None:
    """One digit of the root's hash inside the signed kernel, changed on the card: the firmware refuses it."""
    locked.vm.kill()
    with locked.card.open("r+b") as file:
        content = file.read(300 * 2**20)
        at = content.find(b"roothash=")
        assert at > 0
        file.seek(at + 9)
        file.write(b"0" if content[at + 9 : at + 10] != b"0" else b"1")
    locked.vm.start()
    refused = re.compile(r"violation|Access denied", re.IGNORECASE)
    locked.vm.until(lambda: refused.search(locked.vm.said()), "the firmware's refusal", 900)
    assert "Linux version" not in locked.vm.said()

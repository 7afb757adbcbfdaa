"""A virtual machine that starts from an image: QEMU with OVMF, in a network namespace, its console in a file."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

FIRMWARE: Final = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
SECURE_FIRMWARE: Final = Path("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd")
VARIABLES: Final = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
DISK_BYTES: Final = 4 * 2**30
SMP: Final = os.environ.get("SMP", "2")
"""Processors of the machine. One is quicker where the host has fewer free than two: nobody waits for a lock then."""
SLOW: Final = "quiet audit=0 systemd.show_status=error systemd.default_device_timeout_sec=15min"
"""More for the kernel: emulation on a busy machine takes minutes for a disk to appear, and time for each line."""
TOLD_SECONDS: Final = 30.0
"""How often a wait says where the machine is."""
REPORT: Final = """
while sleep 3; do
  echo "LF-DO $(cd /var/lib/leftfield && ls -sA1 --block-size=MB incoming update/parts 2>&1 | tr '\\n' ' ')"
  n=$((n+1)); [ $((n % 3)) = 0 ] || continue
  sense=$(systemctl show -P StatusText leftfield-sense) relay=$(systemctl show -P StatusText leftfield-relay)
  echo "LF up=$(cut -d. -f1 /proc/uptime) version=$(. /etc/os-release; echo $IMAGE_VERSION)" \\
    "trial=$([ -e /sys/firmware/efi/efivars/LoaderBootCountPath-* ] && echo 1)" \\
    "failed=$(systemctl --failed --no-legend --plain | cut -d' ' -f1 | tr '\\n' ,)" \\
    "entries=$(cd /boot/EFI/Linux && echo * | tr ' ' ,) sense='$sense' relay='$relay'"
done
"""
LOOK: Final = """
until systemd-analyze --no-pager; do sleep 5; done
systemd-analyze --no-pager blame | head -20; systemd-analyze --no-pager critical-chain
cat /proc/swaps /proc/sys/kernel/core_pattern; mount | grep -E ' on (/|/state|/etc/leftfield|/var/lib/leftfield) '
nft list ruleset; journalctl --header | grep 'File path'; df -k /state
cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6
"""


class Vm:
    """One machine: a disk, its firmware's variables, a console; started, killed, started again."""

    def __init__(
        self,
        folder: Path,
        disk: Path,
        namespace: str,
        *,
        keep: bool = False,
        secure: bool = False,
        ssh: int = 0,
    ) -> None:
        self.folder, self.disk, self.namespace = folder, disk, namespace
        self._secure, self._ssh = secure, ssh
        self.console = folder / "console.txt"
        self._variables = folder / "variables.fd"
        if not keep:
            shutil.copyfile(VARIABLES, self._variables)
            with disk.open("r+b") as file:
                file.truncate(DISK_BYTES)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, look: bool = False, later: bool = False) -> None:
        """Power on. ``later``: a minute or two pass before an update goes on, so that the machine is heard first."""
        firmware, machine, net = FIRMWARE, "q35", "user,id=n"
        if self._secure:  # its variables are out of the system's reach, as Secure Boot wants it
            firmware, machine = SECURE_FIRMWARE, "q35,smm=on"
        if self._ssh:
            net += f",restrict=on,hostfwd=tcp:127.0.0.1:{self._ssh}-:22"
        units = {"lf-report": REPORT} | ({"lf-look": LOOK} if look else {})
        words = [
            "ip", "netns", "exec", self.namespace, "qemu-system-x86_64",
            "-accel", "tcg,thread=multi", "-machine", machine, "-cpu", "max,la57=off", "-smp", SMP, "-m", "2048",
            "-display", "none", "-monitor", "none", "-serial", f"file:{self.console}", "-device", "i6300esb",
            "-drive", f"if=pflash,format=raw,readonly=on,file={firmware}",
            "-drive", f"if=pflash,format=raw,file={self._variables}",
            "-drive", f"file={self.disk},format=raw,if=virtio,cache=writeback",
            "-netdev", net, "-device", "virtio-net-pci,netdev=n",
        ]  # fmt: skip
        if self._secure:
            words += ["-global", "driver=cfi.pflash01,property=secure,value=on"]
        for name, script in units.items():
            unit = (
                "[Service]\nStandardOutput=journal+console\n"
                f'ExecStart=/bin/sh -c "echo {_spelled(script)} | base64 -d | sh"\n'
            )
            words += _credential(f"systemd.extra-unit.{name}.service", unit)
        wants = "".join(f"Wants={name}.service\n" for name in units)
        words += _credential("systemd.unit-dropin.multi-user.target", f"[Unit]\n{wants}")
        first = "120s" if later else "20s"
        often = f"OnBootSec=\nOnUnitInactiveSec=\nOnBootSec={first}\nOnUnitInactiveSec=15s\nRandomizedDelaySec=0\n"
        words += _credential("systemd.unit-dropin.leftfield-fetch.timer", f"[Timer]\n{often}")
        if later:
            waits = "[Service]\nExecStartPre=/bin/sleep 100\n"
            words += _credential("systemd.unit-dropin.leftfield-update.service", waits)
        words += ["-smbios", f"type=11,value=io.systemd.stub.kernel-cmdline-extra={SLOW}"]
        self.console.write_bytes(b"")
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True)

    def kill(self) -> None:
        """Pull the plug."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    @property
    def running(self) -> bool:
        """Whether the power is on."""
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """What is on the console, without its colours."""
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return re.sub(r"\x1b\[[0-9;?=!]*[a-zA-Z]", "", text).replace("\r", "")

    def last(self, key: str) -> str:
        """The newest value that the report has for ``key``; empty before there is one."""
        reports = re.findall(r"LF (up=.*)", self.said())
        found = re.findall(rf"(?:^|\s){key}=('[^']*'|\S*)", reports[-1]) if reports else []
        return found[-1].strip("'") if found else ""

    def doing(self) -> str:
        """What there is of an update on the state partition just now: file sizes by name."""
        found = re.findall(r"LF-DO (.*)", self.said())
        return found[-1].strip() if found else ""

    def until(self, met: Callable[[], object], what: str, patience: float = 900) -> float:
        """Wait until ``met``; how many seconds that took."""
        begun = told = time.monotonic()
        while not met():
            spent = time.monotonic() - begun
            if time.monotonic() - told > TOLD_SECONDS:
                told = time.monotonic()
                where = " ".join(f"{key}={self.last(key)}" for key in ("up", "version", "sense", "relay"))
                print(f"  {spent:4.0f} s  {what}: {where}", flush=True)
            assert self.running, f"{what}: the machine is off\n{self.said()[-3000:]}"
            assert spent < patience, f"{what} did not come about in {patience:g} s\n{self.said()[-3000:]}"
            time.sleep(0.5)
        return time.monotonic() - begun


def _credential(name: str, content: str) -> list[str]:
    return ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={_spelled(content)}"]


def _spelled(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")

"""Two machines that boot: a Debian tree each, a network namespace each, systemd as their first process (nspawn)."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
INCLUDED: Final = (
    "systemd,systemd-sysv,dbus,iproute2,procps,ca-certificates,python3,libstdc++6,adduser,openssl,"
    "mosquitto,chrony,hostname,util-linux"
)
SUITE: Final = os.environ.get("LEFTFIELD_SUITE", "bookworm")
"""Debian's release in the machines; the packages are built for it."""
PATIENCE: Final = 60.0
_LANDLOCK: Final = "landlock_create_ruleset landlock_add_rule landlock_restrict_self"


def run(*words: str | Path, check: bool = True, stdin: str | None = None) -> str:
    """The output of a program of this machine; an assertion with all it said where it fails."""
    done = subprocess.run(
        [str(word) for word in words], input=stdin, capture_output=True, text=True, check=False,
        stdin=None if stdin is not None else subprocess.DEVNULL,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def until(met: Callable[[], object], what: str, patience: float = PATIENCE) -> float:
    """Wait until ``met``; how many seconds that took."""
    begun = time.monotonic()
    while not met():
        assert time.monotonic() - begun < patience, f"{what} did not come about in {patience:g} s"
        time.sleep(0.1)
    return time.monotonic() - begun


def base_tree(cache: Path) -> Path:
    """A small Debian tree, made once and kept in the cache directory."""
    tree = cache / "boot" / f"{SUITE}-{hashlib.sha256(INCLUDED.encode()).hexdigest()[:8]}"
    if not (tree / "etc/debian_version").exists():
        shutil.rmtree(tree, ignore_errors=True)
        partial = tree.with_name(f"{tree.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        without = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale")]
        run(
            "mmdebstrap", "--variant=minbase", "--format=directory", f"--include={INCLUDED}", *without,
            SUITE, partial,
        )  # fmt: skip
        partial.rename(tree)
    return tree


def packages(cache: Path, version: str) -> dict[str, Path]:
    """The packages of this checkout, built once for each state of it; of the version that is asked for."""
    state = hashlib.sha256(version.encode() + (SUITE.encode() if SUITE != "bookworm" else b""))
    for folder in ("appliance", "systemd", "provisioning", "models_tflite", "requirements"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                state.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    out = cache / "boot" / f"debs-{state.hexdigest()[:12]}"
    if not (out / "done").exists():
        for old in (cache / "boot").glob("debs-*"):
            if time.time() - old.stat().st_mtime > 86_400:
                shutil.rmtree(old, ignore_errors=True)
        for role in ("hub", "unit") if version.endswith(".0") else ("hub",):
            words = ["--role", role, "--out", str(out), "--fast", "--version", version, "--suite", SUITE]
            run(sys.executable, ROOT / "provisioning/deb/build.py", *words)
        (out / "done").touch()
    return {path.name.split("_")[0].removeprefix("leftfield-"): path for path in out.glob("*.deb")}


class Network:
    """A cable between two namespaces of their own: 192.168.4.1 is the hub, 192.168.4.2 the unit."""

    def __init__(self, tag: str) -> None:
        self.names = {"hub": f"lf{tag}h", "unit": f"lf{tag}u"}
        for name in self.names.values():
            run("ip", "netns", "delete", name, check=False)
            run("ip", "netns", "add", name)
        hub, unit = self.names["hub"], self.names["unit"]
        run("ip", "link", "add", "lf0", "netns", hub, "type", "veth", "peer", "name", "lf0", "netns", unit)
        for name, address in ((hub, "192.168.4.1/24"), (unit, "192.168.4.2/24")):
            run("ip", "-n", name, "address", "add", address, "dev", "lf0")
            for link in ("lo", "lf0"):
                run("ip", "-n", name, "link", "set", link, "up")

    def close(self) -> None:
        """Remove both namespaces."""
        for name in self.names.values():
            run("ip", "netns", "delete", name, check=False)


class Machine:
    """A tree that is booted by systemd-nspawn; its first process is a real systemd."""

    def __init__(
        self, name: str, tree: Path, base: Path, namespace: str, hostname: str, *, keep: bool = False
    ) -> None:
        self.name, self.tree, self.namespace = name, tree, namespace
        self._process: subprocess.Popen[bytes] | None = None
        self.leader = 0
        if keep:
            return
        shutil.rmtree(tree, ignore_errors=True)
        tree.parent.mkdir(parents=True, exist_ok=True)
        run("cp", "-a", "--reflink=auto", base, tree)
        (tree / "etc/hostname").write_text(f"{hostname}\n")
        (tree / "etc/machine-id").write_text("")
        hosts = "127.0.0.1 localhost\n192.168.4.1 corner.local\n192.168.4.2 corner-north.local\n"
        (tree / "etc/hosts").write_text(hosts)

    def boot(self) -> float:
        """Start it; seconds until systemd says that it runs."""
        begun = time.monotonic()
        command = [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={self.tree}",
            f"--machine={self.namespace}", f"--network-namespace-path=/run/netns/{self.namespace}",
            "--capability=CAP_NET_ADMIN", f"--system-call-filter={_LANDLOCK}", "--resolv-conf=off",
            "--console=pipe", "--boot",
        ]  # fmt: skip
        console = (self.tree.parent / f"{self.name}.console").open("wb")
        join = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
        self._process = subprocess.Popen(
            ["sh", "-c", join, "sh", *map(str, self._groups()), "--", *command],
            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        until(self._found, f"{self.name}: a first process")
        until(lambda: self.shell("systemctl is-system-running", check=False).strip() in {"running", "degraded"},
              f"{self.name} running")  # fmt: skip
        return time.monotonic() - begun

    def _groups(self) -> list[Path]:
        """A control group of its own, or two machines fight over one /system.slice."""
        found = []
        for hierarchy in ("systemd", "unified"):
            group = Path("/sys/fs/cgroup") / hierarchy / self.namespace
            if group.parent.is_dir():
                group.mkdir(exist_ok=True)
                found.append(group)
        return found

    def _found(self) -> bool:
        assert self._process
        assert self._process.poll() is None, (self.tree.parent / f"{self.name}.console").read_text(
            errors="replace"
        )
        children = run("pgrep", "-P", str(self._process.pid), check=False).split()
        self.leader = int(children[0]) if children else 0
        return bool(children)

    def shell(self, command: str, *, check: bool = True, stdin: str | None = None) -> str:
        """What a shell command in the machine prints."""
        return run("nsenter", "-t", str(self.leader), "-a", "sh", "-c", command, check=check, stdin=stdin)

    def show(self, unit: str, key: str) -> str:
        """A property of a service, as systemd there has it."""
        return self.shell(f"systemctl show {unit} --property {key} --value").strip()

    def install(self, package: Path) -> str:
        """Install a package as a user would, with nothing to fetch from."""
        shutil.copy(package, self.tree / "root" / package.name)
        return self.shell(f"cd /root && apt-get install --yes ./{package.name} 2>&1")

    def stop(self) -> None:
        """Switch it off."""
        if self._process and self._process.poll() is None:
            os.kill(self.leader, signal.SIGRTMIN + 14)  # immediate power-off (systemd(1), signals)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

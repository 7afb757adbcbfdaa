"""Builds the Debian packages: python provisioning/deb/build.py --role hub --out dist.

One package holds everything but Debian's own parts: below /usr/lib/leftfield lie the program and its locked Python
packages, checked by hash. Nothing is fetched when it is installed. Two builds of one commit are the same bytes.

exit codes: 0 built; 1 a step failed, the message says which.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))
PYTHONS: Final = {"bookworm": "3.11", "trixie": "3.13"}
RELEASES: Final = {"bookworm": "deb12", "trixie": "deb13"}
MAINTAINER: Final = "The Leftfield authors <leftfield@example.org>"
PLATFORMS: Final = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBC: Final = (28, 27, 26, 24, 17)
"""Manylinux levels that both suites have, newest first (bookworm has glibc 2.36)."""
NOT_AT_RUN_TIME: Final = frozenset(
    {"hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers"}
)
NOT_ON_A_HUB: Final = frozenset(
    {"av", "opencv-python-headless", "ai-edge-litert", "backports-strenum", "flatbuffers", "protobuf", "tqdm"}
)
UNITS: Final = {
    "hub": (
        "leftfield-watch.service",
        "leftfield-pages.service",
        "leftfield-desk.service",
        "leftfield-offer.service",
        "leftfield-metrics.service",
        "leftfield-limits.service",
        "leftfield-reload.path",
        "leftfield-reload.service",
        "leftfield-certificate.path",
        "leftfield-certificate.service",
        "leftfield-renew.service",
        "leftfield-renew.timer",
    ),
    "unit": (
        "leftfield-epoch.service",
        "leftfield-sense.service",
        "leftfield-card.service",
        "leftfield-aim.service",
        "leftfield-setup.path",
        "leftfield-setup.service",
        "leftfield-relay.service",
        "leftfield-pipe.socket",
        "leftfield-pair.service",
    ),
}
DEPENDS: Final = {
    "hub": "mosquitto (>= 2.0.11), chrony, openssl, libstdc++6",
    "unit": "libstdc++6",
}
RECOMMENDS: Final = {"hub": "Recommends: nftables\n", "unit": "Recommends: libnss-mdns\n"}
"""Without nftables one address may have all of a hub's connections. A unit that can look up `.local` finds its hub
under another address too."""
ABOUT: Final = {
    "hub": "Leftfield hub: admits signed observations, knows what is usual, raises alerts",
    "unit": "Leftfield camera unit: reads what passers-by wear, keeps no picture",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is built: for whom, for which suite and processor, and the commit's time (unix seconds)."""

    role: str
    suite: str
    arch: str
    version: str
    epoch: int

    @property
    def name(self) -> str:
        """The package's name."""
        return f"leftfield-{self.role}"

    @property
    def full_version(self) -> str:
        """The version with `+deb12` and so on, which tells the suites apart."""
        return f"{self.version}+{RELEASES[self.suite]}"

    @property
    def file(self) -> str:
        """The package file's name."""
        return f"{self.name}_{self.full_version}_{self.arch}.deb"


def locked(lock: str, *, role: str) -> str:
    r"""The blocks of a lock file that a role needs at run time, hashes and all.

    >>> locked("av==1\n  --hash=sha256:0\nnumpy==2\n  --hash=sha256:1\n", role="hub")
    'numpy==2\n  --hash=sha256:1\n'
    """
    dropped = NOT_AT_RUN_TIME | (NOT_ON_A_HUB if role == "hub" else frozenset())
    blocks = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return "".join(block for block in blocks if block[:1].isalnum() and _name(block) not in dropped)


def _name(block: str) -> str:
    return re.split(r"[=<>! ;\[]", block, maxsplit=1)[0].lower()


def _run(*words: str | Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, env=env, cwd=ROOT
    )
    if done.returncode:
        print(f"deb  stopped  {words[0]} failed:\n{done.stderr or done.stdout}", file=sys.stderr)
        raise SystemExit(1)
    return done.stdout


def _say(text: str) -> None:
    print(f"deb  {text}", file=sys.stderr, flush=True)


def bundle(build: Build, into: Path) -> None:
    """Put the program and its locked packages below `into`."""
    python = PYTHONS[build.suite]
    tags = [f"manylinux_2_{level}_{PLATFORMS[build.arch]}" for level in GLIBC]
    tags += [f"manylinux2014_{PLATFORMS[build.arch]}"]
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(
            locked((ROOT / "requirements" / "runtime.lock").read_text("utf-8"), role=build.role)
        )
        words = [
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-compile",
        ]
        words += ["--root-user-action=ignore", "--target", str(into)]
        fixed = ["--python-version", python, "--implementation", "cp", "--only-binary=:all:"]
        for tag in tags:
            fixed += ["--platform", tag]
        for abi in (f"cp{python.replace('.', '')}", "abi3", "none"):
            fixed += ["--abi", abi]
        _run(sys.executable, "-m", "pip", *words, *fixed, "--require-hashes", "-r", wanted)
        wheels = Path(folder) / "wheels"
        own = [
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--wheel-dir",
            str(wheels),
        ]
        env = os.environ | {"SOURCE_DATE_EPOCH": str(build.epoch)}
        _run(sys.executable, "-m", "pip", *own, ROOT, env=env)
        (wheel,) = wheels.glob("*.whl")
        _run(sys.executable, "-m", "zipfile", "-e", wheel, into)
    if build.role == "hub":  # what a hub never runs: eyes and the demo
        for room in ("_models", "unit", "demo"):
            shutil.rmtree(into / "appliance" / room)
    shutil.rmtree(
        into / "ai_edge_litert" / "vendors", ignore_errors=True
    )  # compilers for other makers' phones
    shutil.rmtree(into / "appliance" / "_systemd", ignore_errors=True)
    shutil.rmtree(into / "bin", ignore_errors=True)
    for left in [*into.rglob("__pycache__"), *into.rglob("tests")]:
        shutil.rmtree(left, ignore_errors=True)
    for library in into.rglob("*.so*"):
        library.chmod(0o644)
    for record in into.glob(
        "*.dist-info/RECORD"
    ):  # names files that are not here, and differs from build to build
        record.unlink()


def _put(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def stage(build: Build, tree: Path) -> None:
    """Lay out the package's files in `tree`."""
    bundle(build, tree / "usr/lib/leftfield")
    _put(HERE / "leftfield", tree / "usr/bin/leftfield", 0o755)
    units = ROOT / "systemd"
    for unit in UNITS[build.role]:
        _put(units / unit, tree / "usr/lib/systemd/system" / unit)
    _put(units / "sysusers.d/leftfield.conf", tree / "usr/lib/sysusers.d/leftfield.conf")
    _put(units / "tmpfiles.d/leftfield.conf", tree / "usr/lib/tmpfiles.d/leftfield.conf")
    _put(units / "journald.conf.d/leftfield.conf", tree / "usr/lib/systemd/journald.conf.d/leftfield.conf")
    if build.role == "unit":
        _put(units / "udev/70-leftfield.rules", tree / "usr/lib/udev/rules.d/70-leftfield.rules")
    if build.role == "hub":
        drop_in = "mosquitto.service.d/leftfield.conf"
        _put(units / drop_in, tree / "usr/lib/systemd/system" / drop_in)
        _put(HERE / "hub.first-start", tree / "usr/lib/leftfield-first-start", 0o755)
        _put(HERE / "chrony.conf", tree / "etc/chrony/conf.d/leftfield.conf")
    document = tree / "usr/share/doc" / build.name
    document.mkdir(parents=True)
    shutil.copyfile(HERE / "copyright", document / "copyright")
    _zip(document / "CHANGELOG.md.gz", (ROOT / "CHANGELOG.md").read_bytes())
    when = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(build.epoch))
    entry = f"{build.name} ({build.full_version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n"
    _zip(document / "changelog.gz", f"{entry} -- {MAINTAINER}  {when}\n".encode())
    manual = tree / "usr/share/man/man1/leftfield.1.gz"
    manual.parent.mkdir(parents=True)
    _zip(manual, _run(sys.executable, "-m", "appliance.cli", "manual").encode())
    completion = tree / "usr/share/bash-completion/completions/leftfield"
    completion.parent.mkdir(parents=True)
    completion.write_text(_run(sys.executable, "-m", "appliance.cli", "completion", "bash"))
    _put(HERE / "lintian-overrides", tree / f"usr/share/lintian/overrides/{build.name}")
    text = (tree / f"usr/share/lintian/overrides/{build.name}").read_text()
    (tree / f"usr/share/lintian/overrides/{build.name}").write_text(text.replace("@NAME@", build.name))
    control(build, tree)


def _zip(target: Path, content: bytes) -> None:
    target.write_bytes(gzip.compress(content, 9, mtime=0))


def control(build: Build, tree: Path) -> None:
    """Write the control files and maintainer scripts."""
    debian = tree / "DEBIAN"
    debian.mkdir()
    files = [path for path in tree.rglob("*") if path.is_file()]
    low, high = PYTHONS[build.suite], f"3.{int(PYTHONS[build.suite].split('.')[1]) + 1}"
    other = "unit" if build.role == "hub" else "hub"
    (debian / "control").write_text(
        f"Package: {build.name}\nVersion: {build.full_version}\n"
        f"Architecture: {build.arch}\nMaintainer: {MAINTAINER}\n"
        f"Installed-Size: {sum(path.stat().st_size for path in files) // 1024}\n"
        f"Depends: python3 (>= {low}), python3 (<< {high}), systemd (>= 252), libc6 (>= 2.31), "
        f"{DEPENDS[build.role]}\n"
        f"{RECOMMENDS[build.role]}"
        f"Conflicts: leftfield-{other}\nSection: net\nPriority: optional\n"
        f"Description: {ABOUT[build.role]}\n"
        " Nothing is fetched when it is installed.\n"
        " Keys and counts stay when it is removed, and go when it is purged.\n"
    )
    for script in ("postinst", "prerm", "postrm"):
        _put(HERE / f"{build.role}.{script}", debian / script, 0o755)
    if build.role == "hub":
        (debian / "conffiles").write_text("/etc/chrony/conf.d/leftfield.conf\n")


def pack(build: Build, tree: Path, out: Path, *, fast: bool = False) -> Path:
    """Pack `tree`, all files as old as the commit; the package's path. `fast`: larger, and sooner."""
    for path in (tree, *tree.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (build.epoch, build.epoch), follow_symlinks=False)
    out.mkdir(parents=True, exist_ok=True)
    env = os.environ | {"SOURCE_DATE_EPOCH": str(build.epoch)}
    _run(
        "dpkg-deb",
        "--root-owner-group",
        *(("-Zgzip", "-z1") if fast else ("-Zxz",)),
        "--build",
        tree,
        out / build.file,
        env=env,
    )
    return out / build.file


def main() -> int:
    """Build one package."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--role", choices=sorted(UNITS), required=True, help="what the machine will be")
    asked.add_argument("--suite", choices=sorted(PYTHONS), default="bookworm", help="(default: %(default)s)")
    asked.add_argument("--arch", choices=sorted(PLATFORMS), default="amd64", help="(default: %(default)s)")
    asked.add_argument("--out", type=Path, default=ROOT / "dist", help="folder (default: %(default)s)")
    asked.add_argument("--fast", action="store_true", help="pack sooner and larger, for tests")
    asked.add_argument("--version", help="(default: the package's own)")
    given = asked.parse_args()
    from appliance import __version__  # noqa: PLC0415 - the path is set above

    build = Build(
        role=given.role,
        suite=given.suite,
        arch=given.arch,
        version=given.version or __version__,
        epoch=int(os.environ.get("SOURCE_DATE_EPOCH") or _run("git", "log", "-1", "--format=%ct").strip()),
    )
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="leftfield-deb-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        _say(f"{build.file}: collecting the program and its locked packages")
        stage(build, tree)
        _say("packing")
        made = pack(build, tree, given.out, fast=given.fast)
    _say(f"{made} ({made.stat().st_size / 1e6:.1f} MB, {time.monotonic() - begun:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

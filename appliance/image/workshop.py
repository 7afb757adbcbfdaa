"""Workshop: a small Debian tree with the tools that build images, the same ones everywhere.

Invariants:
    * The machine's own tools are asked for nothing but a tree (mmdebstrap), a mount namespace, and root.
    * The tree is made whole or not at all, and is found again by the list of what is in it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit

SUITE: Final = "trixie"
MIRROR: Final = "http://deb.debian.org/debian"
INCLUDED: Final = (
    "mkosi", "systemd-repart", "systemd-container", "systemd-boot", "systemd-boot-efi", "systemd-ukify", "kmod",
    "cpio", "squashfs-tools", "dosfstools", "mtools", "cryptsetup-bin", "e2fsprogs", "zstd", "xz-utils", "util-linux",
    "apt", "ca-certificates", "debian-archive-keyring", "reprepro",
)  # fmt: skip
_NEEDED: Final = ("mmdebstrap", "unshare", "pivot_root", "mount")
_ENTER: Final = """
t=$1; work=$2; kept=$3; shift 3
mount --make-rprivate /; mount --bind "$t" "$t"; mkdir -p "$t/workshop" "$t/kept" "$t/.old" "$kept"
mount --bind "$work" "$t/workshop"; mount --bind "$kept" "$t/kept"
mount --rbind /dev "$t/dev"; mount -t proc proc "$t/proc"; mount --rbind /sys "$t/sys"
cp -L /etc/resolv.conf "$t/etc/resolv.conf" 2>/dev/null || true
cd "$t"; pivot_root . .old; umount -l /.old; cd /workshop
exec "$@"
"""
"""mkosi's sandbox wants / to be a real mount, so that a chroot is not enough."""
_KEPT: Final = ("http_proxy", "https_proxy", "no_proxy", "SOURCE_DATE_EPOCH")


def require_tools() -> None:
    """Unfit unless this machine can build images: root, and the programs that make a tree."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    lacking = [name for name in _NEEDED if not shutil.which(name, path=path)]
    if lacking:
        raise Unfit(
            f"lacking here: {', '.join(lacking)}",
            where="image",
            fix="apt-get install mmdebstrap util-linux mount",
        )
    if os.geteuid() != 0:
        raise Unfit("building an image needs root (mounts of its own)", where="image", fix="run it with sudo")


def tree(cache: Path, mirror: str, say: Callable[[str], None]) -> Path:
    """The tree in ``cache``, made where it is not there yet. Unfit where that fails."""
    name = hashlib.sha256(",".join((SUITE, *INCLUDED)).encode()).hexdigest()[:8]
    whole = cache / f"workshop-{name}"
    if (whole / "usr/bin/mkosi").exists():
        return whole
    say(f"making the workshop, once: Debian {SUITE} with mkosi")
    partial = whole.with_name(f"{whole.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    cache.mkdir(parents=True, exist_ok=True)
    without = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "locale")]
    done = subprocess.run(
        ["mmdebstrap", "--variant=apt", "--format=directory", f"--include={','.join(INCLUDED)}", *without,
         SUITE, str(partial), mirror],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        fix = "check the network, and --mirror"
        raise Unfit(f"mmdebstrap failed: {_last(done.stderr)}", where="image", fix=fix)
    partial.rename(whole)
    return whole


def run(where: Path, work: Path, words: list[str], heard: Callable[[str], None]) -> None:
    """Run ``words`` with ``where`` as the root and ``work`` at /workshop; each line it says goes to ``heard``.

    Packages that were fetched are kept beside ``work``, at /kept. Unfit if it fails.
    """
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"} | kept
    said: list[str] = []
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-ec", _ENTER, "sh", str(where.resolve()), str(work.resolve()),
         str(work.resolve().parent / "debian"), *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        env=environment,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            said.append(line.rstrip())
            heard(line.rstrip())
    if process.returncode:
        raise Unfit(
            f"{words[0]} failed: {_last(chr(10).join(said))}",
            where="image",
            fix=f"all that it said is in {work / 'log.txt'}; --debug keeps the work folder",
        )


def _last(text: str) -> str:
    """The lines that say what went wrong, or the last ones."""
    lines = [line for line in text.splitlines() if line.strip()]
    wrong = [line for line in lines if "rror" in line or line.startswith("E:")]
    return " | ".join((wrong or lines)[-3:]) or "it said nothing"

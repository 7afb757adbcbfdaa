"""The one system step: programs that only `make test` needs and that want root to install.

Invariants: says what and why before it does anything; silent when everything is there; never asks a question in CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from setup.apt import require_debian
from setup.voice import SetupError, say, succeeds, tail

_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A reason, the programs that satisfy it (one of each row), and the packages that bring them."""

    why: str
    programs: tuple[tuple[str, ...], ...]
    choices: tuple[tuple[str, ...], ...]


NEEDS = (
    Need(
        why="the browser tests drive a real Chromium",
        programs=(("chromium", "chromium-browser", "google-chrome"), ("chromedriver",)),
        choices=(("chromium", "chromium-driver"), ("chromium-browser", "chromium-chromedriver")),
    ),
    Need(
        # the kernel's headers come along: a test compares SENSE's system call numbers with them where they are
        why="systemd-analyze checks the hardened units offline; kernel headers check the call filter",
        programs=(("systemd-analyze",),),
        choices=(("systemd", "linux-libc-dev"),),
    ),
)


BOOT = Need(
    why="hub and unit are booted from their packages under a real systemd",
    programs=(
        ("systemd-nspawn",),
        ("mmdebstrap",),
        ("ip",),
        ("dpkg-deb",),
        ("nft",),
        ("mke2fs",),
        ("losetup",),
    ),
    choices=(("systemd-container", "mmdebstrap", "iproute2", "dpkg", "nftables", "e2fsprogs", "mount"),),
)
"""Needed where root can be had, and only there: who has no root boots nothing, loads no rules, writes no card."""


def lacking(needs: tuple[Need, ...] | None = None) -> tuple[Need, ...]:
    """Return the needs (those of this user, if none are given) of which a program is missing on this machine."""
    if needs is None:
        needs = (*NEEDS, BOOT) if os.geteuid() == 0 else NEEDS
    return tuple(need for need in needs if not all(_has_one(names) for names in need.programs))


def _has_one(names: tuple[str, ...]) -> bool:
    return any(shutil.which(name, path=_PATH) for name in names)


def ready() -> bool:
    """Tell whether every program is there."""
    return not lacking()


def provide() -> None:
    """Install what lacks with apt-get, as root or through sudo; else raise SetupError with the exact command."""
    require_debian()
    needs = lacking()
    prefix = _rights()
    # As root the lists can be refreshed first; a machine whose lists were cleared knows no package at all.
    if prefix is not None:
        say("system", "SYSTEM STEP: this needs root and changes the machine, once, with apt-get:")
        for need in needs:
            say("system", f"  {' + '.join(need.choices[0])}: {need.why}")
        _apt([*prefix, "apt-get", "--quiet", "--quiet", "update"])
    wanted = [name for need in needs for name in _choice(need)]
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
    if prefix is None:
        reasons = "\n".join(f"      {need.why}" for need in needs)
        raise SetupError(
            f"`make test` needs programs that only root can install:\n{reasons}\n"
            f"    Run this once, then `make test` again:\n      sudo apt-get update && sudo {' '.join(command)}"
        )
    say("system", f"{' '.join([*prefix, *command])}")
    _apt([*prefix, *command])
    still = lacking()
    if still:
        missing = ", ".join(
            " or ".join(names) for need in still for names in need.programs if not _has_one(names)
        )
        raise SetupError(f"apt-get is done, yet {missing} cannot be found: install it by hand")
    say("system", "done")


def _rights() -> list[str] | None:
    """Return the words before a command that needs root; None where root cannot be had (nobody to ask)."""
    if os.geteuid() == 0:
        return []
    somebody_to_ask = sys.stdin.isatty() and not os.environ.get("CI")
    if shutil.which("sudo") and (somebody_to_ask or succeeds(["sudo", "-n", "true"])):
        return ["sudo"]
    return None


def _choice(need: Need) -> tuple[str, ...]:
    """Return the first set of packages this machine's apt knows (the first of all when it knows none)."""
    for names in need.choices:
        if all(succeeds(["apt-cache", "show", "--quiet", name]) for name in names):
            return names
    return need.choices[0]


def _apt(argv: list[str]) -> None:
    # sudo drops the environment, hence `env`
    start = argv.index("apt-get")
    done = subprocess.run(
        [*argv[:start], "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *argv[start:]],
        stdin=None if argv[0] == "sudo" else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(f"`{' '.join(argv)}` failed:\n{tail(done.stdout)}")

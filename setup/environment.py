"""The virtual environment: locked dependencies by hash, and this checkout in it.

Invariants: no compiler, no build isolation, no HOME; a machine without ensurepip borrows pip's wheel from Debian's
package `python3-pip-whl`; a stamp holds the digest of what was installed, so that nothing is done twice and
nothing stale is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from setup.apt import fetch, unpack
from setup.voice import SetupError, capture, say, succeeds, tail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from setup.places import Places

KINDS = ("runtime", "dev")
_STAMP = "leftfield-installed.json"


def pins(lock: str) -> frozenset[str]:
    """Return the `name==version` of a lock file's lines."""
    return frozenset(line.split()[0] for line in lock.splitlines() if line[:1].isalnum())


def digest(*files: Path) -> str:
    """Return the SHA-256 of the files' contents and of the interpreter's version, as hexadecimal digits."""
    state = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for file in files:
        state.update(hashlib.sha256(file.read_bytes()).digest())
    return state.hexdigest()


def lock_of(where: Places, kind: str) -> Path:
    """Return the lock file of a kind (`runtime` or `dev`). Raises SetupError when the checkout lacks it."""
    lock = where.checkout / "requirements" / f"{kind}.lock"
    if not lock.is_file():
        raise SetupError(
            f"{lock} is missing: this checkout is not complete (ask `git status`), or run `make lock`"
        )
    return lock


def ready(where: Places, kind: str) -> bool:
    """Tell whether this kind's lock and this checkout's pyproject are what is installed."""
    stamp = read_stamp(where.venv / _STAMP)
    return (
        stamp.get(kind) == digest(lock_of(where, kind))
        and stamp.get("project") == digest(where.checkout / "pyproject.toml")
        and where.python.exists()
    )


def read_stamp(file: Path) -> dict[str, str]:
    """Return what a stamp says was installed; nothing when there is none or it cannot be read."""
    try:
        untrusted_stamp = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in untrusted_stamp.items()} if isinstance(untrusted_stamp, dict) else {}


def provide(where: Places, kind: str) -> None:
    """Make the environment hold this kind's lock and this checkout. Raises SetupError."""
    lock = lock_of(where, kind)
    pip = _pip(where)
    stamp = read_stamp(where.venv / _STAMP)
    if stamp.get(kind) != digest(lock):
        held = pins(lock.read_text(encoding="utf-8"))
        say("python", f"installing {len(held)} locked packages into {where.venv} (checked by hash)")
        _install(where, pip, ["--require-hashes", "--only-binary=:all:", "-r", str(lock)])
        for other in KINDS:  # the tests' lock holds the demo's, and then neither undoes the other
            if pins(lock_of(where, other).read_text(encoding="utf-8")) <= held:
                stamp[other] = digest(lock_of(where, other))
            else:
                stamp.pop(other, None)
        _write_stamp(where, stamp)
    say("python", "installing this checkout")
    _install(where, pip, ["--no-deps", "--no-build-isolation", "--no-index", "-e", str(where.checkout)])
    stamp["project"] = digest(where.checkout / "pyproject.toml")
    _write_stamp(where, stamp)


def _write_stamp(where: Places, stamp: dict[str, str]) -> None:
    (where.venv / _STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def _pip(where: Places) -> tuple[str, ...]:
    """Return the words that start pip for the environment, made first if it is missing or broken."""
    python = str(where.python)
    new_enough = "import sys; sys.exit(sys.version_info < (3, 11))"
    if where.venv.exists() and not succeeds([python, "-c", new_enough]):
        if not (where.venv / "pyvenv.cfg").exists():
            raise SetupError(f"{where.venv} is no virtual environment: move it away, or pass VENV=another")
        say("python", f"{where.venv} no longer works (its Python is gone or older): making it anew")
        shutil.rmtree(where.venv)
    if not where.venv.exists():
        bundled = succeeds([sys.executable, "-c", "import ensurepip, venv"])
        say("python", f"making {where.venv} with Python {sys.version.split()[0]}")
        capture([sys.executable, "-m", "venv", *([] if bundled else ["--without-pip"]), str(where.venv)])
    if succeeds([python, "-m", "pip", "--version"]):
        return (python, "-m", "pip")
    return (python, f"{_borrowed_pip(where)}/pip")


def _borrowed_pip(where: Places) -> Path:
    """Return pip's wheel out of the Debian package; a wheel is a zip file that Python runs as it is."""
    root = where.cache / "pip-whl"
    if not any(root.rglob("pip-*.whl")):
        say("python", "no ensurepip on this machine: borrowing pip from Debian's package (no root)")
        unpack(fetch("python3-pip-whl", cache=where.cache, step="python", libraries=False), root)
    wheels = sorted(root.rglob("pip-*.whl"))
    if not wheels:
        raise SetupError(
            f"Debian's package python3-pip-whl holds no pip wheel ({root}): install python3-venv"
        )
    return wheels[-1]


def _install(where: Places, pip: Sequence[str], what: Sequence[str]) -> None:
    """Run one `pip install`, a line per larger download; the whole log stays in the cache directory."""
    where.cache.mkdir(parents=True, exist_ok=True)
    log = where.cache / "pip.log"
    env = {**os.environ, "PIP_CACHE_DIR": str(where.cache / "pip"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    env["PIP_ROOT_USER_ACTION"] = "ignore"
    argv = [*pip, "install", "--no-input", "--progress-bar=off", *what]
    lines: list[str] = []
    with (
        log.open("w", encoding="utf-8") as kept,
        subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as running,
    ):
        assert running.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in running.stdout:
            kept.write(line)
            lines.append(line)
            download = notable_download(line)
            if download:
                say("python", f"  {download}")
    if running.returncode != 0:
        said = "".join(line for line in lines if "Expected     or" not in line)
        raise SetupError(f"pip could not install ({log} has all of it):\n{tail(said)}{fix(said)}")


def notable_download(line: str) -> str:
    """Return the name and size of a download of a megabyte or more that pip announces, else nothing.

    >>> notable_download("  Downloading av-18.1.0-cp311-abi3-manylinux_2_28_x86_64.whl (35.8 MB)")
    'av 18.1.0 (35.8 MB)'
    """
    match = re.fullmatch(r"\s*Downloading ([^-\s]+)-([^-\s]+)\S* (\([\d.]+ [MG]B\))\s*", line)
    return f"{match[1]} {match[2]} {match[3]}" if match else ""


def fix(said: str) -> str:
    """Return the advice that fits what pip said, empty when none is known."""
    if "do not match the hashes" in said.lower():
        return "\n    A download is not what the lock file says it is: do not use it; try another network or mirror."
    if re.search(r"connection|name resolution|timed out|network is unreachable", said, re.IGNORECASE):
        return "\n    Is this machine online?"
    if re.search(r"no matching distribution", said, re.IGNORECASE):
        return "\n    No wheel of that version for this machine: a 64-bit system with Python 3.11 to 3.13 is needed."
    return ""

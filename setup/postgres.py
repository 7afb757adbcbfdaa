"""A real PostgreSQL server for the tests, without root: the machine's own, or one unpacked in the cache directory.

Invariants: whatever is chosen has made a database cluster once before it is called ready; nothing is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from setup.apt import fetch, unpack
from setup.voice import SetupError, say, tail

if TYPE_CHECKING:
    from setup.places import Places

_PACKAGES = ("postgresql-15", "postgresql-17", "postgresql-16", "postgresql-14")
"""Debian 12 and 13, Ubuntu 24.04 and 22.04."""
_PROGRAMS = ("initdb", "postgres")


def ready(where: Places) -> bool:
    """Tell whether both programs can be started."""
    return all((where.postgres / name).exists() for name in _PROGRAMS)


def provide(where: Places) -> None:
    """Write launchers of a server that has been seen to work. Raises SetupError."""
    own = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    for place in reversed(own):
        _write(where, place, "")
        if _trial(where) is None:
            say("postgres", f"{place} of this machine")
            return
    root = where.cache / "postgresql"
    debs = _fetched(where)
    unpack(debs, root)
    for folder in {deb.parent for deb in debs}:
        shutil.rmtree(folder)
    places = sorted(root.glob("usr/lib/postgresql/*/bin"))
    libraries = ":".join(
        f"$root/{folder.relative_to(root)}"
        for folder in sorted({library.parent for library in root.rglob("lib*.so*")})
        if "postgresql" not in folder.parts
    )
    _write(where, places[-1], libraries)
    complaint = _trial(where)
    if complaint is not None:
        shutil.rmtree(where.postgres)
        raise SetupError(
            f"the unpacked PostgreSQL does not run:\n{tail(complaint)}\n"
            "    Install postgresql by hand (sudo apt-get install postgresql), then try again."
        )
    say("postgres", f"started once, kept in {root}")


def _fetched(where: Places) -> tuple[Path, ...]:
    for package in _PACKAGES:
        try:
            return fetch(package, cache=where.cache, step="postgres", libraries=True)
        except SetupError as error:
            last = error
    raise last


def _write(where: Places, place: Path, libraries: str) -> None:
    where.postgres.mkdir(parents=True, exist_ok=True)
    inside = where.cache in place.parents
    program = f"$root/{place.relative_to(where.cache / 'postgresql')}" if inside else str(place)
    for name in _PROGRAMS:
        launcher = where.postgres / name
        launcher.write_text(
            "#!/bin/sh\n# Starts PostgreSQL's own program, with the libraries unpacked beside it.\n"
            'root=$(dirname "$(readlink -f "$0")")/../../postgresql\n'
            + (f'LD_LIBRARY_PATH="{libraries}" ' if libraries else "")
            + f'exec "{program}/{name}" "$@"\n',
            encoding="utf-8",
        )
        launcher.chmod(0o755)


def _trial(where: Places) -> str | None:
    """Make a cluster once; None when that works, else what was said."""
    ordinary = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="leftfield-") as folder:
        done = subprocess.run(
            [*ordinary, str(where.postgres / "initdb"), "-D", f"{folder}/data", "--no-sync", "--auth=trust"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        )
    return done.stdout if done.returncode else None

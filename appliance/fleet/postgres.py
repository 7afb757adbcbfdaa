"""A PostgreSQL server of our own, for a fleet on one machine and for tests; a real fleet has one already.

Invariants:
    * It listens on a socket file in its own directory, which is its owner's alone, and on no network.
    * It runs as whoever starts it; as root, which PostgreSQL refuses, as an ordinary account of a user namespace.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from appliance.base.errors import Unfit

VARIABLE: Final = "LEFTFIELD_POSTGRES"
"""Names the directory of PostgreSQL's programs."""
_DEBIAN: Final = Path("/usr/lib/postgresql")
_OWN: Final = 0o700
_USER: Final = "fleet"
_SOCKET_MOST: Final = 100
"""A path of a socket file has 107 bytes at most (unix(7)), of which the server's own name takes some."""


def programs() -> Path:
    """The directory of ``initdb`` and ``postgres``. Unfit where there is none."""
    named = os.environ.get(VARIABLE, "")
    found = [Path(named)] if named else []
    found += sorted(_DEBIAN.glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("postgres")
    found += [Path(on_path).parent] if on_path else []
    for place in found:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise Unfit(
        "no PostgreSQL server was found",
        where=named or "PATH",
        fix="apt-get install postgresql, or give --database the address of a server",
    )


def _version(place: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", place.parent.name))


def _ordinary() -> list[str]:
    """Words before a command that must not be root's."""
    return ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


def environment() -> dict[str, str]:
    """What the server and its tools are started with: no setting of the caller's, no locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def prepare(directory: Path) -> None:
    """Make an empty database cluster in ``directory`` where there is none. Unfit where that fails."""
    data = directory / "data"
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    # Whoever reaches the socket is the database's owner, and may run programs as it: nobody else comes near.
    directory.chmod(_OWN)
    command = [*_ordinary(), str(programs() / "initdb"), "--pgdata", str(data), "--username", _USER]
    command += ["--auth=trust", "--encoding=UTF8", "--no-locale"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment()
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unfit(
            f"cannot make a database: {''.join(last)}", where=str(data), fix="check the disk and its rights"
        )


def command(directory: Path) -> list[str]:
    """The command line of the server over ``directory``. Unfit where a socket cannot lie there."""
    if len(str(directory)) > _SOCKET_MOST - len("/.s.PGSQL.5432"):
        raise Unfit(
            "the path is too long for a socket", where=str(directory), fix="choose a shorter --directory"
        )
    options = {"listen_addresses": "", "unix_socket_directories": str(directory)}
    options |= {"unix_socket_permissions": "0700", "max_connections": "64"}
    words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
    return [*_ordinary(), str(programs() / "postgres"), "-D", str(directory / "data"), *words]


def url(directory: Path) -> str:
    """The address of the server over ``directory``, as libpq takes it."""
    return f"host='{directory}' user={_USER} dbname=postgres"

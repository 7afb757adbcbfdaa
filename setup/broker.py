"""The real broker, without root: the machine's own mosquitto, or one unpacked in the cache directory.

Invariants: whatever is chosen has been started once with a WebSocket listener before it is called ready; one
launcher script at one place starts it, so that nothing else needs to know where it came from.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from setup.apt import fetch, unpack
from setup.voice import SetupError, say, tail

if TYPE_CHECKING:
    from setup.places import Places

_OLDEST = (2, 0)
_SYSTEM_PLACES = "/usr/sbin:/usr/local/sbin:/sbin"
_TRIAL_SECONDS = 15.0


def ready(where: Places) -> bool:
    """Tell whether the launcher exists and what it starts is still there."""
    target = launched(where.launcher)
    return target is not None and target.exists()


def provide(where: Places) -> None:
    """Write the launcher of a broker that has been seen to run. Raises SetupError."""
    own = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PLACES}")
    if own is not None and (version(own) or (0,)) >= _OLDEST:
        _write(where.launcher, launcher_of_system(own))
        if trial(where.launcher) is None:
            say("broker", f"{own} of this machine")
            return
        say("broker", f"{own} of this machine has no working WebSockets; taking Debian's own")
    debs = fetch("mosquitto", cache=where.cache, step="broker", libraries=True)
    unpack(debs, where.cache / "broker")
    _write(where.launcher, launcher_of_unpacked(where.cache / "broker"))
    complaint = trial(where.launcher)
    if complaint is not None:
        where.launcher.unlink()
        raise SetupError(
            f"the unpacked broker does not run:\n{tail(complaint)}\n"
            "    Install mosquitto 2.0 or newer by hand, then try again."
        )
    shutil.rmtree(debs[0].parent)
    say(
        "broker",
        f"mosquitto {dotted(version(str(where.launcher)))} started once, kept in {where.cache / 'broker'}",
    )


def version(program: str) -> tuple[int, ...] | None:
    """Return the version a mosquitto reports, None when it reports none."""
    try:
        shown = subprocess.run(
            [program, "-h"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return None
    return reported_version(shown.stdout + shown.stderr)


def dotted(numbers: tuple[int, ...] | None) -> str:
    """Return a version for people."""
    return ".".join(map(str, numbers or ())) or "(version unknown)"


def reported_version(text: str) -> tuple[int, ...] | None:
    """Return the version in a mosquitto's help.

    >>> reported_version("mosquitto version 2.0.11")
    (2, 0, 11)
    """
    match = re.search(r"mosquitto version (\d+(?:\.\d+)+)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else None


def launcher_of_system(program: str) -> str:
    """Return the launcher of an installed broker."""
    return f'#!/bin/sh\n# Starts the broker installed on this machine.\nexec "{program}" "$@"\n'


def launcher_of_unpacked(root: Path) -> str:
    """Return the launcher of a broker unpacked at `root`, with every directory there that holds libraries."""
    folders = sorted({library.parent for library in root.rglob("lib*.so*")})
    path = ":".join(f"$root/{folder.relative_to(root)}" for folder in folders)
    return (
        "#!/bin/sh\n"
        "# Starts the broker unpacked in the cache directory, with the libraries unpacked beside it.\n"
        f'root=$(dirname "$(readlink -f "$0")")/../{root.name}\n'
        f'LD_LIBRARY_PATH="{path}" exec "$root/usr/sbin/mosquitto" "$@"\n'
    )


def launched(launcher: Path) -> Path | None:
    """Return the program a launcher starts, None when there is no launcher."""
    try:
        text = launcher.read_text(encoding="utf-8")
    except OSError:
        return None
    match = re.search(r'exec "([^"]+)"', text)
    if match is None:
        return None
    return Path(match[1].replace("$root", str(launcher.parent.parent / "broker")))


def trial(launcher: Path) -> str | None:
    """Start the broker with a TCP and a WebSocket listener; None when both answer, else what it said."""
    with tempfile.TemporaryDirectory(prefix="leftfield-") as folder:
        ports = _free_ports(2)
        settings = Path(folder) / "mosquitto.conf"
        # mosquitto as root gives up its rights to an account that this machine need not have, hence `user`.
        settings.write_text(
            f"user {getpass.getuser()}\nallow_anonymous true\n"
            f"listener {ports[0]} 127.0.0.1\nlistener {ports[1]} 127.0.0.1\nprotocol websockets\n",
            encoding="utf-8",
        )
        said = Path(folder) / "said"
        with (
            said.open("w", encoding="utf-8") as log,
            subprocess.Popen(
                [str(launcher), "-c", str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as broker,
        ):
            answers = _answer(ports, broker)
            broker.kill()  # it keeps no state, and some versions miss a SIGTERM that comes early
        return None if answers else said.read_text(encoding="utf-8", errors="replace")


def _answer(ports: tuple[int, ...], broker: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _TRIAL_SECONDS
    while broker.poll() is None and time.monotonic() < deadline:
        if all(_answers(port) for port in ports):
            return True
        time.sleep(0.05)
    return False


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _free_ports(count: int) -> tuple[int, ...]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = tuple(int(one.getsockname()[1]) for one in sockets)
    for one in sockets:
        one.close()
    return ports


def _write(launcher: Path, text: str) -> None:
    launcher.parent.mkdir(parents=True, exist_ok=True)
    partial = launcher.with_name(launcher.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.chmod(0o755)
    partial.rename(launcher)

"""The broker's own store: tried before each start, and set aside where the broker could not start with it.

Invariants:
    * The broker itself judges: a copy of the store is loaded by the same program, on a socket of its own.
    * A store that loads is left as it is. One that does not is renamed, with one line that says so: what it held of
      observations, units send again, and what it held of alerts, the hub says again.
    * At most one damaged store is kept to look at, for a week: it may hold what somebody wore.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.base.errors import Unavailable
from appliance.enrol.broker import own_account

DATABASE: Final = "mosquitto.db"
DAMAGED: Final = "damaged.db"
DAMAGED_SECONDS: Final = 7 * 86_400.0
TRIAL_SECONDS: Final = 45.0
"""A store that takes longer to load is large, and not damaged."""
_TRIAL: Final = "trial"
_SOCKET: Final = "socket"
_SETTINGS: Final = """persistence true
persistence_location ./
listener 0 ./{socket}
allow_anonymous false
user {user}
log_dest stderr
"""


def mend(store: Path, program: Path) -> str:
    """Set the store in the directory ``store`` aside where ``program`` (mosquitto) cannot load it.

    What was done, as one line for the journal; empty where all is well. Unavailable where the disk refuses.
    """
    database, damaged = store / DATABASE, store / DAMAGED
    try:
        if damaged.exists() and time.time() - damaged.stat().st_mtime > DAMAGED_SECONDS:
            damaged.unlink()
        if not database.exists() or _loads(database, program):
            return ""
        database.rename(damaged)
        os.utime(damaged)
    except OSError as error:
        raise Unavailable(
            f"the broker's store cannot be tried: {error.strerror}",
            where=str(store),
            fix="free space on its disk",
        ) from None
    return f"broker: its store {database} is damaged; set aside as {DAMAGED}, the booth goes on without it"


def _loads(database: Path, program: Path) -> bool:
    trial = database.parent / _TRIAL
    shutil.rmtree(trial, ignore_errors=True)
    trial.mkdir(mode=0o700)
    try:
        shutil.copyfile(database, trial / DATABASE)
        (trial / "trial.conf").write_text(_SETTINGS.format(socket=_SOCKET, user=own_account()), "ascii")
        environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
        broker = subprocess.Popen(
            [program, "-c", "trial.conf"], cwd=trial, stderr=subprocess.DEVNULL, env=environment
        )
        try:
            return _listens(broker, trial / _SOCKET)
        finally:
            with suppress(ProcessLookupError):
                broker.kill()  # so that it writes nothing
            broker.wait()
    finally:
        shutil.rmtree(trial, ignore_errors=True)


def _listens(broker: subprocess.Popen[bytes], socket: Path) -> bool:
    """Whether the broker listens, which it does when it has loaded its store, and not before."""
    deadline = time.monotonic() + TRIAL_SECONDS
    while time.monotonic() < deadline:
        if broker.poll() is not None:
            return False
        if socket.exists():
            return True
        time.sleep(0.02)
    return True

"""A second process that has come as far as asking for a lock: what it does under it can be told from before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_TELL = """
import fcntl, sys
from pathlib import Path
real = fcntl.flock
def asked(descriptor, how):
    print("asking", flush=True)
    fcntl.flock = real
    real(descriptor, how)
fcntl.flock = asked
"""


def asking_process(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    """Start Python with ``code``, and give it when it is about to ask for its first lock.

    AssertionError where it ends, or says something, without one.
    """
    root = Path(__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _TELL + code, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"asking\n"
    return process

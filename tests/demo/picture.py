"""A picture of the demo's terminal, as a person sees it: run in a pseudo-terminal, its last frame drawn as SVG.

python -m tests.demo.picture docs/pictures/terminal.svg
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.demo.running import street_video

COLUMNS, ROWS, SECONDS = 110, 30, 40.0


def last_frame() -> str:
    """The demo's last whole frame after ``SECONDS``, with its colours."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        words = [sys.executable, "-m", "appliance.cli", "demo", "--source", str(street_video())]
        os.execv(sys.executable, [*words, "--host", sys.argv[2]])  # noqa: S606 - no shell is wanted
    seen, until = b"", time.monotonic() + SECONDS
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 1 << 16)
    os.kill(child, signal.SIGINT)
    while True:
        try:
            if not os.read(terminal, 1 << 16):
                break
        except OSError:  # the child has ended
            break
    os.waitpid(child, 0)
    return seen.decode("utf-8", "replace").split("\x1b[H")[-2]


def main() -> None:
    """Write the picture to the path given."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="256")
    console.print(Text.from_ansi(last_frame().replace("\x1b[K", "").replace("\r", "")))
    svg = console.export_svg(title="make demo")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture fetches nothing from anywhere
    Path(sys.argv[1]).write_text(svg, "utf-8")


if __name__ == "__main__":
    main()

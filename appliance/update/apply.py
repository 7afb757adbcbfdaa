"""Apply: check a bundle, and put its parts where the running system is not.

Invariants:
    * The rules are asked before a byte of a part is read, and every part is checked before any is put in place.
    * What is put in place comes from the copy that was checked, not from the bundle.
    * What starts the machine puts them there (``starter``): a power cut at any instant leaves one that starts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from appliance.base.errors import Unfit
from appliance.settings.this_image import ThisImage
from appliance.update import bundle, machine
from appliance.update.release import Release, judge
from appliance.update.starter import Starter, SystemdBoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where an update works: its state, and what starts this machine's two systems."""

    state: Path = machine.STATE
    boot_id: Path = machine.BOOT_ID
    starter: Starter = field(default_factory=SystemdBoot)

    @property
    def parts(self) -> Path:
        """Where parts wait, by the names that ``sysupdate.d`` of the image looks for."""
        return self.state / "parts"


def check(path: Path, public_key: bytes, heard: Callable[[int], None]) -> Release:
    """The release in a bundle whose parts are all as they were signed. Refused, or Unfit where it cannot be read."""
    with _opened(path) as source:
        head = bundle.read_head(source, public_key)
        bundle.check_parts(source, head.release, heard)
    return head.release


def apply(path: Path, image: ThisImage, places: Places, heard: Callable[[int], None]) -> Release:
    """Put the bundle at ``path`` into the other place; it runs after the next start. Refused, or Unfit."""
    if image.release_key is None:
        raise Unfit("this image takes no updates", where="update", fix="build the image with --release-key")
    shutil.rmtree(places.parts, ignore_errors=True)
    try:
        with _opened(path) as source:
            release = bundle.read_head(source, image.release_key).release
            judge(release, machine.machine(image, places.state, places.boot_id), now(image))
            kept = bundle.keep_parts(source, release, places.parts, heard)
        machine.believe(release, places.state)
        places.starter.put(release, kept)
        machine.begin_trial(release, places.state, places.boot_id)
    finally:
        shutil.rmtree(places.parts, ignore_errors=True)
    return release


def now(image: ThisImage) -> float:
    """The time (unix seconds); a machine without a clock knows that it is later than its image was made."""
    return max(time.time(), float(image.made))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Unfit(
            f"cannot read it: {error.strerror}", where=str(path), fix="name an update bundle"
        ) from None

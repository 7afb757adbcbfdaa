"""The box that whatever looks through the camera sits in: its plan, its two stages, its report. One for all who see.

Invariants:
    * SENSE and the reader of the colour card sit in the same box; which walls are a must, the configuration says.
    * ``stand`` comes before any library that sees pixels is imported, ``seal`` before the first frame is looked at.
"""

from __future__ import annotations

import os

from appliance.base.systemd import log
from appliance.settings.config import UnitConfig
from appliance.unit.sandbox.plan import EVERY_WALL, REQUIRED, SealPlan, SealReport
from appliance.unit.sandbox.stages import Enclosure, enclose, seal_or_refuse


def device_paths(config: UnitConfig, *, accelerator: bool) -> tuple[str, ...]:
    """The device nodes this configuration needs, with an ``accelerator`` or without; all else stays out of reach."""
    source = config.camera.source
    devices: tuple[str, ...] = ()
    if source == "picamera2":
        devices = ("/dev/video0", "/dev/media0", "/dev/dma_heap", "/dev/v4l-subdev0")
    elif source.isdecimal():
        devices = (f"/dev/video{source}",)
    elif source.startswith("/dev/"):
        devices = (source,)
    return (
        devices
        if config.accelerator == "cpu" or not accelerator
        else (*devices, "/dev/bus/usb", "/dev/apex_0")
    )


def plan_for(
    config: UnitConfig, *, outlet: int, record: int, buttons: int | None = None, accelerator: bool = True
) -> SealPlan:
    """The plan of a process that sees: one pipe (``outlet``) for writes of at most ``record`` bytes.

    ``buttons`` is the pipe to the process that speaks for it (``guard``).
    """
    return SealPlan(
        outlet=outlet,
        outlet_limit=record,
        buttons=buttons,
        device_paths=device_paths(config, accelerator=accelerator),
        required=EVERY_WALL if config.walls == "every" else REQUIRED,
    )


def stand(plan: SealPlan) -> Enclosure:
    """Build the first stage, with one thread and nothing loaded. Unfit as ``sandbox.enclose``."""
    quiet_libraries()
    return enclose(plan)


def quiet_libraries() -> None:
    """One thread each: the other core is somebody else's, and idle workers only cost."""
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="2")


def seal(plan: SealPlan, enclosure: Enclosure, who: str) -> None:
    """Put up the last walls, try every way out, and log each wall as ``who``'s. Unfit where one lets through."""

    def tell(report: SealReport) -> None:
        for line in report.lines():
            log(f"{who}: wall {line}")
        missing = [state.wall.value for state in report.walls if not state.stands]
        if missing:
            log(f"{who}: sealed without {', '.join(missing)}; all required walls are up", level=4)
        else:
            log(f"{who}: sealed; every wall is up")

    seal_or_refuse(plan, enclosure, tell=tell)

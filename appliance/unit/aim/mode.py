"""SENSE while it is aimed: the same box, the same pipe, the same key; stick figures instead of observations.

May touch: what SENSE may (``unit/sense.py``).

Invariants:
    * A mode is chosen before the walls stand and never changed: this one has neither the networks that read clothes
      nor a way to say an observation (``AimWriter``), and SENSE has no way to say a figure.
    * A unit that is locked is not aimed: that is asked first, before camera, model or pipe is touched.
    * It ends by itself after its minutes, at most ``MOST_MINUTES``; every heartbeat says that the unit is aimed.
    * A frame lives in the round of the loop it came in.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.base.errors import Unavailable, Unfit
from appliance.base.systemd import credential, log, stop_requested
from appliance.protocol.aim import MOST_MINUTES
from appliance.protocol.health import Accelerator, Health, UnitState
from appliance.protocol.setup_order import Zone
from appliance.settings.config import UnitConfig, refuse_network_source, unit_config
from appliance.settings.epoch import epoch_in
from appliance.unit.clocks import Pace, phenomenon_time
from appliance.unit.guard import BACKOFF, guarded
from appliance.unit.inputs import colour_matrix, lock, zones
from appliance.unit.pipe.aim_writer import AimWriter
from appliance.unit.pipe.record import RECORD_BYTES
from appliance.unit.pipe.writer import PipeWriter, open_pipe
from appliance.unit.sandbox import box
from appliance.unit.sandbox.stages import NOT_ENCLOSED
from appliance.unit.sense import kind_of, patiently, reported, sealer_of
from appliance.unit.voice import FAULT, Button, OpenVoice, Voice

if TYPE_CHECKING:  # these see pixels; at run time they are imported inside the enclosure
    from appliance.unit.vision.aiming import Aiming
    from appliance.unit.vision.camera.frame_source import Source
    from appliance.unit.vision.types import Frame

MINUTES: Final = 10
_CREDENTIAL: Final = "minutes"


def minutes_asked() -> int:
    """How long the order says, as systemd hands it in; ``MINUTES`` where nobody says. Unfit for nonsense."""
    try:
        text = credential(_CREDENTIAL).strip()
    except Unfit:
        return MINUTES
    if not text.isdigit() or not 1 <= int(text) <= MOST_MINUTES:
        raise Unfit(f"{text[:8]!r} are no minutes from 1 to {MOST_MINUTES}", where="credential minutes")
    return int(text)


def main(config_path: Path, *, minutes: int, unboxed: bool, source: str | None = None) -> int:
    """Aim for ``minutes``, until SIGTERM or the end of a recording: 0. The other exit codes are SENSE's."""
    stop = stop_requested()

    def inside(voice: Voice) -> int:
        return reported(lambda: _run(config_path, minutes, source, stop, voice, boxed=not unboxed))

    if not unboxed:
        return guarded(inside, stop)
    code = inside(OpenVoice())
    if code == FAULT:
        stop.wait(BACKOFF)
    return code


def _run(
    config_path: Path, minutes: int, source: str | None, stop: threading.Event, voice: Voice, *, boxed: bool
) -> int:
    lock.refuse_where_locked(config_path, "it is not aimed")
    config = unit_config(config_path)
    if source is not None:
        refuse_network_source(source, "source")
        config = replace(config, camera=replace(config.camera, source=source))
    if not boxed and config.walls == "every":
        fix = 'drop --unboxed, or write walls = "required" under [sense]'
        raise Unfit('walls = "every" and --unboxed contradict each other', where=str(config_path), fix=fix)
    sealer, epoch = sealer_of(config, config_path), epoch_in(credential("epoch"))
    matrix, _ = colour_matrix.taken(config)
    left_out, said = zones.taken(config)
    log(f"aim: {said}")
    pipe = patiently(lambda: open_pipe(config.pipe), stop)
    if pipe is None:
        return 0
    plan = box.plan_for(config, outlet=pipe, record=RECORD_BYTES, buttons=voice.buttons)
    if not boxed:
        box.quiet_libraries()
    enclosure = box.stand(plan) if boxed else NOT_ENCLOSED
    now = time.monotonic()

    def write(record: bytes) -> int:
        return os.write(pipe, record)

    writer = PipeWriter(sealer=sealer, unit=config.unit, epoch=epoch, write=write, now=now)
    aimed = _Aimed(config, AimWriter(writer, write, now), voice, stop, boxed=boxed)
    opened = aimed.open(left_out, card=matrix is not None)
    if opened is None:
        return 0
    voice.notify(f"STATUS=being aimed for {minutes} min, no observations")
    if boxed:
        box.seal(plan, enclosure, "aim")
    else:
        log("aim: sandbox disabled (--unboxed): development only", level=4)
    voice.press(Button.SEALED)
    return aimed.look(*opened, until=time.monotonic() + 60 * minutes)


class _Aimed:
    """The unit while it is aimed: one source, one pair of eyes, one outlet."""

    def __init__(
        self, config: UnitConfig, outlet: AimWriter, voice: Voice, stop: threading.Event, *, boxed: bool
    ) -> None:
        self._config = config
        self._outlet = outlet
        self._voice = voice
        self._stop = stop
        self._boxed = boxed
        self._accelerator = Accelerator.CPU
        self._card = False
        self._pace = Pace(since=time.monotonic())
        self._fps = 0
        self._said: UnitState | None = None

    def open(self, left_out: tuple[Zone, ...], *, card: bool) -> tuple[Source, Aiming] | None:
        """Models and camera, tried until they are there; None where stopped before."""
        from appliance.unit.vision import aiming  # noqa: PLC0415 - only inside the enclosure
        from appliance.unit.vision.camera import frame_source, read_ahead  # noqa: PLC0415
        from appliance.unit.vision.camera import scene as _  # noqa: PLC0415, F401 - used behind the last filter

        self._card = card
        seeing = patiently(lambda: aiming.load(self._config, left_out, card=card), self._stop, self._waiting)
        if seeing is None:
            return None
        eyes, chosen = seeing
        if chosen.place == "edge-tpu":
            self._accelerator = Accelerator.EDGE_TPU
        elif chosen.degraded:
            self._accelerator = Accelerator.CPU_FALLBACK
        eyes.warm_up()
        source = patiently(
            lambda: read_ahead.ReadAhead(frame_source.open_source(self._config.camera, wait=self._stop.wait)),
            self._stop,
            self._waiting,
        )
        return None if source is None else (source, eyes)

    def _waiting(self, lacking: Unavailable) -> None:
        self._voice.notify("READY=1", f"STATUS=waiting: {lacking.where}: {lacking.what}")
        self._keep_alive(UnitState.BLIND)

    def look(self, source: Source, eyes: Aiming, *, until: float) -> int:
        """Every frame until the time is up, the source ends or somebody says stop; 0."""
        from appliance.unit.vision.camera.scene import Scene  # noqa: PLC0415 - imported already

        scene = Scene()
        self._pace = Pace(since=time.monotonic())
        try:
            for frame in self._frames(source, until):
                state = scene.look(frame.pixels, frame.at)
                self._outlet.say(eyes.see(frame, state, self._fps), time.monotonic())
                self._pace.frames += 1
                self._keep_alive(UnitState.AIMING)
        finally:
            source.close()
        self._outlet.flush()
        self._voice.press(Button.ENDED)
        return 0

    def _frames(self, source: Source, until: float) -> Iterator[Frame]:
        try:
            for frame in source.frames():
                if self._stop.is_set() or time.monotonic() >= until:
                    return
                yield frame
        except Unavailable:
            self._keep_alive(UnitState.BLIND)
            self._voice.press(Button.CAMERA_LOST)
            raise

    def _keep_alive(self, state: UnitState) -> None:
        """A heartbeat and a watchdog ping where a slot begins, and at once where the state is another.

        RELAY lets no figure through before SENSE has said that the unit is aimed.
        """
        now = time.monotonic()
        if state is self._said and not self._outlet.new_slot(now):
            self._outlet.flush()
            return
        self._said = state
        self._fps = self._pace.rate(now)
        health = Health(
            state=state,
            source=kind_of(self._config.camera),
            accelerator=self._accelerator,
            boxed=self._boxed,
            fps=self._fps,
            card=self._card,
        )
        self._outlet.beat(now, health, phenomenon_time(now))
        self._voice.press(Button.ALIVE)

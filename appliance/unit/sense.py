"""Process SENSE: sees, and says what it saw in the closed vocabulary, sealed, through one one-way pipe.

May touch: the camera, the accelerator, the model files, its signing key and epoch (handed in as credentials), the
hub's prior and the camera's matrix (once, at its start), the write end of one pipe, a pipe of buttons. May not:
any other socket, any writable file, swap, a core dump.

Invariants:
    * First enclosed, then everything is imported and opened, the camera too, then sealed; no frame is looked at
      before the seal stands.
    * Seal or refuse: a required wall that does not stand ends the process (``[sense] walls`` says which are), and one
      that is merely missing is said. ``unboxed`` is for developers and is said in every heartbeat.
    * Nothing flows in while it sees: the hub's prior (``shelf``) and the camera's matrix (``matrix``) are read and
      checked before the enclosure stands, and never again.
    * A frame lives in the round of the loop it came in.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from appliance.base.errors import LeftfieldError, Unavailable, Unfit
from appliance.base.systemd import credential, kept_marks, log, stop_requested
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.sign import Sealer, public_key_of
from appliance.protocol.values import colourless
from appliance.settings.config import CameraConfig, UnitConfig, refuse_network_source, unit_config
from appliance.settings.epoch import epoch_in
from appliance.unit.clocks import Pace, phenomenon_time
from appliance.unit.comeback import comeback_in
from appliance.unit.guard import BACKOFF, guarded
from appliance.unit.inputs import colour_matrix, lock, prior_file, zones
from appliance.unit.inputs.start_inputs import StartInputs
from appliance.unit.pipe.record import RECORD_BYTES
from appliance.unit.pipe.writer import PipeWriter, open_pipe
from appliance.unit.sandbox import box
from appliance.unit.sandbox.plan import SealPlan
from appliance.unit.sandbox.stages import NOT_ENCLOSED, Enclosure
from appliance.unit.voice import FAULT, Button, OpenVoice, Voice

if TYPE_CHECKING:  # these see pixels; at run time they are imported inside the enclosure
    from appliance.unit.vision.camera.frame_source import Source
    from appliance.unit.vision.models.runtime import Accelerator as Chosen
    from appliance.unit.vision.pipeline import DescribedPerson, Pipeline
    from appliance.unit.vision.types import Frame

Opened = TypeVar("Opened")

_RETRY: Final = 2.0
_PARTING: Final = 2.0
"""Seconds the last records may take to leave."""


def main(config_path: Path, *, unboxed: bool, source: str | None = None) -> int:
    """Run until SIGTERM, SIGINT or the end of a recording: 0. ``source`` replaces the configured one.

    78 where something is unfit (a wall does not stand, too); 75 where the camera or the pipe's reader went away; 70
    after a fault of the program and a wait (``guard.BACKOFF``): a fault at every start would else count an epoch,
    and write it to the disk, every few seconds.
    """
    stop = stop_requested()

    comeback = comeback_in(kept_marks())

    def inside(voice: Voice) -> int:
        return reported(
            lambda: _run(
                config_path, unboxed=unboxed, source=source, stop=stop, voice=voice, without=comeback.without
            )
        )

    if not unboxed:
        return guarded(inside, stop, comeback)
    code = inside(OpenVoice())
    if code == FAULT:
        stop.wait(BACKOFF)
    return code


def reported(run: Callable[[], int]) -> int:
    """What ``run`` gives, or the exit status of what ended it, which is told where it still can be."""
    try:
        return run()
    except LeftfieldError as error:
        log(f"sense: {error}", level=3)
        return error.exit_code
    except Exception as fault:  # noqa: BLE001 - the process's one broad except: its last line, then its end
        # Type and place only: what a fault says could hold what was seen.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        log(
            f"sense: fault of the program ({type(fault).__name__} at {Path(place.filename).name}:{place.lineno})",
            level=3,
        )
        return FAULT


def _run(
    config_path: Path,
    *,
    unboxed: bool,
    source: str | None,
    stop: threading.Event,
    voice: Voice,
    without: bool,
) -> int:
    """``without``: the accelerator hung, and this start does without it."""
    config = unit_config(config_path)
    if source is not None:
        refuse_network_source(source, "source")
        config = replace(config, camera=replace(config.camera, source=source))
    if unboxed and config.walls == "every":
        raise Unfit(
            'walls = "every" and --unboxed contradict each other',
            where=str(config_path),
            fix='drop --unboxed, or write walls = "required" under [sense]',
        )
    sealer = sealer_of(config, config_path)
    epoch = epoch_in(credential("epoch"))
    prior, said = prior_file.taken(config, time.time())
    log(f"sense: {said}")
    colours, said = colour_matrix.taken(config)
    log(f"sense: {said}")
    left_out, said = zones.taken(config)
    log(f"sense: {said}")
    given = StartInputs(prior, colours, left_out, lock.is_locked(config_path))
    pipe = patiently(lambda: open_pipe(config.pipe), stop)
    if pipe is None:
        return 0
    plan = box.plan_for(config, outlet=pipe, record=RECORD_BYTES, buttons=voice.buttons)
    if unboxed:
        box.quiet_libraries()
    enclosure = NOT_ENCLOSED if unboxed else box.stand(plan)
    outlet = PipeWriter(
        sealer=sealer,
        unit=config.unit,
        epoch=epoch,
        write=lambda record: os.write(pipe, record),
        now=time.monotonic(),
    )
    watch = _Watch(config, outlet, voice, stop, boxed=not unboxed, given=given, without=without)
    return watch.run(plan, enclosure)


def sealer_of(config: UnitConfig, config_path: Path) -> Sealer:
    """The sealer with this unit's key. Unfit where RELAY was told another public key: it would drop all."""
    private_key = credential("signing.key")
    sealer = Sealer(private_key=private_key, booth=config.booth)
    if config.public_key not in {None, public_key_of(private_key)}:
        raise Unfit(
            "relay.public_key is not the public half of this unit's signing key",
            where=str(config_path),
            fix="write the unit's settings again (leftfield enrol finish)",
        )
    return sealer


def patiently(
    attempt: Callable[[], Opened],
    stop: threading.Event,
    meanwhile: Callable[[Unavailable], None] = lambda _: None,
) -> Opened | None:
    """What ``attempt`` gives, tried again while it is Unavailable; None where stopped before."""
    said = ""
    while not stop.is_set():
        try:
            return attempt()
        except Unavailable as error:
            if error.what != said:
                log(f"sense: {error}", level=4)
                said = error.what
            meanwhile(error)
            stop.wait(_RETRY)
    return None


class _Watch:
    """The unit at work: one source, one pipeline, one outlet."""

    def __init__(
        self,
        config: UnitConfig,
        outlet: PipeWriter,
        voice: Voice,
        stop: threading.Event,
        *,
        boxed: bool,
        given: StartInputs,
        without: bool,
    ) -> None:
        self._without = without
        self._config = config
        self._given = given
        self._outlet = outlet
        self._voice = voice
        self._stop = stop
        self._boxed = boxed
        self._pace = Pace(since=time.monotonic())
        self._status = ""
        self._accelerator = Accelerator.CPU
        self._kind = SourceKind.CAMERA
        self._spare: Pipeline | None = None

    def run(self, plan: SealPlan, enclosure: Enclosure) -> int:
        """Open, seal, see; 0 at an orderly end."""
        from appliance.unit.vision import pipeline  # noqa: PLC0415 - only inside the enclosure
        from appliance.unit.vision.camera import frame_source as camera  # noqa: PLC0415 - only inside the enclosure
        from appliance.unit.vision.camera import read_ahead  # noqa: PLC0415 - only inside the enclosure
        from appliance.unit.vision.camera import scene as _  # noqa: PLC0415, F401 - used behind the last filter

        self._kind = kind_of(self._config.camera)
        seeing = patiently(
            lambda: pipeline.load(self._config, self._given, without=self._without), self._stop, self._waiting
        )
        if seeing is None:
            return 0
        eyes, chosen = seeing
        self._use(chosen)
        eyes.warm_up()
        if chosen.place == "edge-tpu":
            # Made now: behind the last filter no file can be opened and no thread started.
            self._spare = pipeline.pipeline_on(
                replace(chosen, place=type(chosen.place).CPU), self._config.models, self._given
            )
            self._spare.warm_up()
        source = patiently(
            lambda: read_ahead.ReadAhead(camera.open_source(self._config.camera, wait=self._stop.wait)),
            self._stop,
            self._waiting,
        )
        if source is None:
            return 0
        self._voice.notify(f"STATUS=watching {self._config.camera.source}")
        self._seal(plan, enclosure)
        self._voice.press(Button.SEALED)
        try:
            self._look(source, eyes, chosen)
        finally:
            source.close()
        self._part()
        return 0

    def _seal(self, plan: SealPlan, enclosure: Enclosure) -> None:
        """Put up the last walls, or say loudly that there are none."""
        if not self._boxed:
            log("sense: sandbox disabled (--unboxed): development only", level=4)
            return
        box.seal(plan, enclosure, "sense")

    def _look(self, source: Source, eyes: Pipeline, chosen: Chosen) -> None:
        """Every frame until the source ends or somebody says stop."""
        from appliance.unit.vision.camera.scene import Scene  # noqa: PLC0415 - imported already, inside the enclosure

        self._pace = Pace(since=time.monotonic())
        scene, state = Scene(), UnitState.WATCHING
        for frame in self._frames(source):
            state = scene.look(frame.pixels, frame.at, shaken=eyes.shaken)
            try:
                sightings = eyes.see(frame)
            except Unavailable as error:
                eyes, chosen = self._fallen_back(error, chosen)
                sightings = ()
            self._pace.frames += 1
            self._tell(sightings, state)
            self._keep_alive(state)
        self._tell(eyes.finish(), state)
        self._leave(UnitState.WATCHING, everything=True)
        self._log_counts(eyes)
        self._voice.press(Button.ENDED)

    def _tell(self, sightings: Iterable[DescribedPerson], state: UnitState) -> None:
        """Say who was seen; of a picture without colour no colour is said."""
        for sighting in sightings:
            vector = colourless(sighting.vector) if state is UnitState.COLOURLESS else sighting.vector
            self._outlet.observe(vector, phenomenon_time(sighting.at), due=sighting.due)

    def _frames(self, source: Source) -> Iterator[Frame]:
        """Frames until told to stop; a camera that goes away is said before it ends the process."""
        try:
            for frame in source.frames():
                if self._stop.is_set():
                    return
                yield frame
        except Unavailable:
            self._leave(UnitState.BLIND, everything=True)
            self._part()
            self._voice.press(Button.CAMERA_LOST)
            raise

    def _fallen_back(self, error: Unavailable, failed: Chosen) -> tuple[Pipeline, Chosen]:
        """The pipeline on the CPU after the accelerator stopped answering. Who was in view is counted anew."""
        from appliance.unit.vision import pipeline  # noqa: PLC0415 - imported already, inside the enclosure
        from appliance.unit.vision.models import runtime  # noqa: PLC0415 - imported already, inside the enclosure

        chosen = runtime.fall_back(failed, error)
        self._use(chosen)
        spare, self._spare = self._spare, None
        return spare or pipeline.pipeline_on(chosen, self._config.models, self._given), chosen

    def _use(self, chosen: Chosen) -> None:
        if chosen.place == "edge-tpu":
            self._accelerator = Accelerator.EDGE_TPU
            self._voice.press(Button.ACCELERATOR_USED)
        else:
            self._accelerator = Accelerator.CPU_FALLBACK if chosen.degraded else Accelerator.CPU
        if chosen.degraded:
            self._voice.press(Button.ACCELERATOR_LOST)
        log(f"sense: models run on {chosen.place} ({chosen.why})")

    def _keep_alive(self, state: UnitState = UnitState.WATCHING) -> None:
        """Where a slot of the grid begins, everything that is due, a heartbeat and a watchdog ping."""
        if self._outlet.new_slot(time.monotonic()):
            self._leave(state)
            self._voice.press(Button.ALIVE)
        elif self._outlet.waiting:
            self._outlet.flush()

    def _leave(self, state: UnitState, *, everything: bool = False) -> None:
        now = time.monotonic()
        health = Health(
            state=state,
            source=self._kind,
            accelerator=self._accelerator,
            boxed=self._boxed,
            fps=self._pace.rate(now),
            locked=self._given.locked,
            card=self._given.matrix is not None,
        )
        self._outlet.leave(now, health, phenomenon_time(now), everything=everything)

    def _waiting(self, lacking: Unavailable) -> None:
        """What we cannot see without is not there yet: blind, and ready all the same.

        Starting again would bring no camera and use up an epoch each time; whoever looks finds the reason in the
        service's status. What was opened so far stands behind the first walls, and no frame is looked at.
        """
        status = f"STATUS=waiting: {lacking.where}: {lacking.what}"
        if status != self._status:
            self._status = status
            self._voice.notify("READY=1", status)
        self._keep_alive(UnitState.BLIND)

    def _part(self) -> None:
        """Give the last records a moment to leave."""
        until = time.monotonic() + _PARTING
        while self._outlet.waiting and time.monotonic() < until:
            self._outlet.flush()
            time.sleep(0.02)  # the pipe's reader is another process

    def _log_counts(self, eyes: Pipeline) -> None:
        """One line of counts at the end."""
        tally, counts = self._outlet.tally, eyes.counts
        log(
            f"sense: ended; {eyes.cost.frames} frames, {tally.observations} observations, {counts.unread} people not "
            f"readable, {counts.still} things that never moved, {tally.dropped + tally.too_many} dropped"
        )


def kind_of(camera: CameraConfig) -> SourceKind:
    """Whether a configured source is a camera or a recording, known before it is opened."""
    live = camera.source == "picamera2" or camera.source.isdecimal() or camera.source.startswith("/dev/")
    return SourceKind.CAMERA if live else SourceKind.RECORDING

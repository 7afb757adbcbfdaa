"""A simulated unit without its network: it counts, stamps and seals as a real one does.

Invariants:
    * Its statements are real: its own key, its own epoch, one sequence for observations and heartbeats.
    * It says of itself that it is simulated, in every heartbeat; it has no frames and never claims a camera.
    * ``seen_at`` is an argument: nothing here looks at a clock.
"""

from __future__ import annotations

from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.protocol.sign import Sealer
from appliance.protocol.values import (
    TIME_STEP,
    AttributeVector,
    Epoch,
    Heartbeat,
    Observation,
    PhenomenonTime,
    Seconds,
    Seq,
    Statement,
    Steps,
    UnitId,
)


class SimulatedUnit:
    """One unit of a simulated street, booted at ``booted_at`` (seconds since the Unix epoch).

    ``synced`` is whether its clock is: without, it says no wall time. ``seq`` is the next number it will use.
    """

    def __init__(
        self, *, unit: UnitId, sealer: Sealer, epoch: Epoch, booted_at: Seconds, synced: bool = True
    ) -> None:
        self.unit = unit
        self.epoch = epoch
        self.seq = Seq(0)
        self.synced = synced
        self._sealer = sealer
        self._booted_at = booted_at

    def observation(self, vector: AttributeVector, seen_at: Seconds) -> Observation:
        """The next statement: somebody who wore ``vector`` passed at ``seen_at``."""
        return Observation(
            unit=self.unit, epoch=self.epoch, seq=self._next(), seen=self._time(seen_at), vector=vector
        )

    def heartbeat(self, at: Seconds) -> Heartbeat:
        """The next statement: all is well, and simulated.

        Without frames there is nothing to box; unboxed would mean a developer's run on real ones.
        """
        health = Health(
            state=UnitState.WATCHING,
            source=SourceKind.SIMULATED,
            accelerator=Accelerator.CPU,
            boxed=True,
            fps=0,
        )
        return Heartbeat(
            unit=self.unit, epoch=self.epoch, seq=self._next(), seen=self._time(at), health=health
        )

    def seal(self, statement: Statement) -> bytes:
        """The envelope that says ``statement``."""
        return self._sealer.seal(statement)

    def _next(self) -> Seq:
        seq = self.seq
        self.seq = Seq(seq + 1)
        return seq

    def _time(self, at: Seconds) -> PhenomenonTime:
        uptime = Steps(max(0, int((at - self._booted_at) // TIME_STEP)))
        return PhenomenonTime(uptime=uptime, wall=Steps(int(at // TIME_STEP)) if self.synced else None)

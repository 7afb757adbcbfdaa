"""The roster: every camera unit that is enrolled, and how it is now. Memory only.

Invariants:
    * Whether a unit is boxed is what its newest heartbeat said, however late that came; not heard yet is not boxed.
    * How it is (health) is told by its newest heartbeat; the board calls it silent where that is long ago.
    * Thinking only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from appliance.base.errors import Refused, Rule
from appliance.hub.admission.admission import Admission, Admitted
from appliance.hub.messages import IncomingMessage
from appliance.hub.staff import messages
from appliance.hub.staff.status import UnitRow
from appliance.protocol import topics
from appliance.protocol.health import Health, SourceKind
from appliance.protocol.values import BoothId, Heartbeat, Seconds, UnitId
from appliance.settings.config import Register


@dataclass(slots=True, kw_only=True)
class _Unit:
    """What is known of a unit now."""

    health: Health | None = None
    heard_at: Seconds | None = None
    online: bool = False
    spooled: int = 0
    dropped: int = 0
    boxed: bool | None = None
    disk_low: bool = False
    newest: tuple[int, int] = (0, 0)
    """Epoch and number of the heartbeat that said whether it is boxed, however late that came."""


class UnitStatuses:
    """The units of ``booth``; ``admission`` counts what each was admitted and refused."""

    def __init__(self, booth: BoothId, admission: Admission, register: Register) -> None:
        self._booth = booth
        self._admission = admission
        self._units: dict[str, _Unit] = {}
        self._tested: frozenset[str] = frozenset()
        self.enrol(register)

    def enrol(self, register: Register) -> None:
        """These units from now on, and no others."""
        self._enrolled = {unit.unit: unit for unit in register.units if not unit.revoked}
        self.revoked = tuple(unit.unit for unit in register.units if unit.revoked)

    def _unit(self, name: str) -> _Unit:
        return self._units.setdefault(name, _Unit())

    def relay_said(self, arrival: IncomingMessage) -> None:
        """A relay's own status: online or not. Refused: WRONG_TOPIC, MALFORMED."""
        name, _ = topics.named_in(arrival.untrusted_topic, self._booth, "unit")
        if name not in self._enrolled:
            raise Refused(Rule.WRONG_TOPIC, "no such unit is enrolled", where=name)
        said, unit = messages.relay_status_in(arrival.untrusted_payload, name), self._unit(name)
        unit.online, unit.spooled, unit.dropped = said.online, said.spooled, said.dropped
        unit.disk_low = said.disk_low

    def heard(self, heartbeat: Heartbeat, admitted: Admitted) -> None:
        """A unit said how it is."""
        unit = self._unit(heartbeat.unit)
        if (heartbeat.epoch, heartbeat.seq) >= unit.newest:
            unit.newest, unit.boxed = (heartbeat.epoch, heartbeat.seq), heartbeat.health.boxed
        if admitted.seen_at >= (unit.heard_at or 0.0):
            unit.health, unit.heard_at = heartbeat.health, admitted.seen_at

    def health(self, name: UnitId) -> Health | None:
        """What a unit's newest heartbeat said; None before the first."""
        return self._unit(name).health

    def epoch(self, name: UnitId) -> int:
        """The epoch of a unit's newest heartbeat; 0 before the first."""
        return self._unit(name).newest[0]

    def test(self, names: Collection[str]) -> None:
        """These units are being tested by somebody who walks past them: what they say counts for nothing."""
        self._tested = frozenset(names)

    def simulated(self, name: UnitId) -> bool:
        """Whether there is no camera behind a unit."""
        enrolled, health = self._enrolled.get(name), self._unit(name).health
        said = health is not None and health.source is SourceKind.SIMULATED
        return said or (enrolled is not None and enrolled.simulated)

    def strangers(self) -> Counter[int]:
        """Refusals by rule of senders that are no unit."""
        return Counter({int(rule): number for rule, number in self._admission.counts("").refused.items()})

    def row(self, name: UnitId) -> UnitRow:
        """One unit as the board shows it."""
        enrolled, unit = self._enrolled.get(name), self._unit(name)
        counts = self._admission.counts(name)
        return UnitRow(
            unit=name,
            place=enrolled.place if enrolled else name,
            enrolled_simulated=enrolled is not None and enrolled.simulated,
            online=unit.online,
            health=unit.health,
            boxed=unit.boxed,
            heard_at=unit.heard_at,
            admitted=counts.admitted,
            refused=sum(counts.refused.values()) - counts.repeated,
            repeated=counts.repeated,
            two_holders_at=self._admission.two_holders_at(name),
            disk_low=unit.disk_low,
            tested=name in self._tested,
            missing=self._admission.missing(name),
            spooled=unit.spooled,
            dropped=unit.dropped,
            rules=tuple(
                (int(rule), number)
                for rule, number in sorted(
                    (counts.refused - Counter({Rule.REPLAYED: counts.repeated})).items()
                )
            ),
            synced=self._admission.synced(name),
        )

    def rows(self) -> tuple[UnitRow, ...]:
        """Every unit that is enrolled, by name."""
        return tuple(self.row(name) for name in sorted(self._enrolled))

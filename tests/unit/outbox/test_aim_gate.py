"""RELAY's gate for stick figures: shut unless hub and SENSE both say that the unit is aimed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from appliance.protocol.aim import AIM_BYTES, RECORDS_PER_SECOND, AimFigure, spelled
from appliance.protocol.health import Accelerator, Health, SourceKind, UnitState
from appliance.unit.outbox.aim_gate import BURST, AimGate

AIMED = Health(
    state=UnitState.AIMING, source=SourceKind.CAMERA, accelerator=Accelerator.CPU, boxed=True, fps=10
)
CODE = spelled(AimFigure(tick=0, column=1, row=2, size=3, zoned=False, points=(None,) * 12))


def open_gate() -> AimGate:
    gate = AimGate(0.0)
    gate.ordered(5, 0.0)
    gate.heard(AIMED)
    return gate


def test_an_ordered_aim_passes() -> None:
    """While the hub has ordered it and SENSE says so, records pass as they are."""
    assert open_gate().let_through([CODE, CODE], 1.0) == (CODE, CODE)


def test_the_gate_is_shut_until_it_was_ordered() -> None:
    """A SENSE that says figures unasked says them to nobody."""
    gate = AimGate(0.0)
    gate.heard(AIMED)
    assert gate.let_through([CODE], 1.0) == ()
    assert gate.refused == 1


def test_the_gate_is_shut_while_sense_does_not_say_that_it_is_aimed() -> None:
    """Whoever sends figures must say so in signed heartbeats, which every screen shows; a locked unit sends none."""
    for health in (replace(AIMED, state=UnitState.WATCHING), replace(AIMED, locked=True)):
        gate = open_gate()
        gate.heard(health)
        assert gate.let_through([CODE], 1.0) == ()


def test_the_gate_shuts_by_itself() -> None:
    """After the ordered minutes, and a start's time, nothing passes; an order to watch shuts it at once."""
    assert open_gate().let_through([CODE], 5 * 60 + 119.0) == (CODE,)
    assert open_gate().let_through([CODE], 5 * 60 + 121.0) == ()
    gate = open_gate()
    gate.ordered(0, 2.0)
    assert gate.let_through([CODE], 2.1) == ()


def test_the_gate_has_a_rate() -> None:
    """Over a minute no more passes than the rate and one burst, whatever is tried."""
    gate = open_gate()
    passed = sum(len(gate.let_through([CODE] * 5, tick / 100)) for tick in range(6000))
    assert passed <= RECORDS_PER_SECOND * 60 + BURST
    assert passed > RECORDS_PER_SECOND * 59


@given(st.lists(st.binary(max_size=AIM_BYTES + 3), max_size=5))
def test_what_passes_is_written_anew(untrusted: list[bytes]) -> None:
    """Nothing passes but codes of records, each of its one length."""
    for code in open_gate().let_through(untrusted, 1.0):
        assert len(code) == AIM_BYTES

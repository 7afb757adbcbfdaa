"""What RELAY sends, keeps and forgets by the hub's receipts: a link that the test moves, a real spool."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from appliance.protocol import sign
from appliance.protocol.receipt import AdmissionReceipt, EpochReceipt
from appliance.protocol.values import (
    AttributeVector,
    BoothId,
    Epoch,
    Observation,
    PhenomenonTime,
    Seq,
    Steps,
    UnitId,
)
from appliance.protocol.wire import number_in
from appliance.unit.grid import GRID, LAG
from appliance.unit.outbox import publisher
from appliance.unit.outbox.publisher import Publisher
from appliance.unit.outbox.receipt_keeping import MOST_OFFERS, OUTSTANDING, STALLED_SECONDS
from appliance.unit.outbox.spool import Spool
from tests.unit.outbox.test_outbound import Radio

SEALER = sign.Sealer(private_key=bytes(range(32)), booth=BoothId("corner"))


def sealed(number: int) -> bytes:
    seen = PhenomenonTime(uptime=Steps(1), wall=None)
    vector = AttributeVector.of(top_colour="red")
    return SEALER.seal(
        Observation(unit=UnitId("north"), epoch=Epoch(1), seq=Seq(number), seen=seen, vector=vector)
    )


def receipt(end: int, *gaps: tuple[int, int], admitted: int = 0) -> AdmissionReceipt:
    return AdmissionReceipt(
        unit=UnitId("north"),
        key=bytes(8),
        admitted=admitted,
        floor=1,
        epochs=(EpochReceipt(epoch=1, end=end, gaps=gaps),),
    )


class Air(Radio):
    """A radio that writes down which numbers were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[int] = []

    def publish(self, topic: str, payload: bytes) -> int:
        self.numbers.append(number_in(payload)[1])
        return super().publish(topic, payload)


class Line:
    """A publisher with its spool, a link and a clock."""

    def __init__(self, directory: Path, clock: list[float]) -> None:
        self.air = Air()
        radio: Any = self.air
        self.spool = Spool(directory, limit=10_000)
        self.clock = clock
        self.out = Publisher(self.spool, radio, "somewhere", receipts=True)

    def take_in(self, *numbers: int) -> None:
        self.spool.append([sealed(number) for number in numbers])

    def sends(self, seconds: float = 0.0) -> list[int]:
        """The numbers that go out now, after ``seconds``."""
        self.clock[0] += seconds
        self.air.numbers.clear()
        while self.out.send():
            self.out.settle(wait=0.0)
        return list(self.air.numbers)

    def meet(self) -> None:
        """The link has just come about; the hub is there and has nothing yet."""
        self.out.send()
        self.out.heard(receipt(0), retained=True)
        self.out.hub_said(online=True)

    def kept(self) -> list[int]:
        return [number_in(one.envelope)[1] for one in self.spool.waiting(0, 10_000)]


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    clock = [1000.0]
    monkeypatch.setattr(publisher, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    return Line(tmp_path, clock)


def test_nothing_is_forgotten_before_the_hub_has_it_and_nothing_kept_after(line: Line) -> None:
    """Acknowledged by the broker is not enough, however long ago; a receipt is, at once, out of order too."""
    line.take_in(*range(10))
    line.meet()
    assert line.sends() == list(range(10))
    line.clock[0] += 100_000
    assert line.kept() == list(range(10))
    line.out.heard(receipt(10, (0, 3), (5, 6)), retained=False)
    assert line.kept() == [0, 1, 2, 5]
    line.out.heard(receipt(10), retained=False)
    assert (line.kept(), len(line.spool), line.spool.dropped) == ([], 0, 0)


def test_after_a_lost_link_only_what_is_not_covered_is_sent_again(line: Line) -> None:
    """What the receipt covers is not sent again; one retained from before is known for old and changes nothing."""
    line.take_in(*range(50))
    line.meet()
    line.sends()
    line.out.heard(receipt(45, admitted=45), retained=False)
    line.air.connections += 1
    line.out.send()
    line.out.heard(receipt(20, admitted=20), retained=True)
    line.out.hub_said(online=True)
    assert line.sends() == [45, 46, 47, 48, 49]


def test_new_goes_before_old(line: Line) -> None:
    """What comes while a backlog is sent goes when the next slot begins, and then first."""
    line.take_in(*range(300))
    line.meet()
    line.out.send()
    line.out.settle(wait=0.0)
    line.take_in(300, 301)
    assert line.sends(GRID)[:3] == [300, 301, 200]


def test_what_is_new_waits_for_the_next_slot(line: Line) -> None:
    """What comes within a slot is not sent in it, and in the next one at once; what waited for the link goes."""
    line.take_in(0, 1)
    line.meet()
    assert line.sends(LAG) == [0, 1]
    line.take_in(2)
    assert line.sends(GRID - 0.1) == []
    assert line.sends(0.1) == [2]


def test_what_the_hub_passed_over_is_offered_a_few_times_and_then_counted(line: Line) -> None:
    """A statement that the hub refuses each time is offered again ever later, then given up and counted."""
    line.take_in(0, 1)
    line.meet()
    offers = line.sends().count(0)
    for number in range(2, 200):
        line.out.heard(receipt(number, (0, 1)), retained=False)
        line.take_in(number)
        offers += line.sends(30.0).count(0)
    assert offers == MOST_OFFERS
    assert line.spool.dropped == 1
    assert 0 not in line.kept()


def test_so_much_is_outstanding_and_no_more(line: Line) -> None:
    """With a hub that says nothing the broker holds a thousand records; after a minute they are offered once more."""
    line.take_in(*range(1500))
    line.meet()
    assert len(line.sends()) == OUTSTANDING
    assert line.sends(STALLED_SECONDS - 1) == []
    assert line.sends(2.0) == list(range(OUTSTANDING))
    assert line.sends(STALLED_SECONDS) == []


def test_while_the_hub_is_away_nothing_is_sent(line: Line) -> None:
    """What waits stays on this unit's disk until the hub is there."""
    line.meet()
    line.out.hub_said(online=False)
    line.take_in(0, 1)
    assert line.sends(500.0) == []
    assert line.out.trouble == "the hub is away"
    line.out.hub_said(online=True)
    assert (line.sends(), line.out.trouble) == ([0, 1], "")


def test_a_hub_that_says_no_receipts_is_served_by_time(line: Line) -> None:
    """An older hub gets everything, two seconds after the link came about."""
    line.take_in(0, 1)
    assert line.sends() == []
    assert line.sends(2.0) == [0, 1]

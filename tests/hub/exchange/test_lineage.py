from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from appliance.base.errors import Unfit
from appliance.hub.exchange import baseline_file, transfer
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.exchange.transfer import NamedContent
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.lineage import ANY, Span, extended
from appliance.hub.statistics.baseline.state import merged, taken_out
from appliance.hub.storage.restore import learnt, snapshot_of
from appliance.hub.storage.state import StateDelta
from appliance.hub.storage.store import Store
from appliance.protocol import sign
from appliance.protocol.values import BoothId, Seconds, UnitId
from appliance.settings.config import HubConfig
from tests.hub.corner import NOON, Crowd, hub_config

DAY = 86_400.0
NOW = Seconds(NOON + 20 * DAY)
SHIPPED = Path(__file__).parents[2] / "shipped"


class Hub:
    """A hub that is stopped: people pass, files go out and come in."""

    def __init__(self, directory: Path, booth: str) -> None:
        directory.mkdir()
        self.config: HubConfig = replace(
            hub_config(),
            booth=BoothId(booth),
            database=directory / "hub.sqlite",
            signing_key=directory / "key",
        )
        Store(self.config.database, self.config.booth).close()

    @property
    def key(self) -> bytes:
        return sign.public_key_of(transfer.private_key(self.config.signing_key))

    def sees(self, people: int, *, day: int, unit: str = "north") -> None:
        store = Store(self.config.database, self.config.booth)
        rarity, crowd = learnt(store.load()), Crowd(day)
        for _ in range(people):
            rarity.judge_and_learn(crowd.person(), UnitId(unit), Seconds(NOON + day * DAY))
        store.commit(StateDelta(snapshot=snapshot_of(rarity)))
        store.close()

    def export(self, name: str) -> NamedContent:
        return NamedContent(name=name, untrusted=transfer.export_baseline(self.config, NOW).content)

    def imports(self, file: NamedContent, *hubs: Hub, instead_of: NamedContent | None = None) -> int:
        """How many people the hub knows after taking in ``file``, by count; their weight is checked too."""
        keys = [hub.key for hub in hubs]
        done = transfer.import_baseline(self.config, file, keys, NOW, instead_of=instead_of)
        assert done.known
        return self.people

    @property
    def people(self) -> int:
        store = Store(self.config.database, self.config.booth, alone=False)
        baseline = learnt(store.load()).baseline
        store.close()
        return baseline.people


@pytest.fixture
def hub(tmp_path: Path) -> Callable[[str], Hub]:
    """Makes a hub of a booth."""
    return lambda booth: Hub(tmp_path / booth, booth)


def test_a_later_export_takes_the_place_of_an_earlier_one(hub: Callable[[str], Hub]) -> None:
    """Two exports of one hub count once: the second is refused, or replaces the first and nothing else."""
    market, corner = hub("market"), hub("corner")
    corner.sees(200, day=1)
    market.sees(300, day=2)
    early = market.export("early")
    market.sees(100, day=3)
    late = market.export("late")
    assert corner.imports(early, market) == 500
    with pytest.raises(Unfit, match=r"camera north of market, 2025-10-11 to 2025-10-12") as refusal:
        corner.imports(late, market)
    assert "--instead-of" in str(refusal.value)
    assert corner.imports(late, market, instead_of=early) == 600
    with pytest.raises(Unfit, match="counted here already"):
        corner.imports(early, market)
    market.sees(20, day=4)
    with pytest.raises(Unfit, match="not among the files"):
        corner.imports(market.export("third"), market, instead_of=early)


def test_the_earlier_file_is_refused_after_the_later(hub: Callable[[str], Hub]) -> None:
    """In the other order too, people count once."""
    market, corner = hub("market"), hub("corner")
    market.sees(300, day=2)
    early = market.export("early")
    market.sees(100, day=3)
    assert corner.imports(market.export("late"), market) == 400
    with pytest.raises(Unfit, match="counted here already"):
        corner.imports(early, market)
    assert corner.people == 400


def test_a_hubs_own_export_is_refused_while_it_counts_them_itself(hub: Callable[[str], Hub]) -> None:
    """What a hub exported is not added to it again; a hub whose database was lost takes it back."""
    corner = hub("corner")
    corner.sees(300, day=2)
    own = corner.export("own")
    with pytest.raises(Unfit, match="this hub counts them itself"):
        corner.imports(own)
    corner.sees(100, day=3)
    with pytest.raises(Unfit, match="this hub counts them itself"):
        corner.imports(own)
    corner.config.database.unlink()
    Store(corner.config.database, corner.config.booth).close()
    assert corner.imports(own) == 300
    with pytest.raises(Unfit, match="imported before"):
        corner.imports(own)
    corner.sees(50, day=9)
    assert corner.people == 350


def test_a_merge_that_holds_an_imported_file_counts_once(hub: Callable[[str], Hub]) -> None:
    """Through a merge, and through a hub that imported, people are known again."""
    market, harbour, other, corner = hub("market"), hub("harbour"), hub("other"), hub("corner")
    market.sees(300, day=2)
    harbour.sees(200, day=2)
    one, two = market.export("one"), harbour.export("two")
    both = transfer.merge_baselines(other.config, (one, two), (market.key, harbour.key), NOW)
    merged_file = NamedContent(name="both", untrusted=both.content)
    assert corner.imports(one, market) == 300
    with pytest.raises(Unfit, match="north of market"):
        corner.imports(merged_file, other)
    assert corner.imports(merged_file, other, market, instead_of=one) == 500
    with pytest.raises(Unfit, match="north of harbour"):
        corner.imports(two, harbour)
    relay = hub("relay")
    relay.sees(100, day=4)
    relay.imports(two, harbour)
    with pytest.raises(Unfit, match="north of harbour"):
        corner.imports(relay.export("relayed"), relay)
    assert corner.people == 500


def test_overlapping_files_are_not_merged(hub: Callable[[str], Hub]) -> None:
    """Files that hold the same people are refused by name when they are merged."""
    market, other = hub("market"), hub("other")
    market.sees(300, day=2)
    early = market.export("early")
    market.sees(100, day=3)
    late = market.export("late")
    with pytest.raises(Unfit, match="who are in early too: camera north of market"):
        transfer.merge_baselines(other.config, (early, late), (market.key,), NOW)


def test_other_cameras_and_other_days_are_other_people(hub: Callable[[str], Hub]) -> None:
    """Cameras and days that are not shared overlap with nothing."""
    market, corner = hub("market"), hub("corner")
    market.sees(300, day=2)
    first = market.export("first")
    market.config.database.unlink()
    Store(market.config.database, market.config.booth).close()
    market.sees(100, day=3)
    market.sees(100, day=2, unit="south")
    assert corner.imports(first, market) == 300
    assert corner.imports(market.export("second"), market) == 500


def test_a_file_of_0_1_opens_and_says_that_its_lineage_is_unknown(hub: Callable[[str], Hub]) -> None:
    """An old file comes in, overlaps with whatever else comes from its booth, and can be replaced."""
    corner, content = hub("other"), (SHIPPED / "corner-1.baseline").read_bytes()
    key = sign.public_key_of((7).to_bytes(32, "big"))
    old = NamedContent(name="old", untrusted=content)
    now = Seconds(baseline_file.decode(content, public_key=key, where="old").state.latest + DAY)
    done = transfer.import_baseline(corner.config, old, (key,), now)
    assert (done.known, done.people, corner.people) == (False, 1201, 1201)
    told = baseline_file.summary(baseline_file.inspect(content, where="old"), now)
    assert told["lineage_known"] is False
    assert told["lineage"][0].startswith("unknown cameras of corner, until ")
    state = baseline_file.decode(content, public_key=key, where="old").state
    span = replace(state.lineage[0], unit="north", first=state.lineage[0].last - 3)
    newer = baseline_file.encode(
        BaselineFile(booth=BoothId("corner"), made_at=int(now), state=replace(state, lineage=(span,))),
        (7).to_bytes(32, "big"),
    )
    file = NamedContent(name="newer", untrusted=newer)
    with pytest.raises(Unfit, match="one of them does not say whose people"):
        transfer.import_baseline(corner.config, file, (key,), now)
    assert transfer.import_baseline(corner.config, file, (key,), now, instead_of=old).total == 1201


def test_what_was_merged_can_be_taken_out_again() -> None:
    """``taken_out`` undoes ``merged`` to the last bit, whichever of the two has the later anchor."""
    baselines = (Baseline(), Baseline())
    for baseline, begun in zip(baselines, (NOON, NOON + 80 * DAY), strict=True):
        crowd = Crowd(3)
        for number in range(200):
            baseline.update(crowd.person(), UnitId("north"), Seconds(begun + number * 60))
    one, other = (baseline.state() for baseline in baselines)
    for kept, out in ((one, other), (other, one)):
        left, scale = (
            taken_out(merged(kept, out), out),
            2.0 ** ((kept.anchor - max(one.anchor, other.anchor)) / (7 * DAY)),
        )
        assert np.array_equal(left.pairs, kept.pairs * scale)
        assert (left.people, left.weight) == (kept.people, kept.weight * scale)


def test_days_that_touch_are_one_span() -> None:
    """A camera that watches day after day has one span, one that paused two; another hub's stay as they are."""
    guest = Span(hub="market/0", unit="north", first=1, last=2)
    lineage = (guest,)
    for day in (5, 6, 7, 12, 4, 6):
        lineage = extended(lineage, "north", day)
    own = [Span(hub="", unit="north", first=first, last=last) for first, last in ((4, 7), (12, 12))]
    assert lineage == (*own, guest)
    unknown = Span(hub=f"market/{ANY}", unit=ANY, first=0, last=1)
    assert guest.overlaps(unknown)
    assert not own[0].overlaps(unknown)

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from appliance.hub.records import audit
from appliance.hub.records.audit import AuditCount, report, text, wilson
from appliance.protocol.values import Seconds
from tests.hub.corner import NOON, ODD, PLAIN, Camera, new_booth, store_at


def count(aspect: str, value: str, people: int, flags: int) -> AuditCount:
    return AuditCount(aspect=aspect, value=value, people=people, flags=flags, alerts=0)


def test_wilsons_interval_is_the_published_one() -> None:
    """The interval is that of the published formula, in an example of the literature (10 of 20, and 0 of 20)."""
    assert [round(end, 3) for end in wilson(10, 20, 1.96)] == [0.299, 0.701]
    assert [round(end, 3) for end in wilson(0, 20, 1.96)] == [0.0, 0.161]


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_rate(hits: int, misses: int) -> None:
    """The interval lies in [0, 1] and holds the rate itself; of nobody it says nothing."""
    low, high = wilson(hits, hits + misses, 1.96)
    assert 0 <= low <= high <= 1
    if hits + misses:
        assert low - 1e-12 <= hits / (hits + misses) <= high + 1e-12
    else:
        assert (low, high) == (0, 1)


def test_a_camera_that_flags_far_more_than_the_others_stands_out() -> None:
    """A camera with five times the flag rate stands out; equal cameras, and one with few people, do not."""
    rows = report([count("camera", "north", 9000, 90), count("camera", "south", 9000, 90)])
    assert not any(row.stands_out for row in rows)
    rows = report([count("camera", "north", 9000, 450), count("camera", "south", 9000, 90)])
    assert all(row.stands_out for row in rows)
    rows = report([count("camera", "north", 20, 10), count("camera", "south", 9000, 90)])
    assert not any(row.stands_out for row in rows)


def test_the_report_says_what_it_cannot_know() -> None:
    """Also the report of an empty booth names the limits of counting, skin tone and the undetected among them."""
    said = text((), "corner")
    assert all(limit in said for limit in audit.LIMITS)
    assert "skin tone" in said
    assert "no camera detected" in said


def test_everybody_admitted_is_counted_once_per_aspect(tmp_path: Path) -> None:
    """Stored counts are the people, flags and alerts of the booth, in fives, under camera, hour and visibility."""
    camera, store = Camera("north"), store_at(tmp_path)
    booth = new_booth(camera, stored=store.load())
    for step in range(8):
        now = Seconds(NOON + step)
        batch = [camera.says(camera.observation(PLAIN, now)) for _ in range(50)]
        store.commit(booth.handle_batch(batch, now).changes)
    store.commit(
        booth.handle_batch([camera.says(camera.observation(ODD, NOON + 9))], Seconds(NOON + 9)).changes
    )
    store.commit(booth.handle_batch([], Seconds(NOON + 10), last=True).changes)
    counts = store.audited()
    for aspect in (audit.CAMERA, audit.HOUR, audit.VISIBILITY):
        rows = [one for one in counts if one.aspect == aspect]
        assert sum(one.people for one in rows) == 400
        assert (sum(one.flags for one in rows), sum(one.alerts for one in rows)) == (0, 0)
    assert not any(one.people % 5 or one.value in {"yellow", "checked"} for one in counts)
    store.close()

"""The fleet's page: what is said of booths, who is left out and why, and that nothing small is told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from appliance.fleet import html
from appliance.fleet.store import BoothRow
from appliance.fleet.view import baselines, merged_baseline, page_of
from appliance.hub.exchange import baseline_file
from appliance.hub.exchange.baseline_file import BaselineFile
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.baseline.state import coarse, merged
from appliance.protocol import sign
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId

NOW = Seconds(1_790_000_000.0)
TODAY = str(datetime.fromtimestamp(NOW, tz=UTC).date())


def state_of(people: int, colour: str, *, share: float = 1.0) -> Baseline:
    made = Baseline()
    for number in range(people):
        worn = colour if number < share * people else "grey"
        made.update(AttributeVector.of(top_colour=worn), UnitId("north"), NOW)
    return made


def row(booth: str, baseline: Baseline | None = None, **more: object) -> BoothRow:
    file, people = b"", 0
    if baseline is not None:
        one = BaselineFile(booth=BoothId(booth), made_at=int(NOW), state=coarse(baseline.state()))
        file, people = (
            baseline_file.encode(one, bytes(31) + b"\1", home=f"{booth}/{'0' * 16}"),
            one.state.people,
        )
    values: dict[str, object] = {
        "booth": BoothId(booth),
        "withdrawn": False,
        "moment": {
            "people": people,
            "needs": 0,
            "units": [["north", "watching", "online"], ["south", "blind", "online"]],
        },
        "moment_at": NOW - 10,
        "baseline": file,
        "public_key": sign.public_key_of(bytes(31) + b"\1"),
        "people": people,
        "counts": {TODAY: {"people": 40, "alerts": 3, "gifted": 2}},
        "refused": 0,
    }
    return BoothRow(**(values | more))  # type: ignore[arg-type]


def test_booths_say_how_they_are() -> None:
    rows = (
        row("a"),
        row("b", moment_at=NOW - 400),
        row("c", moment={"people": 5, "needs": 120, "units": []}),
        row("d", withdrawn=True),
        row("e", moment=None),
    )
    page = page_of("city", rows, NOW)
    assert [one.state for one in page.booths] == ["watching", "silent", "learning", "withdrawn", "silent"]
    first = page.booths[0]
    assert (first.cameras_on, first.cameras, first.alerts, first.gifts, first.days[-1]) == (1, 2, 3, 2, 40)
    assert first.troubles == ("south: blind",)


def test_the_sum_of_baselines_is_exact() -> None:
    states = [state_of(200, "red"), state_of(300, "blue"), state_of(45, "black")]
    rows = [row(name, state) for name, state in zip("abc", states, strict=True)]
    whole, left_out = merged_baseline(rows)
    one, two, three = (coarse(state.state()) for state in states)
    assert (whole.people, left_out) == (545, ())
    assert (whole.pairs == merged(merged(one, two), three).pairs).all()
    assert whole.cameras == ()


def test_whoever_took_in_anothers_people_is_left_out_and_named() -> None:
    market = state_of(200, "red")
    holder = BaselineFile(booth=BoothId("market"), made_at=int(NOW), state=coarse(market.state()))
    file = baseline_file.encode(holder, bytes(31) + b"\1", home=f"market/{'0' * 16}")
    guest = baseline_file.inspect(file, where="file")
    own = state_of(100, "blue").state()
    both = Baseline(merged(own, guest.state))
    found, left_out = baselines((row("corner", both), row("market", market)))
    assert list(found) == ["market"]
    assert left_out == ((BoothId("corner"), "it holds people who are counted at market"),)


def test_a_booth_that_differs_is_said_and_small_cells_are_not() -> None:
    rows = (
        row("a", state_of(400, "red", share=0.5)),
        row("b", state_of(400, "red", share=0.1)),
        row("c", state_of(15, "blue")),
    )
    page = page_of("city", rows, NOW)
    assert {(one.booth, one.word) for one in page.drifts} >= {("a", "red"), ("b", "red")}
    blue = [one for one in page.shares if one.word == "blue"]
    assert blue == [], "fifteen people's colour is not told"
    red = next(one for one in page.shares if one.word == "red")
    assert red.by_booth[0] == pytest.approx(0.5)
    assert red.by_booth[2] is None


def test_the_page_is_escaped_whole_and_needs_nothing_from_elsewhere() -> None:
    rows = (
        row("a", state_of(100, "red"), moment={"people": 1, "needs": 0, "units": [["<b>", "blind", "x"]]}),
        row("b"),
    )
    text = html.page(page_of("<city>", rows, NOW))
    assert "<b>" not in text
    assert "&lt;city&gt;" in text
    assert "http" not in text.replace("http-equiv", "")
    assert "style=" not in text
    assert html.page(page_of("city", (), NOW)).count("No booth has joined yet") == 1

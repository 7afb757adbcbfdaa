"""A shift in the hub: give back, pause, staff, stock by size, note, closing; who may; what is counted of tablets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.hub.engine import HubEngine
from appliance.hub.storage.store import Store
from appliance.protocol.values import Seconds, TabletId
from appliance.settings import config
from tests.hub.corner import (
    BOOTH,
    NOON,
    ODD,
    Camera,
    asks,
    hub_config,
    raised,
    register_of,
    store_at,
    teach,
    told,
)


class Booth:
    """A hub that has learnt, with a store, tablets, and sizes of gifts."""

    def __init__(self, directory: Path) -> None:
        self.camera = Camera("north")
        self.register = replace(register_of(self.camera), leads=(TabletId("tablet-1"),))
        self.store: Store = store_at(directory)
        self.now = NOON
        self.hub = self.made()
        self.store.commit(teach(self.hub, self.camera).changes)
        self.now = Seconds(NOON + 5)

    def made(self, *, sizes: tuple[tuple[str, int], ...] = (("M", 3000), ("L", 2000))) -> HubEngine:
        plain = hub_config(stock=sum(number for _, number in sizes))
        booth = replace(plain, pacing=replace(plain.pacing, sizes=sizes))
        return HubEngine(config=booth, register=self.register, stored=self.store.load(), now=self.now)

    def asked(self, tablet: str, leaf: str, **body: Any) -> dict[str, Any]:
        """The hub's answer to a request; what changed is stored."""
        outcome = self.hub.handle_batch([asks(tablet, leaf, **body)], self.now)
        self.store.commit(outcome.changes)
        self.alerts = told(outcome, "alert")
        (answer,) = told(outcome, "staff")
        return answer

    def act(self, tablet: str, act: str, value: object = None, size: str | None = None) -> dict[str, Any]:
        return self.asked(tablet, "shift", act=act, value=value, size=size)

    def board(self) -> dict[str, Any]:
        self.now = Seconds(self.now + 2)
        return told(self.hub.handle_batch([], self.now), "hub")[-1]

    def odd_one(self) -> list[dict[str, Any]]:
        """The alerts that somebody in odd clothes causes."""
        self.now = Seconds(self.now + 400)
        said = self.camera.says(self.camera.observation(ODD, self.now))
        return [one for one in told(self.hub.handle_batch([said], self.now), "alert") if one]


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Booth]:
    one = Booth(tmp_path)
    yield one
    one.store.close()


def test_an_alert_that_is_given_back_can_be_claimed_by_another(booth: Booth) -> None:
    """The holder gives it back; it lives as long as a new one, never longer than what was worn is kept."""
    name = raised(booth.hub, booth.camera, booth.now)
    assert booth.asked("tablet-2", "claim", alert=name)["ok"]
    refused = booth.asked("tablet-1", "release", alert=name)
    assert (refused["ok"], refused["why"], refused["by"]) == (False, "taken", "tablet-2")
    booth.now = Seconds(booth.now + 200)
    assert booth.asked("tablet-2", "release", alert=name)["state"] == "raised"
    (alert,) = booth.alerts
    assert (alert["state"], alert["held_by"], alert["look"] != {}) == ("raised", None, True)
    assert alert["expires_at"] == alert["raised_at"] + 300
    assert booth.asked("tablet-1", "claim", alert=name)["ok"]
    booth.now = Seconds(booth.now + 150)
    booth.board()
    assert booth.asked("tablet-1", "release", alert=name)["state"] == "expired"


def test_a_gift_has_a_size_and_stock_goes_to_nothing(booth: Booth) -> None:
    """Gifts are counted down by size; set to nothing, no alert comes; tomorrow begins as configured."""
    name = raised(booth.hub, booth.camera, booth.now)
    booth.asked("tablet-2", "claim", alert=name)
    booth.asked("tablet-2", "outcome", alert=name, outcome="gifted", why=None, size="M")
    board = booth.board()
    assert (board["stock"], board["shift"]["sizes"]) == (
        4999,
        [{"size": "M", "left": 2999}, {"size": "L", "left": 2000}],
    )
    assert booth.act("tablet-1", "stock", 2007, "L")["ok"]
    assert (booth.board()["stock"], booth.board()["shift"]["sizes"][1]["left"]) == (5006, 2007)
    assert booth.act("tablet-1", "stock", 0)["ok"]
    assert booth.board()["stock"] == 0
    assert booth.odd_one() == []
    booth.hub = booth.made()  # a restart of the hub changes nothing of it
    assert [one["left"] for one in booth.board()["shift"]["sizes"]] == [0, 0]
    booth.now = Seconds(booth.now + 86_400)
    assert booth.board()["stock"] == 5000


def test_without_sizes_stock_is_one_number(booth: Booth) -> None:
    """Stock can be set in a booth whose gifts have no sizes; a size is refused there."""
    booth.hub = booth.made(sizes=())
    assert booth.act("tablet-1", "stock", 12)["ok"]
    assert booth.board()["stock"] == 12
    assert booth.act("tablet-1", "stock", 12, "M")["why"] == "forbidden"


def test_a_pause_holds_alerts_back_and_learning_goes_on(booth: Booth) -> None:
    """For so many minutes nobody is called rare; anybody may pause and go on."""
    assert booth.act("tablet-2", "pause", 30)["ok"]
    before = booth.board()
    assert before["shift"]["paused_until"] == int(booth.now - 2) + 1800
    assert booth.odd_one() == []
    assert booth.board()["people"]["today"] == before["people"]["today"] + 1
    assert booth.act("tablet-2", "resume")["ok"]
    assert booth.board()["shift"]["paused_until"] is None
    assert len(booth.odd_one()) == 1


def test_closing_ends_open_alerts_until_it_is_opened_again(booth: Booth) -> None:
    """The lead closes: what is open ends and loses its clothes, nothing new comes; opened again, it does."""
    raised(booth.hub, booth.camera, booth.now)
    assert booth.act("tablet-1", "close")["ok"]
    (alert,) = booth.alerts
    assert (alert["state"], "look" in alert) == ("expired", False)
    assert booth.board()["shift"]["closed"]
    assert booth.odd_one() == []
    assert booth.act("tablet-1", "open")["ok"]
    assert len(booth.odd_one()) == 1


def test_only_the_leads_tablet_sets_the_day(booth: Booth) -> None:
    """Staff, stock and closing are the lead's where there is a lead; else every tablet's."""
    for act, value in (("staff", 3), ("stock", 0), ("close", None), ("open", None)):
        refused = booth.act("tablet-2", act, value)
        assert (refused["ok"], refused["rule"], refused["why"]) == (False, 14, "forbidden")
    assert booth.act("tablet-1", "staff", 3)["ok"]
    assert booth.board()["staff"] == 3
    booth.hub.enrol(replace(booth.register, leads=()))
    assert booth.act("tablet-2", "staff", 1)["ok"]
    assert booth.board()["staff"] == 1


def test_a_note_is_told_and_never_stored(booth: Booth, tmp_path: Path) -> None:
    """What was typed is on the board until the hub starts anew, a day is over, or it is emptied."""
    assert booth.act("tablet-2", "note", "The box is under the table.")["ok"]
    assert booth.board()["shift"]["note"]["by"] == "tablet-2"
    assert all(b"under the table" not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    booth.now = Seconds(booth.now + 86_401)
    assert booth.board()["shift"]["note"] is None


def test_of_each_tablet_numbers_are_kept(booth: Booth) -> None:
    """Claims, dismissals and forgets of today are counted by tablet; a repeated request counts once."""
    name = raised(booth.hub, booth.camera, booth.now)
    for _ in range(2):
        booth.asked("tablet-2", "claim", alert=name)
    booth.asked("tablet-2", "outcome", alert=name, outcome="dismissed", why="costume")
    booth.now = Seconds(booth.now + 5)
    (said,) = [
        one for one in booth.hub.handle_batch([], booth.now).outgoing if one.topic.endswith("/hub/lead")
    ]
    lead = json.loads(said.payload)
    assert lead["tablets"] == [{"tablet": "tablet-2", "claims": 1, "dismissals": 1, "forgets": 0}]
    assert [unit["place"] for unit in lead["units"]] == ["north corner"]
    assert booth.hub.daily_counts.beginning_with("tablet/") == {
        "tablet-2/claims": 1,
        "tablet-2/dismissals": 1,
    }


@pytest.mark.parametrize(
    "body",
    [
        {"act": "pause", "value": 0, "size": None}, {"act": "pause", "value": 241, "size": None},
        {"act": "pause", "value": True, "size": None}, {"act": "staff", "value": -1, "size": None},
        {"act": "stock", "value": 1, "size": "../M"}, {"act": "staff", "value": 1, "size": "M"},
        {"act": "note", "value": "x" * 121, "size": None}, {"act": "note", "value": "a\nb", "size": None},
        {"act": "close", "value": 1, "size": None}, {"act": "dance", "value": None, "size": None},
        {"act": "close", "value": None},
    ],
)  # fmt: skip
def test_an_act_of_another_form_is_refused(booth: Booth, body: dict[str, object]) -> None:
    """Every act has one kind of value in its bounds; anything else is R13."""
    assert booth.asked("tablet-1", "shift", **body)["rule"] == 13


def test_sizes_come_from_hub_toml(tmp_path: Path) -> None:
    """The table [sizes] is the stock; a size of another form is refused."""
    broker = '[broker]\nhost = "h"\nca = "a"\ncertificate = "b"\nkey = "c"\n'
    path = tmp_path / "hub.toml"
    path.write_text(f'[hub]\nbooth = "{BOOTH}"\nregister = "r"\n{broker}[sizes]\nM = 20\nL = 10\n', "utf-8")
    pacing = config.hub_config(path).pacing
    assert (pacing.stock, pacing.sizes) == (30, (("M", 20), ("L", 10)))

"""Figures of a booth from what its hub and its broker say, as metric families of Prometheus.

Invariants:
    * A message is taken whole or not at all; nothing in it is believed before it was looked at.
    * No label names a person, a time or an outfit: labels are units, states, rules and words of the vocabulary.
    * Numbers of people are those of the big screen, whole fives; what would tell single people by subtraction (what
      was admitted of a unit) is left out.
    * Figures of a moment that is older than ``STALE_SECONDS`` are not told: no figure is better than an old one.
    * Pure: no I/O, no clock; ``now`` is an argument.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from appliance.protocol import topics
from appliance.protocol.health import Accelerator, UnitState
from appliance.protocol.values import BoothId, Seconds
from appliance.protocol.vocabulary import ATTRIBUTES

STALE_SECONDS: Final = 60.0
MOST_BYTES: Final = 32 * 1024
"""Longer messages no broker of ours passes on."""
_STATES: Final = (*(state.name.lower() for state in UnitState), "silent")
_ACCELERATORS: Final = tuple(one.name.lower() for one in Accelerator)
_WORDS: Final = {attribute.name: frozenset(attribute.levels) for attribute in ATTRIBUTES}
_MOMENT: Final = (
    ("people_today", "People counted today, in whole fives", ("people",)),
    ("alerts_today", "Alerts raised today", ("alerts", "today")),
    ("alerts_waiting", "Alerts that nobody has claimed yet", ("alerts", "waiting")),
    ("alerts_claimed", "Alerts that somebody serves", ("alerts", "claimed")),
    ("gifts_today", "Gifts handed over today", ("alerts", "gifted")),
    ("gift_stock", "Gifts left", ("pacing", "stock")),
    ("staff", "Staff of the shift", ("pacing", "staff")),
    ("staff_free", "Staff who are free", ("pacing", "staff_free")),
    ("baseline_people", "People that the baseline stands on, in whole fives", ("baseline", "people")),
    ("baseline_needs_people", "People still needed before anybody is flagged", ("baseline", "needs")),
)
_UNIT: Final = (
    ("frames_per_second", "Frames read in a second", "fps"),
    ("spooled_statements", "Statements that wait on the unit's disk", "spooled"),
    ("dropped_statements", "Statements that the unit had no room for", "dropped"),
    ("refused_statements", "Statements of the unit that the hub refused", "refused"),
    ("repeated_statements", "Statements that came again though they were admitted", "repeated"),
    ("missing_statements", "Statements that never came, by their numbers", "missing"),
)
_BROKER: Final = (
    ("clients", "Clients connected now", "clients/connected", False),
    ("messages_stored", "Messages that the broker holds", "store/messages/count", False),
    ("heap_bytes", "Memory that the broker has taken", "heap/current", False),
    ("uptime_seconds", "Since the broker was started", "uptime", False),
    ("messages_received", "Packets that came in", "messages/received", True),
    ("messages_sent", "Packets that went out", "messages/sent", True),
    ("publish_dropped", "Messages dropped: a queue was full", "publish/messages/dropped", True),
    ("bytes_received", "Bytes that came in", "bytes/received", True),
    ("bytes_sent", "Bytes that went out", "bytes/sent", True),
)
_SYS: Final = "$SYS/broker/"
_OLDER: Final = {"store/messages/count": "messages/stored"}
"""Names that a figure had in earlier versions of the broker."""


class BoothFigures:
    """What is known of ``booth`` now."""

    def __init__(self, booth: BoothId) -> None:
        self._booth = booth
        self._moment: dict[str, Any] = {}
        self._heard_at = float("-inf")
        self._shares: dict[str, Any] = {}
        self._online = False
        self._broker: dict[str, float] = {}
        self.refused = 0
        """Messages that were not of the form."""

    def take(self, untrusted_topic: str, untrusted: bytes, now: Seconds) -> None:
        """Take up a message that came at ``now``; one that breaks its form changes nothing but ``refused``."""
        try:
            if untrusted_topic.startswith(_SYS):
                number = untrusted.decode("ascii").split(" ")[0]
                self._broker[untrusted_topic.removeprefix(_SYS)] = float(number)
                return
            found = _message(untrusted)
            if untrusted_topic == topics.hub_status(self._booth):
                self._online = found["state"] == "online"
            elif untrusted_topic == topics.live(self._booth):
                for _ in _moment(found):
                    pass  # whatever is wrong with it comes to light before it is taken
                self._moment, self._heard_at = found, now
            elif untrusted_topic == topics.trends(self._booth):
                for _ in _shares(found):
                    pass
                self._shares = found
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            # The broker's own texts (its version, say) are no figures and no fault.
            self.refused += not untrusted_topic.startswith(_SYS)

    def families(self, now: Seconds, *, linked: bool) -> Iterator[Metric]:
        """Every family at ``now``; ``linked`` is whether there is a link to the broker."""
        about = InfoMetricFamily("leftfield", "Which booth this is")
        about.add_metric([], {"booth": self._booth})
        yield about
        yield _gauge("leftfield_broker_up", "Whether the broker lets the exporter in", float(linked))
        yield _gauge(
            "leftfield_hub_up", "Whether the hub says that it is there", float(linked and self._online)
        )
        if not linked:
            return
        for name, about_it, leaf, counts in _BROKER:
            value = self._broker.get(leaf, self._broker.get(_OLDER.get(leaf, leaf)))
            if value is not None:
                kind = CounterMetricFamily if counts else GaugeMetricFamily
                yield kind(f"leftfield_broker_{name}", about_it, value=value)
        if now - self._heard_at <= STALE_SECONDS and self._online:
            yield from _moment(self._moment)
            yield from _shares(self._shares)


def _message(untrusted: bytes) -> dict[str, Any]:
    """The object in a message of version 1; ValueError for anything else."""
    found = json.loads(untrusted) if len(untrusted) <= MOST_BYTES else None
    if not isinstance(found, dict) or found.get("v") != 1:
        raise ValueError("not a message of version 1")
    return found


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)


def _number(untrusted: object) -> float:
    """A number as it may stand in a message; ValueError for anything else."""
    if isinstance(untrusted, bool) or not isinstance(untrusted, int | float):
        raise ValueError("not a number")  # noqa: TRY004 - one error for one broken message
    return float(untrusted)


def _moment(told: dict[str, Any]) -> Iterator[Metric]:
    for name, about, way in _MOMENT:
        value: Any = told
        for step in way:
            value = value[step]
        yield _gauge(f"leftfield_{name}", about, _number(value))
    refused = CounterMetricFamily(
        "leftfield_refused", "Messages that the hub refused, by the number of the rule", labels=["rule"]
    )
    for rule, times in told["refused"]:
        refused.add_metric([f"R{int(rule):02d}"], _number(times))
    yield refused
    yield from _units(told["units"])


def _units(rows: list[dict[str, Any]]) -> Iterator[Metric]:
    names = [_name(row["unit"]) for row in rows]
    for name, about, key in _UNIT:
        family = GaugeMetricFamily(f"leftfield_unit_{name}", about, labels=["unit"])
        for unit, row in zip(names, rows, strict=True):
            family.add_metric([unit], _number(row[key]))
        yield family
    for name, about, key, good in (
        ("up", "Whether the unit is connected", "link", "online"),
        ("boxed", "Whether the unit runs behind its walls", "boxed", True),
        ("clock_set", "Whether the unit's clock is set", "clock", True),
    ):
        family = GaugeMetricFamily(f"leftfield_unit_{name}", about, labels=["unit"])
        for unit, row in zip(names, rows, strict=True):
            family.add_metric([unit], float(row[key] == good))
        yield family
    for name, words, key in (("state", _STATES, "state"), ("accelerator", _ACCELERATORS, "accelerator")):
        about = f"1 for the {name} that the unit has, 0 for every other"
        family = GaugeMetricFamily(f"leftfield_unit_{name}", about, labels=["unit", name])
        for unit, row in zip(names, rows, strict=True):
            if row[key] not in words:
                raise ValueError("a word that there is not")
            for word in words:
                family.add_metric([unit, word], float(row[key] == word))
        yield family


def _name(untrusted: object) -> str:
    if not isinstance(untrusted, str) or len(untrusted) > 24:
        raise ValueError("not a name")
    return untrusted


def _shares(told: dict[str, Any]) -> Iterator[Metric]:
    for key, about in (("recent", "of the last hour that is told"), ("usual", "that is usual")):
        family = GaugeMetricFamily(
            f"leftfield_worn_{key}_ratio",
            f"Share of a word among all whose word is known, {about}; crowds only",
            labels=["attribute", "word"],
        )
        for attribute, words in told.get(key, {}).items():
            for word, (share, _, _) in words.items():
                if word not in _WORDS[attribute]:
                    raise ValueError("a word that there is not")
                family.add_metric([attribute, word], _number(share) / 100)
        yield family

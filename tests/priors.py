"""A prior that says nothing, for tests: every word as common as the next, and no two that go together."""

from __future__ import annotations

from appliance.protocol.prior import PAIRS
from appliance.protocol.vocabulary import ATTRIBUTES

EVEN = tuple((1 / len(one.levels),) * len(one.levels) for one in ATTRIBUTES)
LIFTS = {
    (one, other): ((1.0,) * len(ATTRIBUTES[other].levels),) * len(ATTRIBUTES[one].levels)
    for one, other in PAIRS
}

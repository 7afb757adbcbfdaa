from __future__ import annotations

from appliance.hub.exchange.prior_publisher import EVERY, PriorPublisher, prior_of
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.protocol import prior, sign, topics
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId
from appliance.protocol.vocabulary import ATTRIBUTES, INDEX

BOOTH = BoothId("corner")
KEY = sign.new_private_key()
NOW = Seconds(1_790_000_000.0)


def crowd(number: int, odd: int = 0) -> Baseline:
    baseline = Baseline()
    for place in range(number):
        colour = "purple" if place < odd else "black"
        baseline.update(AttributeVector.of(top_colour=colour), UnitId("north"), NOW)
    return baseline


def test_the_prior_is_said_once_a_day() -> None:
    """Nothing while the baseline is young; then at once, retained, on the units' topic; then a day later."""
    bulletin = PriorPublisher(booth=BOOTH, private_key=KEY, warmup_people=300)
    assert bulletin.telling(crowd(299), NOW) is None
    said = bulletin.telling(crowd(300), NOW)
    assert said is not None
    assert (said.topic, said.retain) == (topics.prior(BOOTH), True)
    found = prior.prior_in(said.payload, public_key=sign.public_key_of(KEY), booth=BOOTH)
    assert (found.people, found.made_at) == (300, int(NOW))
    assert bulletin.telling(crowd(400), Seconds(NOW + EVERY - 1)) is None
    assert bulletin.telling(crowd(400), Seconds(NOW + EVERY)) is not None


def test_a_clock_that_was_set_back_does_not_silence_it() -> None:
    """After a leap back of the clock by weeks the prior is said again."""
    bulletin = PriorPublisher(booth=BOOTH, private_key=KEY, warmup_people=300)
    assert bulletin.telling(crowd(900), Seconds(NOW + 5 * EVERY)) is not None
    assert bulletin.telling(crowd(900), NOW) is not None


def test_without_a_key_nothing_is_said() -> None:
    """A hub that has no signing key says no prior."""
    assert PriorPublisher(booth=BOOTH, private_key=None, warmup_people=300).telling(crowd(300), NOW) is None


def test_one_person_more_or_less_leaves_the_same_prior() -> None:
    """Whether two people of a thousand wore purple, or nobody did, is not in the prior."""
    payloads = set()
    for odd in (0, 1, 2):
        said = PriorPublisher(booth=BOOTH, private_key=KEY, warmup_people=300).telling(crowd(1000, odd), NOW)
        assert said is not None
        payloads.add(said.payload)
        assert len(said.payload) < prior.MOST_BYTES / 2
    assert len(payloads) == 1
    shares = prior.prior_in(payloads.pop(), public_key=sign.public_key_of(KEY), booth=BOOTH).shares
    place = INDEX["top.colour"]
    assert 0 < shares[place][ATTRIBUTES[place].levels.index("purple")] < 0.002


RARE = AttributeVector.of(
    top_colour="purple", top_pattern="striped", bottom_colour="orange", bottom_pattern="checked",
    lower_kind="shorts", sleeves="short", outer="open", feet_colour="coloured", bag="yes",
)  # fmt: skip
USUAL = AttributeVector.of(
    top_colour="black", top_pattern="plain", bottom_colour="blue", bottom_pattern="plain",
    lower_kind="trousers", sleeves="long", outer="none", feet_colour="dark", bag="no",
)  # fmt: skip


def lifts_with(times: int) -> prior.Lifts:
    """The lifts in the prior of a thousand people, past whom one in a rare outfit walked so often."""
    baseline = Baseline()
    for vector in [USUAL] * 1000 + [RARE] * times:
        baseline.update(vector, UnitId("north"), NOW)
    said = prior_of(baseline, booth=BOOTH, private_key=KEY, now=NOW)
    return prior.prior_in(said, public_key=sign.public_key_of(KEY), booth=BOOTH).lifts


def test_who_walks_by_every_day_is_not_in_the_prior() -> None:
    """One odd outfit seen up to sixteen times leaves the lifts as they were; what many wear is told."""
    assert all(lifts_with(times) == lifts_with(0) for times in (1, 3, 8, 16))
    assert lifts_with(200) != lifts_with(0)

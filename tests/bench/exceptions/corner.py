"""What is measured on the street: exceptions put in, the whole chain under noise, alarms, claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from appliance.hub.batch.stream import Stream
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.hub.statistics.layout import OFFSETS, STREET, Layout
from appliance.hub.statistics.rarity import Rarity, Score
from appliance.hub.statistics.reasons import reasons_for
from appliance.protocol.values import AttributeVector, Lens, Seconds, UnitId
from tests.bench.exceptions import chain, oracle
from tests.bench.exceptions.measures import auc, average_precision, ranks
from tests.bench.exceptions.street import SECOND, FloatArray, Levels, Sight, Street, vectors

NOON = 1_760_000_000.0
BURN = 1000
LEARNT = 4000
"""People that a hub has counted before it says its prior."""
DRAWS = 40
EncodedVector = tuple[int, int]
"""(attribute, level)."""
KINDS = ("ordinary", "rare value", "rare combination", "several slightly rare")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What exceptions are drawn from: (attribute, level) that are rare, pairs that are, and slightly rare ones."""

    rare: list[EncodedVector]
    pairs: list[tuple[EncodedVector, EncodedVector]]
    slight: list[EncodedVector]

    def draw(self, kind: int, chance: np.random.Generator) -> tuple[int, list[EncodedVector]]:
        """What somebody of ``kind`` (place in ``KINDS``) wears; several slightly rare things where there is none."""
        if kind == 1 and self.rare:
            return kind, [self.rare[chance.integers(len(self.rare))]]
        if kind == 2 and self.pairs:
            return kind, list(self.pairs[chance.integers(len(self.pairs))])
        encode = dict(self.slight[place] for place in chance.permutation(len(self.slight)))
        return 3, list(encode.items())[:4]


def lists_of(people: Levels, sizes: tuple[int, ...]) -> Lists:
    """What is rare among ``people``.

    Rare value: of 0.4 % or less. Rare combination: two levels of 5 % or more each that go together less than a tenth
    as often as by chance. Slightly rare: 1 to 6 %.
    """
    shares = [np.bincount(people[:, place], minlength=size) / len(people) for place, size in enumerate(sizes)]
    rare = [
        (a, int(i)) for a, share in enumerate(shares) for i in np.flatnonzero((share > 0) & (share < 0.004))
    ]
    slight = [
        (a, int(i)) for a, share in enumerate(shares) for i in np.flatnonzero((share > 0.01) & (share < 0.06))
    ]
    pairs = []
    for a, width in enumerate(sizes):
        for b in range(a + 1, len(sizes)):
            cells = np.bincount(people[:, a] * sizes[b] + people[:, b], minlength=width * sizes[b])
            joint = cells.reshape(width, sizes[b]) / len(people)
            common = (shares[a][:, None] >= 0.05) & (shares[b] >= 0.05)
            expected = np.outer(shares[a], shares[b])
            pairs += [
                ((a, int(i)), (b, int(j)))
                for i, j in np.argwhere(common & (joint < 0.1 * expected) & (joint < 8e-4))
                if (a, b) not in SECOND or j != i + 1
            ]
    return Lists(rare=rare, pairs=pairs, slight=slight)


def inject(
    people: Levels, sizes: tuple[int, ...], seed: int, rate: float = 0.01
) -> tuple[Levels, NDArray[np.intp]]:
    """People with exceptions put in, a third of each kind (``lists_of``); and the kind of each person (``KINDS``)."""
    chance = np.random.default_rng(seed)
    lists = lists_of(people, sizes)
    people, kinds = people.copy(), np.zeros(len(people), dtype=np.intp)
    chosen = chance.choice(len(people), int(rate * len(people)), replace=False)
    for turn, person in enumerate(chosen.tolist()):
        kind, encode = lists.draw(1 + turn % 3, chance)
        for place, level in encode:
            people[person, place] = level
        kinds[person] = kind
    return people, kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """AUC by kind (``KINDS`` after the first), of all, and the average precision of all."""

    kinds: tuple[float, float, float]
    mixed: float
    ap: float


def found(strength: NDArray[np.float64], kinds: NDArray[np.intp]) -> Found:
    """How well ``strength`` finds what was put in."""
    odd = kinds > 0
    one, two, three = (auc(strength[~odd | (kinds == k)], odd[~odd | (kinds == k)]) for k in (1, 2, 3))
    return Found(kinds=(one, two, three), mixed=auc(strength, odd), ap=average_precision(strength, odd))


def noise_free(seed: int, people: int) -> tuple[Found, Levels, NDArray[np.intp]]:
    """Exceptions on the street as it is, judged in order; AUC after the first ``BURN`` people."""
    street = Street(seed)
    rows, kinds = inject(street.people(people), street.sizes, seed)
    strength = Stream(Layout.of(street.sizes)).score_and_learn(rows).strength
    return found(strength[BURN:], kinds[BURN:]), rows, kinds


def judge_all(levels: Levels, said: NDArray[np.int8] | None, rarity: Rarity | None = None) -> list[Score]:
    """The hub's own judgement of people who come two seconds apart, all seen by one camera."""
    rarity = rarity or Rarity(Baseline())
    begun = NOON + 2.0 * rarity.baseline.people
    return [
        rarity.score_and_learn(vector, UnitId("north"), Seconds(begun + 2.0 * place))
        for place, vector in enumerate(vectors(levels, said))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterTracks:
    """What is found of the same exceptions by what units say, and at best by who knows the street (``oracle``)."""

    ours: Found
    bound: Found


def judge_said(said: Sequence[AttributeVector], rarity: Rarity | None = None) -> NDArray[np.float64]:
    """The hub's strengths of what a unit said of people who come two seconds apart."""
    rarity = rarity or Rarity(Baseline())
    begun = NOON + 2.0 * rarity.baseline.people
    return np.array(
        [
            rarity.score_and_learn(vector, UnitId("north"), Seconds(begun + 2.0 * place)).strength
            for place, vector in enumerate(said)
        ]
    )


def after_tracks(seed: int, people: int, sight: Sight) -> AfterTracks:
    """The same exceptions seen with frame error, described by a unit that read its hub's prior, judged by the hub."""
    street = Street(seed)
    usual = chain.usual_from_hub(street, sight, LEARNT, NOON)
    ordinary = street.people(people)
    rows, kinds = inject(ordinary, street.sizes, seed)
    frames = street.frames(rows, sight)
    ours = judge_said(chain.said_by_unit(frames, street.sizes, usual))
    lists, chance = lists_of(ordinary, street.sizes), np.random.default_rng(seed)
    several = [lists.draw(3, chance)[1] for _ in range(150)]
    wears = [kind for kind in ([[one] for one in lists.rare], list(map(list, lists.pairs)), several) if kind]
    evidence = oracle.evidence_of(frames, street.sizes, sight.shared)
    bound = oracle.Oracle(street).ratio(evidence, wears)
    return AfterTracks(ours=found(ours[BURN:], kinds[BURN:]), bound=found(bound[BURN:], kinds[BURN:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndToEnd:
    """Of the highest alerts, the share truly in the top 1 % and truly outside the top 5 %, by method."""

    method: str
    top_1: float
    outside_5: float


def end_to_end(seed: int, people: int, sight: Sight, alerts: int = 40) -> list[EndToEnd]:
    """Top alerts under noise against the ranking without it: labels, votes, our chain, and what holds it back."""
    street = Street(seed)
    usual = chain.usual_from_hub(street, sight, LEARNT, NOON)
    prior = chain.prior_of(street.people(LEARNT), street.sizes)
    rows = street.people(people)
    clean = vectors(rows)
    truth = judge_said(clean)
    true_p = 1.0 - (ranks(truth[BURN:]) - 1) / (people - BURN)
    frames = street.frames(rows, sight)
    labels = frames.argmax(axis=3)
    votes = (labels[..., None] == np.arange(frames.shape[3])).sum(axis=1).argmax(axis=2)
    said = chain.said_by_unit(frames, street.sizes, usual)
    seen: dict[str, Sequence[AttributeVector]] = {
        "hard label": vectors(labels[:, 0].astype(np.int32)),
        "majority vote": vectors(votes.astype(np.int32)),
        "frames as if independent": vectors(*chain.describe(frames, street.sizes, prior, 0.0, jointly=False)),
        "prior x tempered likelihood": vectors(
            *chain.describe(frames, street.sizes, prior, sight.shared, jointly=False)
        ),
        "the unit's own code, hub's prior": said,
    }
    strengths = {method: judge_said(vector) for method, vector in seen.items()}
    strengths["the same, true counts"] = _apart(clean, said)
    strengths["true readings, counts by the unit"] = _apart(said, clean)
    strengths["the oracle"] = _likely_rare(street, rows, frames, sight)
    results = []
    for method, strength in strengths.items():
        top = true_p[np.argsort(-strength[BURN:], kind="stable")[:alerts]]
        results.append(
            EndToEnd(method=method, top_1=float((top <= 0.01).mean()), outside_5=float((top > 0.05).mean()))
        )
    return results


def _apart(counted: Sequence[AttributeVector], inspect: Sequence[AttributeVector]) -> NDArray[np.float64]:
    """Strengths of ``inspect`` by a hub that counts ``counted``: which of the two costs what."""
    rarity, strengths = Rarity(Baseline()), []
    for place, (one, other) in enumerate(zip(counted, inspect, strict=True)):
        strengths.append(rarity.score(rarity.encode(other, UnitId("north"))).strength)
        rarity.score_and_learn(one, UnitId("north"), Seconds(NOON + 2.0 * place))
    return np.array(strengths)


def _likely_rare(street: Street, rows: Levels, frames: FloatArray, sight: Sight) -> NDArray[np.float64]:
    """How likely each is truly in the top 1 %, by outfits drawn given the frames, against counts without error."""
    evidence = oracle.evidence_of(frames, street.sizes, sight.shared)
    knows, stream = oracle.Oracle(street), Stream(Layout.of(street.sizes))
    drawn = [knows.draw(evidence, number) for number in range(DRAWS)]
    true, strengths = np.zeros(len(rows)), np.zeros((DRAWS, len(rows)))
    for block in stream.blocks(rows):
        scores = stream.score(rows[block])
        true[block] = scores.strength
        for number, outfits in enumerate(drawn):
            strengths[number, block] = stream.score(outfits[block]).strength
        stream.learn(rows[block], scores)
    least = np.quantile(true[BURN:], 0.99)
    likely: NDArray[np.float64] = (strengths >= least).mean(axis=0) + 1e-6 * strengths.mean(axis=0)
    return likely


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """Share of people flagged at nominal 1 %: on an ordinary day, the first rainy one, a fair's.

    ``fault`` is the share of flags that a broken camera's wrong readings cause.
    """

    nominal: tuple[tuple[float, float], ...]
    rain: float
    fair: float
    fault: float
    fault_unguarded: float


def alarms(seed: int, day: int = 3000) -> Alarms:
    """Two cameras; after two ordinary days an ordinary, a rainy, a fair's, and one on which a camera fails."""
    street = Street(seed)
    rarity = Rarity(Baseline())
    clock = [NOON]

    def spent(levels: Levels, unit: int = -1, wrong: int = -1) -> NDArray[np.float64]:
        shown = levels.copy()
        p = []
        for place, vector in enumerate(vectors(shown)):
            clock[0] += 10.0
            name = UnitId("north" if (place % 2 if unit < 0 else unit) else "south")
            p.append(rarity.score_and_learn(vector, name, Seconds(clock[0])).p)
        clock[0] += 86_400.0 - 10.0 * len(levels)
        del wrong
        return np.array(p)

    for _ in range(2):
        spent(street.people(day))
    ordinary = spent(street.people(2 * day))
    nominal = tuple((q, float((ordinary <= q).mean())) for q in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1))
    rain = float((spent(street.people(day, rain=True)) <= 0.01).mean())
    spent(street.people(day))
    fair = float((spent(street.people(day, fair=0.08)) <= 0.01).mean())
    spent(street.people(day))
    guarded, unguarded = (_fault(street, rarity, clock, day, guard=guard) for guard in (True, False))
    return Alarms(nominal=nominal, rain=rain, fair=fair, fault=guarded, fault_unguarded=unguarded)


def _fault(street: Street, rarity: Rarity, clock: list[float], day: int, *, guard: bool) -> float:
    """From noon one of two cameras reads four in ten white or grey tops as purple; the share of flags by it."""
    mine = Rarity(Baseline(rarity.baseline.state()), rarity.bins())
    people = street.people(day)
    chance = np.random.default_rng(day)
    flags = caused = 0
    for place, vector in enumerate(vectors(people)):
        clock[0] += 10.0
        name = UnitId("north" if place % 2 else "south")
        broken = place > day / 2 and place % 2 and people[place, 0] in (1, 2) and chance.random() < 0.4
        if broken:
            wrong = people[place : place + 1].copy()
            wrong[0, 0] = 9
            vector = vectors(wrong)[0]  # noqa: PLW2901 - what the camera says instead
        if not guard:
            mine.guard._cameras.clear()
        flagged = mine.score_and_learn(vector, name, Seconds(clock[0])).p <= 0.01
        flags += flagged
        caused += bool(broken and flagged)
    return caused / max(1, flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Each claim as (said N, true N), of singles and pairs, from person 50 on."""

    said: NDArray[np.float64]
    true: NDArray[np.float64]

    @property
    def overstated(self) -> float:
        """Share of claims rarer than the truth at all."""
        return float((self.said > self.true).mean())

    @property
    def twice(self) -> int:
        """How many claims are more than twice too rare."""
        return int((self.said > 2 * self.true).sum())


def claims(seed: int, wanted: int = 10_000) -> Claims:
    """Claims made of whoever comes, rare or not, against the street's true shares (of 400,000 people)."""
    street = Street(seed)
    everybody = street.people(400_000)
    positions = everybody + np.array(OFFSETS, dtype=np.int32)
    said: list[float] = []
    true: list[float] = []
    looks = [Score(p=0.001, bits=10, lens=lens, lenses=p, raw=(9, 9, 9))
             for lens, p in ((Lens.SINGLE, (0.001, 1.0, 1.0)), (Lens.PAIR, (1.0, 0.001, 1.0)))]  # fmt: skip
    single = np.bincount(positions.reshape(-1), minlength=STREET.levels) / len(everybody)
    pairs: dict[tuple[int, int], float] = {}
    round_ = 0
    while len(said) < wanted:
        rarity, round_ = Rarity(Baseline()), round_ + 1
        for place, vector in enumerate(vectors(street.people(1500))):
            one = rarity.encode(vector, UnitId("north"))
            if place >= 50 and len(said) < wanted:
                for score in looks:
                    for reason in reasons_for(one, score, rarity.baseline, Seconds(NOON)):
                        if reason.one_in and reason.lens is not Lens.WHOLE:
                            encode = tuple(OFFSETS[a] + level - 1 for a, level in reason.attributes)
                            if len(encode) == 1:
                                share = float(single[encode[0]])
                            else:
                                key = (encode[0], encode[1])
                                if key not in pairs:
                                    (a, _), (b, _) = reason.attributes
                                    both = (positions[:, a] == key[0]) & (positions[:, b] == key[1])
                                    pairs[key] = float(both.mean())
                                share = pairs[key]
                            said.append(reason.one_in)
                            true.append(1.0 / max(share, 1e-6))
            rarity.baseline.count(one, UnitId("north"), Seconds(NOON))
    return Claims(said=np.array(said), true=np.array(true))

from __future__ import annotations

import itertools
import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.unit.vision.tracking.boxes import iou
from appliance.unit.vision.tracking.hungarian import FORBIDDEN, assign
from appliance.unit.vision.tracking.track import Track, TrackRules, TrackStage
from appliance.unit.vision.tracking.tracker import Step, Tracker
from appliance.unit.vision.types import Box, Detection
from tests.walkers import Street, switches

costs = st.integers(1, 6).flatmap(
    lambda columns: st.lists(
        st.lists(st.one_of(st.floats(0, 1), st.just(FORBIDDEN)), min_size=columns, max_size=columns),
        min_size=1,
        max_size=6,
    )
)


def best_by_trying(table: list[list[float]]) -> tuple[int, float]:
    """Most permitted pairs, and their least total cost, by trying every way."""
    rows, columns = len(table), len(table[0])
    if rows > columns:
        return best_by_trying([list(row) for row in zip(*table, strict=True)])
    best = (0, 0.0)
    for way in itertools.permutations(range(columns), rows):
        chosen = [table[row][column] for row, column in enumerate(way) if table[row][column] != FORBIDDEN]
        best = min(best, (-len(chosen), sum(chosen)))
    return -best[0], best[1]


@settings(max_examples=300, deadline=None)
@given(costs)
def test_assignment_is_optimal(table: list[list[float]]) -> None:
    """The assignment has as many pairs and as little cost as the best of all ways to assign."""
    given_to = assign(table)
    chosen = [table[row][column] for row, column in enumerate(given_to) if column is not None]
    pairs, cost = best_by_trying(table)
    assert len(chosen) == pairs
    assert math.isclose(sum(chosen), cost, abs_tol=1e-6)
    taken = [column for column in given_to if column is not None]
    assert len(taken) == len(set(taken))


def test_nobody_is_assigned_where_there_is_nobody() -> None:
    """An empty table gives nobody anything."""
    assert assign([]) == []
    assert assign([[], []]) == [None, None]


def person(x: float, y: float = 200.0, height: float = 120.0, score: float = 0.8) -> Detection:
    width = 0.4 * height
    box = Box(left=x - width / 2, top=y - height / 2, right=x + width / 2, bottom=y + height / 2)
    return Detection(box=box, score=score)


def follow(tracker: Tracker, frames: list[list[Detection]], fps: float = 10.0) -> list[Step]:
    return [tracker.step(found, at / fps, (1000, 600)) for at, found in enumerate(frames)]


def everybody(tracker: Tracker, steps: list[Step]) -> set[int]:
    seen = {track.track for step in steps for track in step.visible}
    return seen | {track.track for track in tracker.end()}


def test_one_walker_is_one_track() -> None:
    """Somebody who walks through the picture is followed as one track from the fourth detection on."""
    tracker = Tracker()
    steps = follow(tracker, [[person(100 + 9 * at)] for at in range(60)])
    assert [len(step.visible) for step in steps] == [0] * 3 + [1] * 57
    assert len(everybody(tracker, steps)) == 1


def test_a_gap_does_not_make_a_second_walker() -> None:
    """Somebody hidden for over a second is found again as the same track."""
    tracker = Tracker()
    frames = [[person(100 + 9 * at)] if not 20 <= at < 33 else [] for at in range(60)]
    steps = follow(tracker, frames)
    assert len(everybody(tracker, steps)) == 1
    assert not any(step.ended for step in steps)


def test_two_who_pass_each_other_keep_their_tracks() -> None:
    """Two people who walk through one another, one of them hidden meanwhile, are not mixed up."""
    tracker = Tracker()
    places: dict[int, list[float]] = {}
    for at in range(61):
        right, left = person(100 + 9 * at, 205), person(640 - 9 * at, 195)
        for track in tracker.step([right] if abs(at - 30) < 3 else [right, left], at / 10).visible:
            places.setdefault(track.track, []).append(track.box.left)
    assert len(places) == 2
    for walked in places.values():
        assert (walked[0] < 370) == (walked[-1] > 370)


def test_ended_is_said_once_and_for_ever() -> None:
    """A track that is not found again within its patience ends once, and whoever comes then is somebody new."""
    tracker = Tracker()
    steps = follow(
        tracker, [[person(300 + 4 * at)] for at in range(10)] + [[] for _ in range(60)] + [[person(330)]] * 6
    )
    ended = [track for step in steps for track in step.ended]
    assert len(ended) == 1
    assert ended[0].stage is TrackStage.ENDED
    assert steps[-1].visible[0].track != ended[0].track


def test_who_leaves_by_the_edge_is_not_looked_for_long() -> None:
    """A track lost at the picture's edge ends sooner than one lost in its middle."""

    def seconds_to_end(start: float) -> float:
        steps = follow(Tracker(), [[person(start + 2 * at)] for at in range(10)] + [[] for _ in range(100)])
        return next(at / 10 for at, step in enumerate(steps) if step.ended) - 0.9

    assert seconds_to_end(955) < seconds_to_end(500) / 2


def test_a_faint_detection_continues_but_never_starts() -> None:
    """Low scores keep a track alive and make none."""
    tracker = Tracker()
    steps = follow(tracker, [[person(100 + 5 * at, score=0.8 if at < 6 else 0.35)] for at in range(30)])
    assert len(steps[-1].visible) == 1
    fresh = Tracker()
    assert not everybody(fresh, follow(fresh, [[person(100, score=0.45)]] * 20))


def test_a_part_of_somebody_is_nobody_new() -> None:
    """A second box inside a person's own, such as the upper half, is never confirmed."""
    tracker = Tracker()
    frames = [[person(100 + 6 * at)] for at in range(6)]
    frames += [[person(100 + 6 * at), person(100 + 6 * at, 175, 70)] for at in range(6, 40)]
    assert len(everybody(tracker, follow(tracker, frames))) == 1


def test_a_thing_has_not_walked() -> None:
    """What trembles in its place has not walked; a walker has."""
    rng = random.Random(1)  # noqa: S311 - not a secret
    tracker = Tracker()
    frames = [[person(300 + rng.gauss(0, 2)), person(500 + 8 * at)] for at in range(50)]
    still, walker = sorted(follow(tracker, frames)[-1].visible, key=lambda track: track.walked)
    assert still.walked < TrackRules().min_displacement < walker.walked


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_tracks_are_disjoint_whatever_is_detected(seed: int) -> None:
    """Whatever comes, no detection belongs to two tracks, none ends twice, and nobody is lost without being ended."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    tracker = Tracker()
    confirmed: set[int] = set()
    ended: list[Track] = []
    for at in range(40):
        found = [
            person(rng.uniform(0, 1000), rng.uniform(0, 600), rng.uniform(20, 300), rng.random())
            for _ in range(rng.randrange(7))
        ]
        step = tracker.step(found, at / 5 + rng.random() / 10, (1000, 600))
        boxes = [id(track.box) for track in step.visible]
        assert len(boxes) == len(set(boxes))
        confirmed |= {track.track for track in step.visible}
        ended += step.ended
    ended += tracker.end()
    assert sorted(confirmed) == sorted(track.track for track in ended)


def test_time_stands_still_without_harm() -> None:
    """Two frames with one time stamp are no error."""
    tracker = Tracker()
    for _ in range(5):
        tracker.step([person(100)], 1.0)
    assert tracker.step([person(100)], 1.0).visible == ()


def followed(street: Street) -> tuple[int, int]:
    """Tracks that walked on a street, and identity switches."""
    tracker, walked = Tracker(), set()
    moments = []
    for moment in street.moments():
        visible = tracker.step(moment.detections, moment.at, (1280, 720)).visible
        walked |= {track.track for track in visible if track.walked >= TrackRules().min_displacement}
        moments.append((moment, {track.track: track.predicted for track in visible}))
    return len(walked), switches(moments)


def test_walkers_of_a_quiet_street_are_counted_once() -> None:
    """Six walkers a minute, some in pairs, behind vans and posts: counts within 5 %, at most 15 switches in 100."""
    streets = [Street(seed, people=6, occluders=3) for seed in range(400, 412)]
    counted, switched = (sum(each) for each in zip(*(followed(street) for street in streets), strict=True))
    visits = sum(street.visits for street in streets)
    assert abs(counted - visits) <= 0.05 * visits
    assert switched <= 0.15 * visits


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_tracks_of_any_street_stay_apart(seed: int) -> None:
    """On any crowded street no two tracks of a frame are one track, times never fall, and ended is ended."""
    tracker, gone = Tracker(), set()
    for moment in Street(seed, seconds=12, people=40).moments():
        step = tracker.step(moment.detections, moment.at, (1280, 720))
        numbers = [track.track for track in step.visible]
        assert len(numbers) == len(set(numbers))
        assert not gone & set(numbers)
        assert all(track.seen == moment.at for track in step.visible)
        gone |= {track.track for track in step.ended}


def test_whoever_stood_and_vanished_is_looked_for_longer() -> None:
    """Somebody who stood still and was hidden for six seconds is the same; somebody who walked so long is not."""
    tracker = Tracker()
    steps = follow(tracker, [[person(500)]] * 20 + [[]] * 60 + [[person(500)]] * 10)
    assert len(everybody(tracker, steps)) == 1
    tracker = Tracker()
    steps = follow(tracker, [[person(200 + 9 * at)] for at in range(20)] + [[]] * 60 + [[person(500)]] * 10)
    assert len(everybody(tracker, steps)) == 2


def test_one_box_of_two_goes_to_the_nearer() -> None:
    """Two people share one box while one passes behind the other: the nearer keeps their track in every frame."""
    tracker = Tracker()
    nearer: set[int] = set()
    for at in range(60):
        front, behind = person(300 + 6 * at, 206), person(340 + 4.5 * at, 194)
        found = [front] if iou(front.box, behind.box) > 0.45 else [front, behind]
        nearer |= {track.track for track in tracker.step(found, at / 10).visible if track.box is front.box}
    assert len(nearer) == 1
    assert len(tracker.end()) == 2


def test_a_box_around_two_keeps_both() -> None:
    """While two who were followed are one wide box, both tracks go on at its sides, and neither is looked at."""
    tracker = Tracker()
    for at in range(30):
        left, right = person(300 + 6 * at), person(340 + 6 * at)
        both = Detection(
            box=Box(left=left.box.left, top=left.box.top, right=right.box.right, bottom=left.box.bottom),
            score=0.7,
        )
        step = tracker.step([both] if 12 <= at < 26 else [left, right], at / 10)
        if at > 5:
            assert len(step.visible) == 2
            assert all(track.alone is not (12 <= at < 26) for track in step.visible)
    assert len(tracker.end()) == 2


def test_who_enters_cut_by_the_edge_moves_at_full_speed() -> None:
    """Of somebody who walks in through the frame's left edge the predicted middle is right while half is outside."""
    tracker = Tracker()
    for at in range(12):
        whole = person(-20 + 8 * at).box
        cut = Box(left=max(0.0, whole.left), top=whole.top, right=whole.right, bottom=whole.bottom)
        if cut.right > 6:
            step = tracker.step([Detection(box=cut, score=0.7)], at / 10, (1000, 600))
    guess = step.visible[0].predicted
    assert abs((guess.left + guess.right) / 2 - 68) < 6

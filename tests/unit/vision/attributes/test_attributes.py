from __future__ import annotations

import cv2
import numpy as np
import pytest

from appliance.protocol.values import AttributeVector
from appliance.protocol.vocabulary import ATTRIBUTES
from appliance.unit.vision.attributes.colours import linear
from appliance.unit.vision.attributes.fusion import describe
from appliance.unit.vision.attributes.reading import read
from appliance.unit.vision.models.pose_estimator import standing
from appliance.unit.vision.regions import headless
from appliance.unit.vision.types import Box, Frame, Joint
from tests.cards import CROSSTALK, TUNGSTEN, Camera

GAINS = np.ones(3, np.float32)
BOX = Box(left=60, top=20, right=150, bottom=240)
RGB = tuple[int, int, int]

# Ten tones from light to dark, as in the Monk Skin Tone scale's published hexadecimal values.
TONES: tuple[RGB, ...] = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip


def doll(
    *,
    top: RGB,
    bottom: RGB,
    forearm: RGB,
    shin: RGB,
    skin: RGB,
    seed: int = 0,
    box: Box = BOX,
    light: np.ndarray = GAINS,
) -> AttributeVector:
    """What is read of a rendered upright figure, over six noisy glances."""
    pose = standing(box)
    rng = np.random.default_rng(seed)
    glances = []
    for _ in range(6):
        pixels = np.full((260, 210, 3), (150, 150, 145), np.uint8)
        width = round(0.13 * box.height)

        def limb(joints: tuple[Joint, Joint], colour: RGB, thick: int, canvas: np.ndarray = pixels) -> None:
            a, b = (pose[joint] for joint in joints)
            cv2.line(canvas, (round(a.x), round(a.y)), (round(b.x), round(b.y)), colour, thick)

        for side in ("LEFT", "RIGHT"):
            limb((Joint[f"{side}_HIP"], Joint[f"{side}_KNEE"]), bottom, width)
            limb((Joint[f"{side}_KNEE"], Joint[f"{side}_ANKLE"]), shin, round(0.75 * width))
        corners = [
            pose[joint]
            for joint in (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER, Joint.RIGHT_HIP, Joint.LEFT_HIP)
        ]
        cv2.fillConvexPoly(pixels, np.array([(round(p.x), round(p.y)) for p in corners], np.int32), top)
        for side in ("LEFT", "RIGHT"):
            limb((Joint[f"{side}_SHOULDER"], Joint[f"{side}_ELBOW"]), top, round(0.6 * width))
            limb((Joint[f"{side}_ELBOW"], Joint[f"{side}_WRIST"]), forearm, round(0.5 * width))
            elbow, wrist = pose[Joint[f"{side}_ELBOW"]], pose[Joint[f"{side}_WRIST"]]
            hand = (round(wrist.x + 0.2 * (wrist.x - elbow.x)), round(wrist.y + 0.2 * (wrist.y - elbow.y)))
            cv2.circle(pixels, hand, round(0.3 * width), skin, -1)
        noisy = np.clip(pixels + rng.normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
        blurred = np.asarray(cv2.GaussianBlur(noisy, (3, 3), 0.6), np.uint8)
        person = headless(Frame(pixels=blurred, at=0.0), pose)
        assert person is not None
        glances.append(read(person, light))
    return describe(glances)


@pytest.mark.parametrize(
    ("top", "name"),
    [((200, 30, 40), "red"), ((30, 40, 130), "blue"), ((25, 25, 28), "black"), ((240, 240, 238), "white")],
)
def test_the_top_has_its_colour(top: RGB, name: str) -> None:
    """A red, blue, black or white top is called so, plain, with no second colour."""
    worn = doll(top=top, bottom=(60, 60, 62), forearm=top, shin=(60, 60, 62), skin=TONES[4])
    assert worn.word("top.colour") == name
    assert worn.word("top.accent") in {"none", "unknown"}
    assert worn.word("top.pattern") == "plain"


def test_the_cards_matrix_gives_cloth_its_colour_back() -> None:
    """Under a warm lamp pale grey and blue look otherwise; by the camera's matrix they are called what they are."""
    camera, rng = Camera(lamp=TUNGSTEN, crosstalk=CROSSTALK, exposure=0.7), np.random.default_rng(0)

    def seen(colour: RGB) -> RGB:
        red, green, blue = camera.sees(linear(np.array([[colour]], np.uint8)).astype(np.float64), rng)[0, 0]
        return int(red), int(green), int(blue)

    shirt, trousers, skin = seen((190, 190, 190)), seen((70, 90, 170)), seen(TONES[4])
    matrix = np.linalg.inv(camera.matrix).astype(np.float32)
    raw, mended = (
        doll(top=shirt, bottom=trousers, forearm=shirt, shin=trousers, skin=skin, light=light)
        for light in (GAINS, matrix)
    )
    assert (raw.word("top.colour"), raw.word("bottom.colour")) != ("grey", "blue")
    assert (mended.word("top.colour"), mended.word("bottom.colour")) == ("grey", "blue")


@pytest.mark.parametrize(("cloth", "name"), [((255, 145, 10), "orange"), ((235, 205, 40), "yellow")])
def test_a_rare_colour_is_said(cloth: RGB, name: str) -> None:
    """Trousers of a colour that one in a hundred wears are called so whatever is usual."""
    worn = doll(top=(60, 60, 62), bottom=cloth, forearm=(60, 60, 62), shin=cloth, skin=TONES[6])
    assert worn.word("bottom.colour") == name


def test_top_and_bottom_are_told_apart() -> None:
    """Each half has its own colour; of one piece nothing is said."""
    worn = doll(
        top=(230, 200, 40), bottom=(40, 60, 140), forearm=(230, 200, 40), shin=(40, 60, 140), skin=TONES[6]
    )
    assert (worn.word("top.colour"), worn.word("bottom.colour")) == ("yellow", "blue")
    assert worn.word("one_piece") == "unknown"
    assert worn.word("lower.kind") == "trousers"


@pytest.mark.parametrize("skin", TONES, ids=[f"tone{number}" for number in range(1, 11)])
def test_bare_arms_are_short_sleeves_whatever_the_tone(skin: RGB) -> None:
    """Bare forearms under a green top are short sleeves, covered ones long, in each of ten skin tones."""
    green, grey = (30, 140, 60), (120, 120, 125)
    bare = doll(top=green, bottom=grey, forearm=skin, shin=grey, skin=skin)
    covered = doll(top=green, bottom=grey, forearm=green, shin=grey, skin=skin)
    assert (bare.word("sleeves"), covered.word("sleeves")) == ("short", "long")


@pytest.mark.parametrize("skin", TONES, ids=[f"tone{number}" for number in range(1, 11)])
def test_skin_never_colours_cloth(skin: RGB) -> None:
    """The same clothes have the same colours, accents and patterns in each of ten skin tones, limbs bare or not."""

    def cloth(worn: AttributeVector) -> list[str]:
        return [worn.word(a.name) for a in ATTRIBUTES if a.name.startswith(("top.", "bottom."))]

    blue, red = (40, 70, 170), (190, 40, 45)
    dressed = doll(top=red, bottom=blue, forearm=red, shin=blue, skin=TONES[0])
    bare = doll(top=red, bottom=blue, forearm=skin, shin=skin, skin=skin)
    assert cloth(bare) == cloth(dressed)


def test_cloth_like_the_hands_says_nothing_of_sleeves() -> None:
    """Where cloth and hands look alike, sleeves stay unknown rather than wrong."""
    worn = doll(top=TONES[5], bottom=(60, 60, 60), forearm=TONES[5], shin=(60, 60, 60), skin=TONES[5])
    assert worn.word("sleeves") == "unknown"


def test_the_distant_are_not_judged_by_their_hands() -> None:
    """Somebody a hundred pixels high has sleeves unknown, but colours known."""
    far = Box(left=90, top=60, right=130, bottom=160)
    worn = doll(
        top=(200, 30, 40),
        bottom=(40, 40, 42),
        forearm=(200, 30, 40),
        shin=(40, 40, 42),
        skin=TONES[2],
        box=far,
    )
    assert worn.word("sleeves") == "unknown"
    assert worn.word("top.colour") == "red"

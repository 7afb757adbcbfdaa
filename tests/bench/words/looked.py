"""One person's six glances: what the unit measured in each, beside what is truly worn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from appliance.unit.vision.attributes.reading import Measured

GLANCES = 6
CLEAR = 0.8
"""Share of a name from which on nobody would call the colour otherwise."""
SECOND, MOST_SECOND = 0.30, 0.42
"""Share of the cloth from which on a second colour is a clear one, and above which it may as well be the first."""


@dataclass(slots=True, kw_only=True)
class Person:
    """Who was looked at: ``truth`` is a word by attribute (absent: nobody can tell), ``glances`` what was measured.

    ``source`` is "drawn" or "photo", ``height`` the intended one in the frame.
    """

    source: str
    name: str
    height: int
    truth: dict[str, str]
    glances: list[Measured] = field(default_factory=list)


def chosen(people: Sequence[Person], *, choice: bool) -> list[Person]:
    """The half of the photographed people that constants are chosen on, or the half that is reported."""
    return [one for one in people if (int(one.name) % 2 == 1) is choice]

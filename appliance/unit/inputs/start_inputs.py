"""What SENSE was given to go by, before its walls stood; nothing comes after.

Law: values that were believed where they were read (``prior_file``, ``colour_matrix``, ``zones``, ``lock``); nothing
here is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.protocol.prior import Prior
from appliance.protocol.setup_order import Zone
from appliance.unit.inputs.colour_matrix import CameraMatrix


@dataclass(frozen=True, slots=True)
class StartInputs:
    """The hub's prior and the camera's colour matrix; None: the shipped prior, colours as the camera gives them.

    ``zones``: where in the picture nobody counts. ``locked``: whether this unit is locked.
    """

    prior: Prior | None = None
    matrix: CameraMatrix | None = None
    zones: tuple[Zone, ...] = ()
    locked: bool = False


NOTHING: Final = StartInputs()

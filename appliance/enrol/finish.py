"""The last step of an enrolment on the unit: ``unit.toml`` from the booth's answer.

Invariant: it is written once the keys and certificates are in place; where it is, the unit is enrolled.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.enrol import files, start
from appliance.enrol.home import UnitHome
from appliance.enrol.request import EnrolmentAnswer
from appliance.settings import config

_SYSTEM_KEY: Final = Path("/run/credentials/leftfield-relay.service/tls.key")


def write_settings(
    home: UnitHome, answer: EnrolmentAnswer, *, source: str, systemd: bool, walls: str = "", host: str = ""
) -> None:
    """Write ``unit.toml`` for a unit whose answer is installed. Unfit where the settings cannot be used.

    ``source`` is the camera; ``systemd`` whether its services start the processes. ``walls`` is ``required`` or
    ``every``, else what this kernel has; ``host`` is where the broker is reached, else what the answer says.
    """
    settings = config.UnitConfig(
        booth=answer.booth,
        unit=answer.unit,
        broker=home.broker(replace(answer, host=host or answer.host), key=_SYSTEM_KEY if systemd else None),
        camera=config.CameraConfig(source=source),
        public_key=home.public_key(),
        hub_key=bytes.fromhex(answer.hub_key),
        encryption_required=bool(answer.hub_key),
        walls=walls or (start.walls_of_this_kernel() if systemd else "required"),
    )
    if not systemd:
        settings = replace(
            settings,
            pipe=home.directory / "pipe",
            spool=home.directory / "spool",
            prior=home.directory / "hub.prior",
            matrix=home.directory / "camera.matrix",
            order=home.directory / "order",
            zones=home.directory / "camera.zones",
        )
    files.write_unit_config(home.config, settings)

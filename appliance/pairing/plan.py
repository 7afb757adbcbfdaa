"""What a unit was told at flashing: `pairing.toml` in its directory, with the hub's address and the camera.

Invariant: the file may be missing, and so may each of its keys; what is there must be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from appliance.settings import config
from appliance.settings.toml_table import load

PLAN_FILE: Final = "pairing.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPlan:
    """Address of the hub, and the camera; empty where nothing was told."""

    hub: str = ""
    source: str = ""


def told_plan(directory: Path) -> ToldPlan:
    """What ``pairing.toml`` says. Unfit where it has a key that is not known, or a source on a network."""
    path = directory / PLAN_FILE
    if not path.exists():
        return ToldPlan()
    root = load(path)
    told = ToldPlan(hub=root.get("hub", str, default=""), source=root.get("source", str, default=""))
    root.end()
    if told.source:
        config.refuse_network_source(told.source, f"{path}: source")
    return told


def camera_here() -> str:
    """The camera of this machine: the first video device, else the Raspberry Pi's own where its library is there."""
    if not Path("/dev/video0").exists() and find_spec("picamera2"):
        return "picamera2"
    return "/dev/video0"

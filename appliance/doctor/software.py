"""What this machine is and runs: its settings, its version, its models and their hashes, its public notice."""

from __future__ import annotations

import hashlib
import importlib
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance import __version__
from appliance.base.errors import LeftfieldError
from appliance.doctor.findings import Finding, good, note, unseen, wrong
from appliance.doctor.machine import Machine
from appliance.enrol import start
from appliance.settings import config as configs
from appliance.settings import this_image
from appliance.settings.config import HubConfig, UnitConfig
from appliance.settings.this_image import ThisImage

_CATALOGUE: Final = "appliance.unit.vision.models.catalogue"
"""Not on a hub: its package has no eyes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a machine is: ``role`` is unit or hub, empty where it is neither; its settings, where they can be read."""

    role: str
    settings: UnitConfig | HubConfig | None
    image: ThisImage | None
    trouble: Finding | None = None

    @property
    def heading(self) -> str:
        """One line that says what was looked at."""
        name = ""
        if isinstance(self.settings, UnitConfig):
            name = f" {self.settings.unit} of booth {self.settings.booth}"
        elif self.settings is not None:
            name = f" of booth {self.settings.booth}"
        made = f", image {self.image.version}" if self.image else ""
        return f"leftfield doctor: {self.role or 'neither unit nor hub'}{name}, version {__version__}{made}"


def about(machine: Machine, directory: Path) -> About:
    """What this machine is, by what lies in ``directory``."""
    try:
        image = this_image.read(machine.path(this_image.ABOUT))
    except LeftfieldError:
        image = None
    for role, name, read in (
        ("unit", "unit.toml", configs.unit_config),
        ("hub", "hub.toml", configs.hub_config),
    ):
        path = machine.path(directory / name)
        try:
            there = path.exists()
        except OSError:
            there = False
        if there:
            try:
                return About(role=role, settings=read(path), image=image)
            except LeftfieldError as error:
                trouble = wrong("config.readable", str(error), about=name, fix=error.fix or "mend the file")
                return About(role=role, settings=None, image=image, trouble=trouble)
    trouble = wrong(
        "config.readable", f"there is neither unit.toml nor hub.toml in {directory}",
        fix="enrol it (leftfield pair, leftfield enrol), or name another --directory",
    )  # fmt: skip
    return About(role=image.role if image else "", settings=None, image=image, trouble=trouble)


def looked_at(found: About) -> Iterator[Finding]:
    """Settings, version, models, notice."""
    yield good(
        "software.version", f"{__version__} on Linux {platform.release()}, Python {platform.python_version()}"
    )
    if found.trouble:
        yield found.trouble
    if isinstance(found.settings, UnitConfig):
        yield good("config.readable", "unit.toml can be used")
        yield walls_judged(found.settings.walls, start.walls_of_this_kernel(quiet=True))
        yield from models(found.settings.models)
    elif isinstance(found.settings, HubConfig):
        yield good("config.readable", "hub.toml can be used")
        missing = found.settings.notice.missing
        if missing:
            fix = f"write {', '.join(missing)} under [notice] in hub.toml; systemctl restart leftfield-pages"
            yield note("notice.complete", f"the public page is closed: {', '.join(missing)} missing", fix=fix)
        else:
            yield good("notice.complete", "the public page is open")


def walls_judged(asked: str, possible: str) -> Finding:
    """What is to be said of ``[sense] walls``. Pure."""
    if asked == "every":
        return good("walls.required", "SENSE refuses to see where any wall is missing")
    if possible == "every":
        fix = 'write walls = "every" under [sense] in unit.toml; systemctl restart leftfield-sense'
        return wrong(
            "walls.required", "this kernel has every wall, and the unit would see without some", fix=fix
        )
    return note(
        "walls.required", "this kernel lacks a wall of the second line; those of the first are required"
    )


def models(directory: Path | None) -> Iterator[Finding]:
    """Each model's hash against MODELS.toml, and where they come from."""
    try:
        catalogue = importlib.import_module(_CATALOGUE)
        place = directory or catalogue.default_model_directory()
        listed = catalogue.read_catalogue(place).models
    except ImportError:
        return
    except LeftfieldError as error:
        yield wrong("models.hashes", str(error), fix=error.fix or "install the package anew")
        return
    if directory:
        yield note("models.place", f"models of {directory}, not those that came with the package")
    for model in listed:
        for path, expected in (
            (model.path, model.sha256),
            *(((model.compiled.path, model.compiled.sha256),) if model.compiled else ()),
        ):
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except PermissionError:
                yield unseen("models.hashes", f"{path} may not be read", model.name)
                continue
            except OSError as error:
                yield wrong(
                    "models.hashes",
                    f"{path}: {error.strerror}",
                    about=model.name,
                    fix="install the package anew",
                )
                continue
            if digest == expected:
                yield good("models.hashes", f"sha256 {digest[:16]}… as MODELS.toml says", model.name)
            else:
                fix = "install the package anew, and find out who changed it"
                yield wrong(
                    "models.hashes",
                    f"{path.name} is not the file that MODELS.toml vouches for",
                    about=model.name,
                    fix=fix,
                )

"""The services that only an image has: how far each is exposed, by systemd's own assessment of the file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from appliance.image import recipe
from appliance.image.recipe import ROLES, Recipe

MOST = {"leftfield-update": 2.0, "leftfield-wifi": 2.5, "leftfield-firewall": 1.5, "leftfield-hostname": 1.5}
"""The update writes partitions, so it is root with the disks; Wi-Fi speaks in raw frames."""
OTHERS = 1.5
SHELLS = {"leftfield-first-start", "leftfield-ssh-key"}
"""Run once, at the first start, to make keys: as any maintainer script."""


def services(role: str) -> dict[str, str]:
    files = recipe.build_files(Recipe(role=role, arch="amd64", version="1.0", epoch=1))
    found = {}
    for path, text in files.items():
        name = Path(path).name
        if name.startswith("leftfield-") and name.endswith(".service"):
            found[name.removesuffix(".service")] = text
    return found


@pytest.mark.parametrize("role", ROLES)
def test_how_far_each_service_of_the_image_is_exposed(role: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze: the assessment is systemd's")
    looked = services(role)
    assert {"leftfield-firewall", "leftfield-hostname", "leftfield-wifi"} <= set(looked)
    for name in set(looked) - SHELLS:
        unit = tmp_path / f"{name}.service"
        unit.write_text(looked[name])
        words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
        said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        level = re.search(r"exposure level for \S+: ([0-9.]+)", said)
        assert level, name
        assert float(level[1]) <= MOST.get(name, OTHERS), name


def test_what_applies_an_update_reaches_no_key_and_no_network() -> None:
    text = services("unit")["leftfield-update"]
    hidden = next(line for line in text.splitlines() if line.startswith("InaccessiblePaths="))
    assert "-/etc/leftfield " in hidden
    assert "PrivateNetwork=yes" in text
    assert "CapabilityBoundingSet=CAP_SYS_ADMIN CAP_DAC_OVERRIDE\n" in text

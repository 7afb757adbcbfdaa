"""The steps that install a hub: shipped, documented and printed, they bring the broker up with our settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance import cli

ROOT = Path(__file__).parents[2]
SCRIPTS = (ROOT / "provisioning" / "install.sh", ROOT / "provisioning" / "deb" / "hub.postinst")


def _by_hand() -> str:
    """The documented steps of who installs a hub without the package (the package's own script restarts)."""
    text = (ROOT / "docs" / "install.md").read_text("utf-8")
    return text[text.index("\n## The hub\n") :]


def _printed(directory: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["booth", "create", "corner", "--systemd", "--directory", str(directory)]) == 0
    return capsys.readouterr().out


def _commands(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_the_broker_is_restarted_wherever_it_is_first_configured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Debian starts mosquitto with its own settings; only a restart opens the ports of the booth."""
    scripts = (path.read_text("utf-8") for path in SCRIPTS)
    for text in map(_commands, (*scripts, _by_hand(), _printed(tmp_path / "booth", capsys))):
        assert "systemctl restart mosquitto" in text
        assert not re.search(r"enable[^\n]* --now[^\n]*mosquitto", text)
        before = text[: text.index("systemctl restart mosquitto")]
        assert "reload mosquitto" not in before

"""The steps that install a hub: shipped, documented and printed, they bring the broker up with our settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance import cli

ROOT = Path(__file__).parents[2]
STEPS = (ROOT / "docs" / "install.md", ROOT / "provisioning" / "install.sh")


def _printed(directory: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(["booth", "create", "corner", "--systemd", "--directory", str(directory)]) == 0
    return capsys.readouterr().out


def test_the_broker_is_restarted_wherever_it_is_first_configured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Debian starts mosquitto with its own settings; only a restart opens the ports of the booth."""
    for text in (*(path.read_text("utf-8") for path in STEPS), _printed(tmp_path / "booth", capsys)):
        assert "systemctl restart mosquitto" in text
        assert not re.search(r"enable --now[^\n]*mosquitto", text)
        by_hand = text.partition("### By hand")[2] or text  # a package restarts the broker itself
        before = by_hand[: by_hand.index("systemctl restart mosquitto")]
        assert "systemctl reload mosquitto" not in before

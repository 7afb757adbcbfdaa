"""A newer package, none, and nothing left: the last tests of the booth, for it is gone then."""

from __future__ import annotations

import pytest

from tests.boot.booth import CACHE, Booth
from tests.boot.machines import packages, until

pytestmark = pytest.mark.boot


def test_an_upgrade_keeps_everything_remove_leaves_it_and_purge_erases(booth: Booth) -> None:
    """With units talking: the newer package goes on with keys and counts; removed, they stay; purged, they go."""
    newer = packages(CACHE, "0.9.1")["hub"]
    authority = (booth.hub.tree / "etc/leftfield/authority/ca.key").read_bytes()
    before = booth.admitted()
    booth.hub.install(newer)
    assert (booth.hub.tree / "etc/leftfield/authority/ca.key").read_bytes() == authority
    until(lambda: booth.admitted() > before, "statements after the upgrade", 90)
    booth.hub.shell("apt-get remove --yes leftfield-hub")
    assert (booth.hub.tree / "var/lib/leftfield/hub/hub.sqlite").exists()
    assert not (booth.hub.tree / "usr/lib/leftfield").exists()
    booth.hub.shell("apt-get purge --yes leftfield-hub")
    assert not (booth.hub.tree / "etc/leftfield").exists()
    assert not (booth.hub.tree / "var/lib/leftfield").exists()

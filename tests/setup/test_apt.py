"""Which packages set-up unpacks beside the system: what apt's own resolver names, less what must not lie there."""

from __future__ import annotations

from pathlib import Path

import pytest

from setup.apt import Apt, needed

SAID = """\
Reading package lists...
'mirror/a' gcc-12-base_12.2.0-14_amd64.deb 37 SHA256:0
'mirror/b' libc6_2.36-9_amd64.deb 28 SHA256:0
'mirror/c' adduser_3.134_all.deb 14 SHA256:0
'mirror/d' libcap2_1%3a2.66-4_amd64.deb 27 SHA256:0
'mirror/e' libdlt2_2.18.8-6_amd64.deb 50 SHA256:0
'mirror/f' mosquitto_2.0.11-1.2_amd64.deb 27 SHA256:0
"""


def test_the_package_and_its_libraries_are_unpacked_and_nothing_else() -> None:
    """Libraries that the system lacks come along; scripts, accounts and the C library do not."""
    assert needed(SAID, "mosquitto") == ("mosquitto", "libcap2", "libdlt2")


def test_a_package_that_is_there_already_is_unpacked_alone() -> None:
    """Where apt would download nothing, only the package itself is fetched."""
    assert needed("mosquitto is already the newest version\n", "mosquitto") == ("mosquitto",)


@pytest.mark.parametrize("private", [None, Path("/cache/apt")])
def test_apt_never_locks_or_writes_the_systems_state(private: Path | None) -> None:
    """Every call runs without root: no lock is taken, and private lists lie in the cache directory."""
    options = Apt(cache=Path("/cache"), private=private).options()
    assert "Debug::NoLocking=1" in options
    assert (f"Dir::State::lists={private}/lists" in options) is (private is not None)

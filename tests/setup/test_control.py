"""Which packages set-up unpacks beside the system: Debian's relations and the closure over them."""

from __future__ import annotations

import pytest

from setup.apt import installed_names
from setup.control import Package, closure, packages, relation

SHOWN = """\
Package: mosquitto
Version: 2.0.11-1.2
Pre-Depends: init-system-helpers (>= 1.54~)
Depends: adduser (>= 3.10), libcjson1 (>= 1.7.13), libc6 (>= 2.34), libsystemd0 | libelogind0,
 libwrap0 (>= 7.6-4~), python3:any
Size: 409696
Description: MQTT broker
 with a line that goes on
 .
 and: a colon

Package: libwrap0
Version: 7.6.q-32
Depends: libc6 (>= 2.33), libnsl2 (>= 1.0)
Size: 54000
"""

STATUS = """\
Package: libssl3
Status: install ok installed
Provides: libssl-abi (= 3), libcrypto3

Package: libgone1
Status: deinstall ok config-files
"""


def package(name: str, *needs: tuple[str, ...]) -> Package:
    return Package(name=name, version="1", needs=needs, provides=(), size_bytes=1, installed=False)


def closure_of(root: str, *known: Package, present: tuple[str, ...] = ()) -> list[str]:
    index = {one.name: one for one in known}
    found = closure(
        root,
        look_up=lambda names: {name: index[name] for name in names if name in index},
        present=frozenset(present),
    )
    return [one.name for one in found]


def test_a_shown_package_gives_its_needs_without_versions_and_its_size() -> None:
    """Of a package paragraph the needs are names and choices of names, joined over continued lines."""
    broker, wrap = packages(SHOWN)

    assert broker.needs == (
        ("init-system-helpers",),
        ("adduser",),
        ("libcjson1",),
        ("libc6",),
        ("libsystemd0", "libelogind0"),
        ("libwrap0",),
        ("python3",),
    )
    assert (broker.size_bytes, wrap.name, wrap.version) == (409696, "libwrap0", "7.6.q-32")


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("", ()),
        ("libstdc++6 (>= 13.1), libwebsockets19t64", (("libstdc++6",), ("libwebsockets19t64",))),
        ("a1 [amd64 arm64] | b2 <!nocheck>", (("a1", "b2"),)),
        (" , ,", ()),
    ],
)
def test_a_relation_is_read_without_versions_architectures_and_profiles(
    text: str, needs: tuple[tuple[str, ...], ...]
) -> None:
    """Versions, architectures and build profiles do not become names; empty clauses vanish."""
    assert relation(text) == needs


def test_the_closure_follows_libraries_of_libraries() -> None:
    """A library's own libraries are unpacked too, each once, however often it is needed."""
    known = (
        package("mosquitto", ("libwrap0",), ("libdlt2",)),
        package("libwrap0", ("libnsl2",)),
        package("libdlt2", ("libnsl2",), ("mosquitto",)),
        package("libnsl2"),
    )

    assert closure_of("mosquitto", *known) == ["mosquitto", "libdlt2", "libwrap0", "libnsl2"]


def test_the_closure_leaves_out_what_the_system_has() -> None:
    """A library that is installed, or of which an alternative is installed or provided, is not unpacked."""
    known = (
        package("mosquitto", ("libssl3",), ("libelogind0", "libsystemd0")),
        package("libssl3"),
        package("libelogind0"),
    )

    assert closure_of("mosquitto", *known, present=("libssl3", "libsystemd0")) == ["mosquitto"]


def test_the_closure_never_holds_the_c_library_nor_programs() -> None:
    """The C library beside the system's own cannot be loaded, and scripts and accounts are not installed."""
    needs = (("libc6",), ("libgcc-s1",), ("libstdc++6",), ("gcc-12-base",), ("adduser",), ("libcjson1",))
    known = (package("mosquitto", *needs), *(package(names[0]) for names in needs))

    assert closure_of("mosquitto", *known) == ["mosquitto", "libcjson1"]


def test_an_unknown_package_is_a_lookup_error() -> None:
    """Asking for a package no list knows is told, so that fresh lists can be fetched."""
    with pytest.raises(LookupError, match="mosquitto"):
        closure_of("mosquitto")


def test_only_installed_packages_and_what_they_provide_are_present() -> None:
    """A package that was removed and left its settings behind is not present."""
    assert installed_names(STATUS) == {"libssl3", "libssl-abi", "libcrypto3"}

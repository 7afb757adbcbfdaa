"""What a network that is flooded with announcements, or a name that is never found, can do to a unit that looks."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from zeroconf import ServiceStateChange

from appliance.pairing import finder
from appliance.pairing import unit as unit_module
from appliance.pairing.finder import MOST_FOUND, SERVICE, Finder


class Announced:
    """An announcement that says an address of its own."""

    def __init__(self, kind: str, name: str) -> None:
        self.port, self._name = 8884, name
        del kind

    async def async_request(self, zeroconf: Any, milliseconds: float) -> bool:
        """It answers at once."""
        del zeroconf, milliseconds
        return True

    def parsed_addresses(self, version: Any) -> list[str]:
        """A private address for each name."""
        del version
        return [f"10.0.0.{int(self._name.split('.')[0].removeprefix('hub'))}"]


def test_a_flood_of_hubs_is_bounded_and_the_first_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two hundred announcements few are asked after and fewer called; one that leaves makes room."""
    monkeypatch.setattr(finder, "AsyncServiceInfo", Announced)
    nobody: Any = SimpleNamespace()

    async def story() -> None:
        found = Finder()
        for number in range(200):
            found._changed(nobody, SERVICE, f"hub{number}.{SERVICE}", ServiceStateChange.Added)
        assert len(found._asking) == finder._MOST_KNOWN
        await asyncio.gather(*found._asking)
        assert [hub.host for hub in found.hubs] == [f"10.0.0.{number}" for number in range(MOST_FOUND)]
        found._changed(nobody, SERVICE, f"hub201.{SERVICE}", ServiceStateChange.Added)
        assert not found._asking
        found._changed(nobody, SERVICE, f"hub0.{SERVICE}", ServiceStateChange.Removed)
        assert found.hubs[0].host == "10.0.0.1"

    asyncio.run(story())


def test_a_name_that_is_looked_up_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up ends after its time, and after an error at once; a name that is found is kept."""
    monkeypatch.setattr(unit_module, "LOOK_UP_SECONDS", 0.05)
    answers: dict[str, Any] = {"slow": asyncio.Event, "gone": socket.gaierror, "here": None}

    async def look_up(host: str, port: Any) -> list[Any]:
        del port
        if answers[host] is asyncio.Event:
            await asyncio.Event().wait()
        if answers[host]:
            raise answers[host]
        return []

    async def story() -> list[bool]:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        return [await unit_module._resolves(host) for host in answers]

    assert asyncio.run(story()) == [False, False, True]

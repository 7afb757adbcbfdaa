"""How units find the hub: the hub announces its pairing port by multicast DNS, a unit looks for it (RFC 6762, 6763).

Invariants:
    * An announcement is a hint and nothing more: whoever answers must still prove the code.
    * The hub's ``NAME.local`` is answered as well, so that the name in its certificate leads to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from zeroconf import IPVersion, ServiceInfo, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from appliance.base.errors import Unavailable
from appliance.base.network import own_addresses

SERVICE: Final = "_leftfield._tcp.local."
MOST_FOUND: Final = 4
"""A unit speaks to no more hubs than this at once."""
_ASK_MS: Final = 3000
_MOST_KNOWN: Final = 32
"""No more announcements than this are kept or asked after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a hub waits for units: an address and a port."""

    host: str
    port: int


@contextlib.asynccontextmanager
async def announced(booth: str, port: int) -> AsyncIterator[None]:
    """Say on the network that the pairing port of ``booth`` is here, as long as the block runs.

    Unavailable where the network takes no multicast.
    """
    addresses = own_addresses()
    responder = _responder()
    service = AsyncServiceInfo(
        SERVICE,
        f"{booth}.{SERVICE}",
        addresses=[socket.inet_aton(address) for address in addresses],
        port=port,
        properties={"v": "1"},
        server=f"{booth}.local.",
    )
    try:
        await responder.async_register_service(service, allow_name_change=True)
        yield
    finally:
        await responder.async_unregister_all_services()
        await responder.async_close()


class Finder:
    """Looks for hubs as long as the block runs; ``hubs`` is who has been found so far."""

    def __init__(self) -> None:
        self._found: dict[str, Found] = {}
        self._asking: set[asyncio.Task[None]] = set()

    @property
    def hubs(self) -> tuple[Found, ...]:
        """Where hubs wait, each once, those that were found first."""
        return tuple(dict.fromkeys(self._found.values()))[:MOST_FOUND]

    @contextlib.asynccontextmanager
    async def looking(self) -> AsyncIterator[Finder]:
        """Look until the block ends. Unavailable where the network takes no multicast."""
        responder = _responder()
        browser = AsyncServiceBrowser(responder.zeroconf, SERVICE, handlers=[self._changed])
        try:
            yield self
        finally:
            await browser.async_cancel()
            await responder.async_close()

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            self._found.pop(name, None)
            return
        if len(self._asking) >= _MOST_KNOWN or len(self._found) >= _MOST_KNOWN:
            return  # somebody floods the network with hubs; those that were there first are called
        task = asyncio.ensure_future(self._ask(zeroconf, service_type, name))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        service = AsyncServiceInfo(service_type, name)
        if await service.async_request(zeroconf, _ASK_MS) and (place := place_of(service)):
            self._found[name] = place


def place_of(untrusted: ServiceInfo) -> Found | None:
    """Where an announced hub is: its first private IPv4 address; None where it has none, or no port."""
    if not untrusted.port:
        return None
    for address in untrusted.parsed_addresses(IPVersion.V4Only):
        if ipaddress.ip_address(address).is_private:
            return Found(host=address, port=untrusted.port)
    return None


def _responder() -> AsyncZeroconf:
    try:
        return AsyncZeroconf(ip_version=IPVersion.V4Only)
    except OSError as error:
        raise Unavailable(
            f"the network takes no multicast: {error.strerror or error}",
            where="multicast DNS",
            fix="connect the network, or name the hub in pairing.toml",
        ) from None

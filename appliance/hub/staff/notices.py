# ruff: noqa: RUF001, RUF002 - other languages have other punctuation
"""What staff must know of the booth itself, in words, with what to do: shown on every tablet's page.

Invariants:
    * Each notice says what is so and what to do, in the hub's language; never anything about a passer-by.
    * Pure.

>>> notice("en", Condition.TWO_HOLDERS, "north corner").title
'north corner: two devices use this camera’s key'
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, Protocol

from appliance.protocol.values import Seconds

TWO_HOLDERS_SECONDS: Final = 12 * 3600.0
"""How long staff are told that two devices hold one key."""


class Place(Protocol):
    """What is asked of a unit's row on the board."""

    @property
    def place(self) -> str:
        """What staff call it."""

    @property
    def two_holders_at(self) -> Seconds | None:
        """When two devices last spoke under its key."""

    @property
    def disk_low(self) -> bool:
        """Whether its disk is nearly full."""


@unique
class Condition(Enum):
    """What can be so."""

    TWO_HOLDERS = "two_holders"
    HUB_DISK_LOW = "hub_disk_low"
    UNIT_DISK_LOW = "unit_disk_low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that is so: a title, and what to do."""

    condition: Condition
    title: str
    todo: str
    place: str = ""


_TEXTS: Final = {
    "en": {
        Condition.TWO_HOLDERS: (
            "{place}: two devices use this camera’s key",
            (
                "Its card was copied. Half of what both see is lost. Tell the lead: switch one off, revoke the unit, "
                "and enrol it anew."
            ),
        ),
        Condition.HUB_DISK_LOW: (
            "The hub’s disk is nearly full",
            "Soon nothing more can be stored, and no alerts come. Tell the lead to free space.",
        ),
        Condition.UNIT_DISK_LOW: (
            "{place}: the camera’s disk is nearly full",
            "Without the hub it could soon keep nothing. Tell the lead to free space or change its card.",
        ),
    },
    "es": {
        Condition.TWO_HOLDERS: (
            "{place}: dos aparatos usan la clave de esta cámara",
            (
                "Alguien copió su tarjeta y se pierde la mitad de lo que ambos ven. Avise a la persona responsable: "
                "apagar uno, revocar la unidad y darla de alta otra vez."
            ),
        ),
        Condition.HUB_DISK_LOW: (
            "El disco de la central está casi lleno",
            "Pronto no se podrá guardar nada ni llegarán avisos. Pida a la persona responsable que libere espacio.",
        ),
        Condition.UNIT_DISK_LOW: (
            "{place}: el disco de la cámara está casi lleno",
            "Sin la central pronto no podría guardar nada. Pida que liberen espacio o cambien la tarjeta.",
        ),
    },
    "fr": {
        Condition.TWO_HOLDERS: (
            "{place} : deux appareils utilisent la clé de cette caméra",
            (
                "Sa carte a été copiée et la moitié de ce que voient les deux est perdue. Prévenez le responsable : "
                "en éteindre un, révoquer l’unité et l’inscrire à nouveau."
            ),
        ),
        Condition.HUB_DISK_LOW: (
            "Le disque de la centrale est presque plein",
            (
                "Bientôt rien ne pourra être enregistré et aucune alerte ne viendra. Demandez au responsable de "
                "faire de la place."
            ),
        ),
        Condition.UNIT_DISK_LOW: (
            "{place} : le disque de la caméra est presque plein",
            (
                "Sans la centrale, elle ne pourrait bientôt plus rien garder. Demandez de faire de la place ou de "
                "changer la carte."
            ),
        ),
    },
    "zh-Hans": {
        Condition.TWO_HOLDERS: (
            "{place}：两台设备在用这台摄像机的密钥",
            "它的存储卡被复制了，两边看到的内容会丢失一半。请告诉负责人：关掉其中一台，吊销该设备，再重新登记。",
        ),
        Condition.HUB_DISK_LOW: (
            "中心主机的磁盘快满了",
            "很快就无法保存任何内容，也不会再有提醒。请负责人腾出空间。",
        ),
        Condition.UNIT_DISK_LOW: (
            "{place}：摄像机的磁盘快满了",
            "中心主机不在时，它很快就存不下任何内容。请负责人腾出空间或更换存储卡。",
        ),
    },
}


def notice(language: str, condition: Condition, place: str = "") -> Notice:
    """The notice of ``condition`` at ``place`` in a language of the hub."""
    title, todo = _TEXTS[language][condition]
    return Notice(condition=condition, title=title.format(place=place), todo=todo, place=place)


def notices(language: str, places: Iterable[Place], now: Seconds, *, disk_low: bool) -> tuple[Notice, ...]:
    """All that is so now: the hub first, then its units."""
    found = [notice(language, Condition.HUB_DISK_LOW)] if disk_low else []
    for one in places:
        if one.two_holders_at is not None and now - one.two_holders_at < TWO_HOLDERS_SECONDS:
            found.append(notice(language, Condition.TWO_HOLDERS, one.place))
        if one.disk_low:
            found.append(notice(language, Condition.UNIT_DISK_LOW, one.place))
    return tuple(found)

# ruff: noqa: RUF001, RUF002 - other languages have other punctuation
"""The catalogues: English, Spanish, French, Simplified Chinese.

Invariants:
    * Each was written to be said aloud in it, not carried over word by word.
    * Colours are the eleven basic terms and beige; where a form agrees in gender it stands here in each gender.

>>> from appliance.protocol.values import AttributeVector, Lens, Reason
>>> striped = AttributeVector.of(bottom_pattern="striped", lower_kind="skirt_or_dress")
>>> reason = Reason(lens=Lens.SINGLE, attributes=((5, 3),), one_in=2300)
>>> for language in CATALOGUES: print(CATALOGUES[language].sentence(reason, striped))
striped skirt or dress: 1 in 2,300 people here or fewer
falda o vestido de rayas: como mucho 1 de cada 2300 personas aquí
jupe ou robe à rayures : au plus 1 personne sur 2 300 ici
条纹裙装：这里每2300人里最多1人
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from appliance.hub.staff.catalogue import Catalogue, Garment
from appliance.protocol.vocabulary import COLOURS
from appliance.settings.config import LANGUAGES

_PATTERNS: Final = ("plain", "patterned", "striped", "checked", "figured")


def _colours(*forms: str) -> dict[str, str]:
    return dict(zip(COLOURS, forms, strict=True))


def _patterns(*forms: str) -> dict[str, str]:
    return dict(zip(_PATTERNS, forms, strict=True))


def _accents(none: str, *forms: str) -> dict[str, str]:
    return {"none": none, **_colours(*forms)}


def _phrases(*forms: str) -> dict[tuple[str, str], str]:
    levels = (
        ("sleeves", "long"), ("sleeves", "short"), ("outer", "none"), ("outer", "open"), ("outer", "closed"),
        ("one_piece", "no"), ("one_piece", "yes"), ("feet.colour", "dark"), ("feet.colour", "light"),
        ("feet.colour", "coloured"), ("bag", "no"), ("bag", "yes"),
    )  # fmt: skip
    return dict(zip(levels, forms, strict=True))


def _joined(pieces: Sequence[str], last: str) -> str:
    return (
        pieces[0] if len(pieces) == 1 else f"{', '.join(pieces[:-1])} {last} {pieces[-1]}" if pieces else ""
    )


def _after(noun: str, colour: str, pattern: str, accent: str) -> str:
    """Noun first, as in Spanish and French."""
    return " ".join(filter(None, (noun, colour, pattern, accent)))


def _english_garment(noun: str, colour: str, pattern: str, accent: str) -> str:
    """A second colour stands beside the first, "black and red striped top", or alone: "top with some red"."""
    if accent not in COLOURS:
        return " ".join(filter(None, (colour, pattern, noun, accent)))
    both = f"{colour} and {accent}" if colour else ""
    return " ".join(filter(None, (both, pattern, noun, "" if both else f"with some {accent}")))


def _english_list(pieces: list[str]) -> str:
    return f"{pieces[0]} with {_joined(pieces[1:], 'and')}" if len(pieces) > 1 else "".join(pieces)


def _english(noun: str) -> Garment:
    return Garment(
        noun=noun,
        colours=_colours(*COLOURS),
        patterns=_patterns("plain", "patterned", "striped", "checked", "printed"),
        accents=_accents("in one colour", *COLOURS),
    )


ENGLISH: Final = Catalogue(
    language="en",
    top=_english("top"),
    bottoms={
        "unknown": _english("bottoms"),
        "trousers": _english("trousers"),
        "shorts": _english("shorts"),
        "skirt_or_dress": _english("skirt or dress"),
    },
    phrases=_phrases(
        "long sleeves",
        "bare arms or short sleeves",
        "no jacket or coat",
        "jacket or coat worn open",
        "jacket or coat worn closed",
        "different cloth above and below",
        "the same cloth from top to bottom",
        "dark shoes",
        "light shoes",
        "brightly coloured shoes",
        "no bag",
        "a bag",
    ),
    garment=_english_garment,
    listed=_english_list,
    number=lambda number: f"{number:,}",
    claim="{what}: 1 in {number} people here or fewer",
    coarse="{what}: hardly ever seen here",
    whole="nothing rare by itself, but unusual all together: {what}",
    claimed="Yours. Say what happened, and that it can be forgotten.",
    noted="Noted. What was seen is gone; only the count remains.",
    forgotten="Forgotten. Nothing of it is left here.",
    nothing_left="Forgotten. Nothing but rounded counts was left.",
)


def _spanish(noun: str, *, feminine: bool) -> Garment:
    end = "a" if feminine else "o"
    masculine = (
        "negro", "gris", "blanco", "rojo", "naranja", "marrón", "amarillo", "verde", "azul", "morado", "rosa",
        "beige",
    )  # fmt: skip
    forms = (f"{form[:-1]}{end}" if form.endswith("o") else form for form in masculine)
    return Garment(
        noun=noun,
        colours=_colours(*forms),
        patterns=_patterns(f"lis{end}", "con dibujo", "de rayas", "de cuadros", f"estampad{end}"),
        accents=_accents("de un solo color", *(f"con detalles en {form}" for form in masculine)),
    )


SPANISH: Final = Catalogue(
    language="es",
    top=_spanish("prenda superior", feminine=True),
    bottoms={
        "unknown": _spanish("prenda inferior", feminine=True),
        "trousers": _spanish("pantalón largo", feminine=False),
        "shorts": _spanish("pantalón corto", feminine=False),
        # Two nouns before an adjective: it agrees with the nearer one.
        "skirt_or_dress": _spanish("falda o vestido", feminine=False),
    },
    phrases=_phrases(
        "manga larga",
        "manga corta o brazos al aire",
        "sin chaqueta ni abrigo",
        "chaqueta o abrigo sin abrochar",
        "chaqueta o abrigo bien abrochado",
        "telas distintas arriba y abajo",
        "la misma tela de arriba abajo",
        "calzado oscuro",
        "calzado claro",
        "calzado de color vivo",
        "sin bolso",
        "un bolso",
    ),
    garment=_after,
    listed=lambda pieces: _joined(pieces, "y"),
    number=lambda number: str(number) if number < 10_000 else f"{number:,}".replace(",", "\u202f"),
    claim="{what}: como mucho 1 de cada {number} personas aquí",
    coarse="{what}: aquí casi nunca se ve",
    whole="nada raro por separado, pero poco común en conjunto: {what}",
    claimed="Es para ti. Cuenta lo que ha pasado, y que se puede olvidar.",
    noted="Anotado. Lo que se vio ya no está; solo queda el recuento.",
    forgotten="Olvidado. Aquí no queda nada de ello.",
    nothing_left="Olvidado. Solo quedaban recuentos redondeados.",
)


def _french(noun: str, *, feminine: bool) -> Garment:
    masculine = (
        "noir", "gris", "blanc", "rouge", "orange", "marron", "jaune", "vert", "bleu", "violet", "rose",
        "beige",
    )  # fmt: skip
    forms = (
        "noire", "grise", "blanche", "rouge", "orange", "marron", "jaune", "verte", "bleue", "violette", "rose",
        "beige",
    )  # fmt: skip
    some = (f"avec de l’{form}" if form[0] == "o" else f"avec du {form}" for form in masculine)
    end = "e" if feminine else ""
    return Garment(
        noun=noun,
        colours=_colours(*(forms if feminine else masculine)),
        patterns=_patterns(f"uni{end}", "à motifs", "à rayures", "à carreaux", f"imprimé{end}"),
        accents=_accents("d’une seule couleur", *some),
    )


FRENCH: Final = Catalogue(
    language="fr",
    top=_french("haut", feminine=False),
    bottoms={
        "unknown": _french("vêtement du bas", feminine=False),
        "trousers": _french("pantalon", feminine=False),
        "shorts": _french("short", feminine=False),
        "skirt_or_dress": _french("jupe ou robe", feminine=True),
    },
    phrases=_phrases(
        "manches longues",
        "manches courtes ou bras nus",
        "aucune veste ni aucun manteau",
        "veste ou manteau ouvert",
        "veste ou manteau fermé",
        "tissus différents en haut et en bas",
        "le même tissu de haut en bas",
        "chaussures foncées",
        "chaussures claires",
        "chaussures de couleur vive",
        "aucun sac",
        "un sac",
    ),
    garment=_after,
    listed=lambda pieces: _joined(pieces, "et"),
    number=lambda number: f"{number:,}".replace(",", "\u202f"),
    claim="{what}\u00a0: au plus 1 personne sur {number} ici",
    coarse="{what}\u00a0: on n’en voit presque jamais ici",
    whole="rien de rare séparément, mais l’ensemble sort de l’ordinaire\u00a0: {what}",
    claimed="C’est à vous. Expliquez ce qui s’est passé, et que tout peut être oublié.",
    noted="C’est noté. Ce qui a été vu est effacé\u00a0; seul le décompte reste.",
    forgotten="Oublié. Il n’en reste rien ici.",
    nothing_left="Oublié. Il ne restait que des décomptes arrondis.",
)


def _chinese_garment(noun: str, colour: str, pattern: str, accent: str) -> str:
    """What modifies stands first; the accent farthest from the noun."""
    return f"{accent}{colour}{pattern}{noun}"


def _chinese(noun: str) -> Garment:
    forms = ("黑色", "灰色", "白色", "红色", "橙色", "棕色", "黄色", "绿色", "蓝色", "紫色", "粉色", "米色")
    return Garment(
        noun=noun,
        colours=_colours(*forms),
        patterns=_patterns("素面", "有花纹的", "条纹", "格子", "印花"),
        accents=_accents("单色的", *(f"带{form}的" for form in forms)),
    )


CHINESE: Final = Catalogue(
    language="zh-Hans",
    top=_chinese("上衣"),
    bottoms={
        "unknown": _chinese("下装"),
        "trousers": _chinese("长裤"),
        "shorts": _chinese("短裤"),
        "skirt_or_dress": _chinese("裙装"),
    },
    phrases=_phrases(
        "长袖",
        "短袖或露出手臂",
        "没穿外套",
        "外套敞开",
        "外套扣好",
        "上下身布料不同",
        "上下身同一种布料",
        "深色鞋子",
        "浅色鞋子",
        "颜色鲜艳的鞋子",
        "没带包",
        "带着包",
    ),
    garment=_chinese_garment,
    listed="，".join,
    number=str,
    claim="{what}：这里每{number}人里最多1人",
    coarse="{what}：在这里几乎见不到",
    whole="单看都不稀奇，合在一起却很少见：{what}",
    claimed="交给您了。请说明发生了什么，并告诉对方可以要求删除。",
    noted="已记下。看到的内容已经删除，只留下计数。",
    forgotten="已删除。这里什么都没有留下。",
    nothing_left="已删除。原本只剩下取整后的计数。",
)

CATALOGUES: Final = {one.language: one for one in (ENGLISH, SPANISH, FRENCH, CHINESE)}
"""Every catalogue by its language, in the order of ``config.LANGUAGES``."""
assert tuple(CATALOGUES) == LANGUAGES  # noqa: S101 - the configuration promises exactly these

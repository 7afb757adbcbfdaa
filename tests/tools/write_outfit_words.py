"""Writes the hub's words for clothes where the pages find them: ``python -m tests.tools.write_outfit_words``.

Rules: the hub's catalogues are the one source; a test compares, so the pages cannot say it otherwise.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from appliance.hub.staff.catalogue import Catalogue, Garment
from appliance.hub.staff.translations import CATALOGUES

OUT: Final = Path(__file__).parents[2] / "appliance" / "pages" / "static" / "outfit_words.js"
_HEAD: Final = """\
/** The hub's words for clothes, from its catalogues by `python -m tests.tools.write_outfit_words`: do not edit. */

/** @typedef {Readonly<Record<string, string>>} Forms words by level */
/** @typedef {{noun: string, colours: Forms, patterns: Forms, accents: Forms}} Garment */
/** @typedef {{claim: string, coarse: string, whole: string}} Sentences with {what} and {number} */
/** @typedef {{top: Garment, bottoms: Readonly<Record<string, Garment>>, phrases: Forms} & Sentences} OutfitWords */

/** @type {Readonly<Record<string, OutfitWords>>} */
export const OUTFIT_WORDS = """


def words(catalogue: Catalogue) -> dict[str, object]:
    """One language's tables and sentences."""
    return {
        "top": _garment(catalogue.top),
        "bottoms": {kind: _garment(garment) for kind, garment in catalogue.bottoms.items()},
        "phrases": {f"{name} {word}": phrase for (name, word), phrase in catalogue.phrases.items()},
        "claim": catalogue.claim,
        "coarse": catalogue.coarse,
        "whole": catalogue.whole,
    }


def _garment(garment: Garment) -> dict[str, object]:
    return {
        "noun": garment.noun,
        "colours": dict(garment.colours),
        "patterns": dict(garment.patterns),
        "accents": dict(garment.accents),
    }


def text() -> str:
    """The whole file."""
    tables = {language.split("-")[0]: words(one) for language, one in CATALOGUES.items()}
    lines = [
        f"  {json.dumps(language)}: {json.dumps(table, ensure_ascii=False)},\n"
        for language, table in tables.items()
    ]
    return f"{_HEAD}{{\n{''.join(lines)}}};\n"


if __name__ == "__main__":
    OUT.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{OUT}\n")

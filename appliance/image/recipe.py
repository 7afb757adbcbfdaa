"""Image recipe: every file that mkosi and systemd-repart are given, as text.

Invariants:
    * Pure: no I/O but reading this package's own templates. One recipe, one set of files.
    * A template names what is filled in as ``@NAME@``; a name that is left over is an error here, not on a machine.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from appliance.base.errors import Unfit
from appliance.image import firewall

ROLES: Final = ("hub", "unit")
MEBI: Final = 2**20
ESP_BYTES: Final = 256 * MEBI
ROOT_BYTES: Final = 512 * MEBI
"""Room for one root file system; there are two."""
VERITY_BYTES: Final = 8 * MEBI
"""Hashes of a root: 1/127 of it."""
STATE_BYTES: Final = 64 * MEBI
"""The state partition in the image; it grows to the end of the card at the first start."""
VERSION_FORM: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){0,3}", re.ASCII)
_NAMESPACE: Final = uuid.UUID("6f2b4c8e-0d5b-4a57-9a5e-3b1d6c2f9a11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """One kind of processor: its name for mkosi, its partitions' types, its kernel package and console."""

    mkosi: str
    root_type: str
    kernel: str
    console: str


PROCESSORS: Final = {
    "amd64": Processor(mkosi="x86-64", root_type="root-x86-64", kernel="linux-image-amd64", console="ttyS0"),
    "arm64": Processor(mkosi="arm64", root_type="root-arm64", kernel="linux-image-arm64", console="ttyAMA0"),
}
_BASE: Final = (
    "systemd", "systemd-sysv", "systemd-boot", "systemd-boot-efi", "systemd-cryptsetup", "systemd-repart",
    "systemd-container", "udev", "dbus", "libnss-systemd", "kmod", "hostname", "nftables", "e2fsprogs", "python3",
    "wpasupplicant", "wireless-regdb",
)  # fmt: skip
_PACKAGES: Final = {"unit": ("systemd-timesyncd", "leftfield-unit"), "hub": ("leftfield-hub",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What an image is made of.

    ``version`` is the product's (digits and dots); ``epoch`` the time all files bear (unix seconds); ``release_key``
    the public key (32 bytes) that updates are signed with, or None for an image that takes none; ``ssh_key`` a line
    of an ``authorized_keys`` file, or None for no ssh at all; ``extra`` more Debian packages; ``secure_boot`` whether
    what the firmware starts is signed (key and certificate are the builder's, ``build.Order``).
    """

    role: str
    arch: str
    version: str
    epoch: int
    release_key: bytes | None = None
    ssh_key: str | None = None
    extra: tuple[str, ...] = ()
    secure_boot: bool = False

    @property
    def stem(self) -> str:
        """The name that mkosi gives its outputs."""
        return f"leftfield-{self.role}_{self.version}"

    @property
    def seed(self) -> str:
        """What the partitions' identifiers come from: the same for the same image."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.role} {self.arch} {self.version}"))

    def packages(self) -> tuple[str, ...]:
        """The Debian packages, ours among them."""
        ssh = ("openssh-server",) if self.ssh_key else ()
        kernel = PROCESSORS[self.arch].kernel
        return tuple(sorted({*_BASE, *_PACKAGES[self.role], kernel, *ssh, *self.extra}))

    def names(self) -> dict[str, str]:
        """What the templates' names stand for."""
        processor = PROCESSORS[self.arch]
        return {
            "ROLE": self.role, "ARCH": self.arch, "MKOSI_ARCH": processor.mkosi, "VERSION": self.version,
            "STEM": self.stem, "SEED": self.seed, "EPOCH": str(self.epoch), "CONSOLE": processor.console,
            "PACKAGES": ",".join(self.packages()), "ESP_BYTES": str(ESP_BYTES), "ROOT_BYTES": str(ROOT_BYTES),
            "VERITY_BYTES": str(VERITY_BYTES), "STATE_BYTES": str(STATE_BYTES),
            "ROOT_TYPE": processor.root_type, "VERITY_TYPE": f"{processor.root_type}-verity",
            "PRESET": "enable ssh.service" if self.ssh_key else "",
        }  # fmt: skip


def checked(recipe: Recipe) -> Recipe:
    """``recipe``, if it can be built; else Unfit says what is wrong with it."""
    if not VERSION_FORM.fullmatch(recipe.version):
        raise Unfit(
            f"the version {recipe.version!r} is not of digits and dots",
            where="--version",
            fix="say a version such as 1.4.2",
        )
    key = recipe.ssh_key
    if key is not None and ("\n" in key.strip() or not key.startswith(("ssh-ed25519 ", "sk-ssh-ed25519"))):
        raise Unfit(
            "that is no public key of the kind ed25519, on one line",
            where="--ssh-key",
            fix="ssh-keygen -t ed25519, then name the file that ends with .pub",
        )
    wrong = next((name for name in recipe.extra if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name)), None)
    if wrong is not None:
        raise Unfit(f"{wrong!r} is no name of a Debian package", where="--with", fix="say its exact name")
    return recipe


def build_files(recipe: Recipe) -> dict[str, str]:
    """What mkosi is given, by path: its settings, its scripts, and below ``tree/`` files of the root itself."""
    made = {"mkosi.conf": _read("mkosi.conf"), "finalize.sh": _read("finalize.sh")}
    if recipe.secure_boot:
        made["mkosi.conf.d/secure-boot.conf"] = _read("secure-boot.conf")
    made |= {f"repart/{name}": text for name, text in _below("repart").items()}
    made |= {f"tree/{name}": text for name, text in _below("common").items()}
    more = _below(recipe.role)
    made["tree/etc/fstab"] += more.pop("fstab.more", "")
    made |= {f"tree/{name}": text for name, text in more.items()}
    made["tree/etc/nftables.conf"] = firewall.closed_rules()
    if recipe.ssh_key:
        made |= {f"tree/{name}": text for name, text in _below("ssh").items()}
        made["tree/usr/share/leftfield/authorized_keys"] = recipe.ssh_key.strip() + "\n"
    made["tree/usr/share/leftfield/image.toml"] = _about(recipe)
    return {path: filled(text, recipe.names(), path) for path, text in made.items()}


def start_files(recipe: Recipe) -> dict[str, str]:
    """What mkosi is given for the first file system in memory, by path."""
    return {path: filled(text, recipe.names(), path) for path, text in _below("start").items()}


def disk_files(recipe: Recipe, root_hash: str) -> dict[str, str]:
    """What systemd-repart is given to lay out the disk: two places for a root, and the state.

    ``root_hash`` is dm-verity's root hash in hexadecimal; the partitions' identifiers are its two halves, which is
    how the starting kernel finds them (systemd-veritysetup-generator(8)).
    """
    names = recipe.names() | {
        "ROOT_UUID": str(uuid.UUID(root_hash[:32])),
        "VERITY_UUID": str(uuid.UUID(root_hash[-32:])),
    }
    return {path: filled(text, names, path) for path, text in _below("disk").items()}


def filled(template: str, names: dict[str, str], where: str) -> str:
    """``template`` with every ``@NAME@`` filled in; ValueError where one is unknown.

    >>> filled("a @ROLE@", {"ROLE": "unit"}, "x")
    'a unit'
    """

    def word(match: re.Match[str]) -> str:
        if match[1] not in names:
            raise ValueError(f"{where}: nothing is known to fill in for {match[0]}")
        return names[match[1]]

    return re.sub(r"@([A-Z][A-Z_]+)@", word, template)


def _about(recipe: Recipe) -> str:
    key = recipe.release_key.hex() if recipe.release_key else ""
    return (
        "# What this image is; leftfield update and leftfield firewall go by it.\n"
        f'role = "{recipe.role}"\narch = "{recipe.arch}"\nversion = "{recipe.version}"\n'
        f'made = {recipe.epoch}\nrelease_key = "{key}"\nssh = {str(bool(recipe.ssh_key)).lower()}\n'
    )


def _read(name: str) -> str:
    return (resources.files("appliance.image") / "files" / name).read_text("utf-8")


def _below(folder: str) -> dict[str, str]:
    """Every template below ``folder``, by its path from there."""
    found: dict[str, str] = {}

    def walk(directory: Traversable, prefix: str) -> None:
        for entry in sorted(directory.iterdir(), key=lambda one: one.name):
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif not entry.name.startswith("."):
                found[prefix + entry.name] = entry.read_text("utf-8")

    walk(resources.files("appliance.image") / "files" / folder, "")
    return found

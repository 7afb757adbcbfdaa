"""Faults to plant on a booted machine, the doctor's finding that each must bring, and how each is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Planted:
    """Shell commands that plant a fault and take it away; the check that must be wrong, and words of its line."""

    plant: str
    mend: str
    check: str
    words: str


def _drop_in(service: str, *lines: str) -> tuple[str, str]:
    folder = f"/etc/systemd/system/{service}.service.d"
    told = "\\n".join(["[Service]", *lines])
    again = f"systemctl daemon-reload; systemctl restart {service}"
    return f"mkdir -p {folder}; printf '{told}\\n' > {folder}/own.conf; {again}", f"rm -r {folder}; {again}"


_LISTEN: Final = (
    'systemd-run --quiet --unit=door-{port} python3 -c "import socket,time;'
    " s=socket.create_server(('0.0.0.0',{port})); time.sleep(600)\""
)
_CORE: Final = _drop_in("leftfield-relay", "LimitCORE=infinity", "NoNewPrivileges=no", "SystemCallFilter=")
_UNBOXED: Final = _drop_in(
    "leftfield-sense",
    "ExecStart=",
    "ExecStart=/usr/bin/leftfield sense --config /etc/leftfield/unit.toml --unboxed",
)
_ROOT: Final = _drop_in(
    "leftfield-watch", "User=root", "Group=root", "PrivateUsers=no", "ReadWritePaths=/srv"
)
_MODEL: Final = "/usr/lib/leftfield/appliance/_models/pattern.tflite"
_PEM: Final = "/etc/leftfield/link/unit.pem"

UNIT: Final = (
    Planted("sed -i '/^walls/s/every/required/' /etc/leftfield/unit.toml",
            "sed -i '/^walls/s/required/every/' /etc/leftfield/unit.toml",
            "walls.required", "would see without some"),
    Planted(*_UNBOXED, "process.network", "runs --unboxed"),
    Planted(*_CORE, "service.unit-file", "LimitCORE, NoNewPrivileges, SystemCallFilter"),
    Planted("true", "true", "process.dump", "core dumps up to unlimited"),
    Planted("chmod 644 /etc/leftfield/credentials/signing.key", "chmod 600 /etc/leftfield/credentials/signing.key",
            "keys.modes", "0644"),
    Planted(f"cp {_PEM} /root/own.pem; cp /root/other.pem {_PEM}", f"cp /root/own.pem {_PEM}",
            "certificate.authority", "another booth's"),
    Planted(f"cp -p {_MODEL} /root/kept; printf x >> {_MODEL}", f"cp -p /root/kept {_MODEL}",
            "models.hashes", "not the file that MODELS.toml vouches for"),
    Planted("mkdir -p /etc/systemd/journald.conf.d; printf '[Journal]\\nStorage=persistent\\n' > "
            "/etc/systemd/journald.conf.d/z.conf; systemctl restart systemd-journald",
            "rm -r /etc/systemd/journald.conf.d; systemctl restart systemd-journald",
            "store.journal", "Storage=persistent"),
    Planted("mkdir -p /var/log/journal; systemctl restart systemd-journald; journalctl --flush",
            "rm -r /var/log/journal", "store.journal", "writes to the disk"),
    Planted("touch -d '9 days ago' /var/lib/leftfield/spool/aside-from-0000000001-to-0000000064.spool",
            "rm /var/lib/leftfield/spool/aside-*", "store.spool", "9 days"),
    Planted(_LISTEN.format(port=8000), "systemctl stop door-8000", "network.listening", "8000"),
    Planted(_LISTEN.format(port=22), "systemctl stop door-22", "network.ssh", "takes passwords"),
)  # fmt: skip

HUB: Final = (
    Planted(*_ROOT, "process.account", "runs as account 0"),
    Planted("true", "true", "service.unit-file", "PrivateUsers"),
    Planted("true", "true", "process.namespaces", "shares user"),
    Planted("true", "true", "process.writable", "/srv"),
    Planted("chmod 640 /etc/leftfield/authority/ca.key", "chmod 600 /etc/leftfield/authority/ca.key",
            "keys.modes", "0640"),
    Planted("cp -p /etc/leftfield/broker/pages.key /root/pages.key; cp /etc/leftfield/broker/broker.key "
            "/etc/leftfield/broker/pages.key",
            "cp -p /root/pages.key /etc/leftfield/broker/; systemctl restart leftfield-pages",
            "keys.match", "does not belong"),
    Planted("cp -p /etc/leftfield/broker/pages.pem /root/; cp /root/ended.pem /etc/leftfield/broker/pages.pem",
            "cp -p /root/pages.pem /etc/leftfield/broker/pages.pem", "certificate.lifetime", "ended 2"),
    Planted("sed -i.kept 's/allow_anonymous false/allow_anonymous true/' /etc/leftfield/broker/mosquitto.conf",
            "mv /etc/leftfield/broker/mosquitto.conf.kept /etc/leftfield/broker/mosquitto.conf",
            "broker.settings", "not as this version writes it"),
    Planted("cp -p /etc/leftfield/broker/staff.acl /root/; printf 'user ghost\\ntopic read #\\n' >> "
            "/etc/leftfield/broker/staff.acl", "cp -p /root/staff.acl /etc/leftfield/broker/staff.acl",
            "broker.rights", "staff.acl"),
    Planted("printf 'somebody\\n' > /var/log/syslog", "rm /var/log/syslog", "store.journal", "/var/log/syslog"),
    Planted("systemctl stop leftfield-offer", "systemctl start leftfield-offer", "service.active", "inactive"),
    Planted(_LISTEN.format(port=1883), "systemctl stop door-1883", "network.listening", "1883"),
)  # fmt: skip

"""The command ``leftfield pages``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from appliance.base.systemd import stop_requested
from appliance.pages.server import serve
from appliance.pages.visit import PagesConfig
from appliance.protocol.values import BoothId
from appliance.settings.cli_arguments import Subparsers, command, name, port

_EXAMPLE: Final = """\
leftfield pages --booth demo --host 0.0.0.0 --port 8080
  then open http://ADDRESS:8080/tablet#tablet-1:PASSWORD on the tablet (the part after # never leaves it)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of ``leftfield pages``."""
    parser.add_argument("--booth", required=True, type=name, help="name of the booth, such as demo")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)"
    )
    parser.add_argument("--port", default=8080, type=port, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--ws-port", default=9001, type=port, help="the broker's WebSocket port (default: %(default)s)"
    )
    parser.add_argument(
        "--wss-port",
        default=9443,
        type=port,
        help="the broker's WebSocket port with TLS (default: %(default)s)",
    )
    parser.add_argument(
        "--hub-config", type=Path, help="the hub's hub.toml, from which the public page /here is made"
    )
    parser.add_argument("--certificate", type=Path, help="PEM certificate: give the pages over TLS")
    parser.add_argument("--key", type=Path, help="PEM private key of the certificate")


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``pages`` to the command line; its ``run`` takes the parsed arguments and gives the exit code."""
    about = "serve the staff tablet page to browsers on the booth's network"
    add_arguments(command(subparsers, "pages", about, _EXAMPLE, main))


def main(arguments: argparse.Namespace) -> int:
    """Run the page server until SIGTERM or Ctrl-C. Unfit where it cannot start."""
    serve(
        PagesConfig(
            host=arguments.host,
            port=arguments.port,
            booth=BoothId(arguments.booth),
            ws_port=arguments.ws_port,
            wss_port=arguments.wss_port,
            certificate=arguments.certificate,
            key=arguments.key,
            hub_config=arguments.hub_config,
        ),
        stop_requested(),
    )
    return 0

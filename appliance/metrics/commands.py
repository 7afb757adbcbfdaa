"""The command ``leftfield metrics``: figures of booth, units and broker for Prometheus."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from appliance.settings import config
from appliance.settings.cli_arguments import Subparsers, command, port

PORT: Final = 9464
"""Where Prometheus' exporters of one application are expected."""


def add_parsers(subparsers: Subparsers) -> None:
    """Add ``metrics``; its ``run`` takes the parsed arguments and gives the exit code."""
    about = "answer Prometheus: figures of hub, units and broker, crowds only"
    made = command(subparsers, "metrics", about, "leftfield metrics --port 9464", _metrics)
    made.add_argument(
        "--directory", type=Path, default=config.CONFIG_DIRECTORY, help="the booth's (default: %(default)s)"
    )
    made.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)"
    )
    made.add_argument("--port", default=PORT, type=port, help="port to listen on (default: %(default)s)")


def _metrics(given: argparse.Namespace) -> int:
    from appliance.metrics.serve import MetricsPlan, main  # noqa: PLC0415 - loads the exporter for those who run it

    return main(MetricsPlan(directory=given.directory, host=given.host, port=given.port))

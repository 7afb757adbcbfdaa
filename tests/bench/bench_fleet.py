"""What a report costs a fleet: checking, storing, and how fast 1, 2 and 4 workers empty the broker.

    python -m tests.bench.bench_fleet [--booths 200] [--rounds 10]

Reports of every kind in the mix in which booths send them (60 moments to one report of days and one baseline) wait in
the broker when the workers start. Times are of this machine, with database and broker beside the workers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import psycopg

from appliance.demo.places import listening
from appliance.enrol import mosquitto
from appliance.fleet import layout, postgres
from appliance.fleet.ingest import BoothKey, checked
from appliance.fleet.store import FleetStore
from appliance.hub.fleet_publisher import FleetPublisher
from appliance.hub.statistics.baseline.baseline import Baseline
from appliance.mqtt import Link
from appliance.protocol import sign
from appliance.protocol.fleet_report import ReportKind, topic
from appliance.protocol.values import AttributeVector, BoothId, Seconds, UnitId
from tests.fleet.real_fleet import Processes, RealFleet, until, view_of

MIX = (*(ReportKind.MOMENT,) * 60, ReportKind.DAYS, ReportKind.BASELINE)
NOW = Seconds(float(int(time.time())))
TICKS = os.sysconf("SC_CLK_TCK")


def _key(number: int) -> bytes:
    return (number + 1).to_bytes(32, "big")


def _payloads(booths: int, rounds: int) -> list[tuple[str, bytes]]:
    """Reports of every booth, ``rounds`` of each, the rare kinds first."""
    baseline = Baseline()
    for number in range(4000):
        one = AttributeVector.of(top_colour=("red", "blue", "black")[number % 3])
        baseline.update(one, UnitId("north"), NOW)
    days = {f"2026-11-{day:02d}": {"people": 900, "alerts": 30, "gifted": 25} for day in range(20, 29)}
    makers = [
        FleetPublisher(booth=BoothId(f"b{n}"), home=f"b{n}/{'0' * 16}", private_key=_key(n), epoch=1)
        for n in range(booths)
    ]
    found = []
    for place in range(rounds):
        kind = MIX[-1 - place % len(MIX)]
        for number, maker in enumerate(makers):
            told = maker.telling(kind, view_of(baseline, days), NOW)
            found.append((topic(BoothId(f"b{number}"), kind), told.payload))
    return found


def _cpu(pids: list[int]) -> float:
    """Seconds of processor time that processes and their dead children have used."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        total += sum(int(one) for one in fields[11:15]) / TICKS
    return total


def _group(place: Path) -> list[int]:
    """The database's processes: those that work in its directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if place in Path(process / "cwd").readlink().parents:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def _drained(payloads: list[tuple[str, bytes]], booths: int, workers: int) -> dict[str, float]:
    directory = Path(tempfile.mkdtemp(prefix="lf-bench-"))
    processes = Processes(directory)
    try:
        fleet = RealFleet(directory / "fleet", processes, workers=workers)
        # One loader may say what every booth would say.
        acl = fleet.fleet.directory / "broker" / "fleet.acl"
        acl.write_text(acl.read_text() + "user worker-1\ntopic readwrite #\n")
        processes.start("database", postgres.command(fleet.database), postgres.environment())
        processes.start("broker", [str(mosquitto()), "-c", str(fleet.fleet.broker_config)])
        until(lambda: listening(fleet.fleet.port), "the broker")
        until(fleet.answers, "the database")
        store = FleetStore(fleet.url)
        for number in range(booths):
            store.add_booth(BoothId(f"b{number}"), sign.public_key_of(_key(number)))
        store.close()
        for number in range(1, workers + 1):  # the shared session exists before the load comes
            link = Link(
                address=fleet.fleet.broker(number),
                name=f"worker-{number}",
                lasting=True,
                subscriptions=(layout.SHARED,),
            )
            link.start()
            until(lambda link=link: link.up, "a session")
            time.sleep(0.5)
            link.stop()
        loader = Link(address=fleet.fleet.broker(1), name="worker-1", lasting=True)
        loader.start()
        until(lambda: loader.up, "the loader")
        waiting = {loader.publish(where, payload, retain=False) for where, payload in payloads}
        until(
            lambda: not waiting.difference_update(loader.published(wait=0.2)) and not waiting, "the load", 300
        )
        loader.stop()
        began = time.monotonic()
        for number in range(1, workers + 1):
            processes.start(f"worker-{number}", fleet.worker(number))
        with psycopg.connect(fleet.url, autocommit=True) as database:
            count = 0
            first = 0.0
            while count < len(payloads):
                row = database.execute("SELECT count(*) FROM report").fetchone()
                count = row[0] if row else 0
                if count and not first:
                    first, at_first = time.monotonic(), count
                time.sleep(0.05)
                assert time.monotonic() - began < 300, count
        seconds = time.monotonic() - first
        mine = [processes.running[f"worker-{number}"].pid for number in range(1, workers + 1)]
        return {
            "workers": workers,
            "reports_per_second": round((len(payloads) - at_first) / seconds),
            "worker_cpu_ms_per_report": round(1000 * _cpu(mine) / len(payloads), 3),
            "database_cpu_ms_per_report": round(1000 * _cpu(_group(fleet.database)) / len(payloads), 3),
            "broker_cpu_ms_per_report": round(
                1000 * _cpu([processes.running["broker"].pid]) / len(payloads), 3
            ),
        }
    finally:
        processes.close()
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Print one JSON object a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--booths", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    given = parser.parse_args()
    payloads = _payloads(given.booths, given.rounds)
    keys = {
        BoothId(f"b{n}"): BoothKey(public_key=sign.public_key_of(_key(n)), withdrawn=False)
        for n in range(given.booths)
    }
    for kind in ReportKind:
        own = [(where, payload) for where, payload in payloads if where.endswith(kind.value)]
        if own:
            began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            for where, payload in own:
                checked(where, payload, keys, NOW)
            used = resource.getrusage(resource.RUSAGE_SELF).ru_utime - began
            size = sum(len(payload) for _, payload in own) / len(own)
            print(
                json.dumps(
                    {"kind": kind.value, "bytes": round(size), "check_ms": round(1000 * used / len(own), 3)}
                )
            )
    for workers in given.workers:
        print(json.dumps(_drained(payloads, given.booths, workers)), flush=True)


if __name__ == "__main__":
    main()

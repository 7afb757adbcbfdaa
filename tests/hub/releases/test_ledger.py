"""The ledger: it refuses when the month is spent, and no kill gives anything back."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.base.errors import Unavailable, Unfit
from appliance.hub.storage.ledger import MONTHLY, Ledger, month_of
from appliance.protocol.values import BoothId, Seconds

BOOTH = BoothId("corner")
NOVEMBER, DECEMBER = Seconds(1_795_964_400.0), Seconds(1_797_964_400.0)
SPENDER = """
import sys
from pathlib import Path
from appliance.hub.storage.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]), "corner")
while True:
    ledger.spend(1, 1_795_964_400.0)
    sys.stdout.write(".")
    sys.stdout.flush()
"""


def test_a_month_is_spent_and_the_next_begins_anew(tmp_path: Path) -> None:
    """Each release costs what it says; one that costs more than is left is refused, and changes nothing."""
    ledger = Ledger(tmp_path / "releases.json", BOOTH)
    with pytest.raises(Unfit, match="no ledger of releases beside it"):
        ledger.spend(1000, NOVEMBER)
    ledger.begin()
    assert ledger.spend(1000, NOVEMBER) == MONTHLY - 1000
    assert ledger.spend(1500, NOVEMBER) == 500
    with pytest.raises(Unavailable, match=r"2026-11 has 0.5 left, and the release costs 1"):
        ledger.spend(1000, NOVEMBER)
    assert ledger.spend(500, NOVEMBER) == 0
    with pytest.raises(Unavailable):
        ledger.spend(1, NOVEMBER)
    assert ledger.spend(1000, DECEMBER) == MONTHLY - 1000
    assert Ledger(tmp_path / "releases.json", BOOTH).spent(month_of(NOVEMBER)) == MONTHLY


def test_a_kill_gives_nothing_back(tmp_path: Path) -> None:
    """Killed in the middle of spending, again and again, the ledger opens and has all that was said to be spent."""
    path, said = tmp_path / "releases.json", 0
    Ledger(path, BOOTH).begin()
    chance = random.Random(4)  # noqa: S311 - a test's chance
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", SPENDER, path], stdout=subprocess.PIPE) as child:
            assert child.stdout
            said += len(child.stdout.read(chance.randrange(3, 12)))
            child.kill()
            said += len(child.stdout.read())
        spent = Ledger(path, BOOTH).spent(month_of(NOVEMBER))
        assert said <= spent <= said + 5


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"v":1,"booth":"other","spent":[]}', b'{"v":1,"booth":"corner","spent":[["2026-11",-5]]}',
     b'{"v":1,"booth":"corner","spent":[["soon",5]]}'],
)  # fmt: skip
def test_a_ledger_that_cannot_be_read_stops_every_release(tmp_path: Path, content: bytes) -> None:
    """Damaged, another booth's, or with a spending that gives back: nothing is released, and it is left as it is."""
    path = tmp_path / "releases.json"
    path.write_bytes(content)
    with pytest.raises(Unfit, match="nothing is released"):
        Ledger(path, BOOTH).spend(1, NOVEMBER)
    assert path.read_bytes() == content

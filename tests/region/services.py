"""A broker or a custodian on another day: `python -m tests.region.services broker|custodian DIR SECONDS`.

The public constructors take a clock, and this is the one that is so many seconds off the machine's. No service of ours
reads a date from its environment, so a test on another day needs an entry point of its own.
"""

import sys
import time
import warnings
from datetime import UTC, date, datetime
from pathlib import Path

import uvloop

from broker.api.serving import serve
from broker.custodian.clock import SystemClock as CustodianSystemClock
from broker.custodian.folder import open_custodian
from broker.custodian.service import make_server
from broker.main import create_app
from broker.settings import InsecureSettingWarning, Settings
from broker.store.system import NETHERLANDS, SystemClock
from policies import InsecureTestBundleWarning


class ShiftedClock(SystemClock):
    """The broker's clock, so many seconds off."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def now(self) -> int:
        """Return unix seconds of the other day."""
        return super().now() + self._seconds

    def today(self) -> date:
        """Return the other day, in the Netherlands."""
        return datetime.fromtimestamp(self.now(), UTC).astimezone(NETHERLANDS).date()


class ShiftedCustodianClock(CustodianSystemClock):
    """A custodian's clocks; only what judges documents is so many seconds off."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def wall_us(self) -> int:
        """Return the wall clock of the other day."""
        return super().wall_us() + self._seconds * 1_000_000


def seconds_to_noon_of(day: date) -> int:
    """Return how far noon (UTC) of this day is from now."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() - time.time())


def serve_broker(folder: Path, seconds: int) -> None:
    """Answer requests until told to stop."""
    warnings.simplefilter("ignore", InsecureSettingWarning)
    warnings.simplefilter("ignore", InsecureTestBundleWarning)
    settings = Settings.read(folder)
    application = create_app(settings, clock=ShiftedClock(seconds))
    uvloop.run(serve(application, host=settings.host, port=settings.port, announce=lambda: _ready(settings.public_url)))


def serve_custodian(folder: Path, seconds: int) -> None:
    """Answer evaluation requests until told to stop."""
    with open_custodian(folder, clock=ShiftedCustodianClock(seconds)) as custodian:
        make_server(custodian, announce=_ready).run()


def _ready(url: str) -> None:
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    kind, directory, offset = sys.argv[1:]
    {"broker": serve_broker, "custodian": serve_custodian}[kind](Path(directory), int(offset))

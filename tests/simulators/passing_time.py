"""Days that pass for processes of ours, which otherwise go by the machine's clock: a product has no clock to set.

A service is started `through` this program, which reads from a file how far ahead its clock is. The broker keeps house
when a test says that its pace has passed, and at no other time: every quarter of an hour is long for a test.

time = PassingTime(folder)
service = Service(script="sluis-broker", ..., through=time.through)
time.pass_to(day)
time.keep_house()
"""

import datetime
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_real_time, _real_time_ns = time.time, time.time_ns
NOON = datetime.time(12, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassingTime:
    """How far the clocks are ahead of the machine's, in a file that every process reads."""

    folder: Path

    @property
    def through(self) -> list[str]:
        """How a service is started so that it goes by this clock."""
        return [sys.executable, "-m", "tests.simulators.passing_time", str(self.folder)]

    @property
    def day(self) -> datetime.date:
        """The day on which everything happens now; at no hour at which it is another one in the Netherlands."""
        return datetime.datetime.fromtimestamp(self.now(), datetime.UTC).date()

    def now(self) -> float:
        """Return unix seconds."""
        return _real_time() + self.ahead_s()

    def pass_to(self, day: datetime.date) -> None:
        """It is noon of this day for everybody. Time only passes: an earlier day is an error of the test."""
        ahead = int(datetime.datetime.combine(day, NOON).timestamp() - _real_time())
        assert ahead >= self.ahead_s(), f"{day} is over"
        self._write("ahead", ahead)

    def keep_house(self) -> None:
        """The broker did what it does unasked at every pace, once."""
        from tests.simulators.region import wait_until  # noqa: PLC0415 - a service needs none of it

        asked = self._read("asked") + 1
        self._write("asked", asked)
        wait_until(lambda: self._read("kept") == asked)

    def ahead_s(self) -> int:
        """Return how many seconds the clocks are ahead."""
        return self._read("ahead")

    def keeping(self, keep: Callable[..., object]) -> Callable[..., object]:
        """Return what keeps house where a test asked for it, and does nothing where nobody did."""

        async def when_asked(*arguments: object) -> None:
            asked = self._read("asked")
            if asked > self._read("kept"):
                await keep(*arguments)  # type: ignore[misc]  # what a pace calls
                self._write("kept", asked)

        return when_asked

    def _read(self, name: str) -> int:
        path = self.folder / name
        return int(json.loads(path.read_text("ascii"))) if path.exists() else 0

    def _write(self, name: str, value: int) -> None:
        fresh = self.folder / f"{name}.new"
        fresh.write_text(json.dumps(value), encoding="ascii")
        fresh.replace(self.folder / name)


def main(folder: str, script: str, *arguments: str) -> None:
    """Run one console script of ours by the clock in this folder."""
    clock = PassingTime(folder=Path(folder))
    # Before anything of ours is loaded: some of it takes the clock with it then.
    vars(time)["time"] = clock.now
    vars(time)["time_ns"] = lambda: _real_time_ns() + clock.ahead_s() * 1_000_000_000
    from broker.api import housekeeping  # noqa: PLC0415 - the reason stands above
    from tests.simulators.region import console_script  # noqa: PLC0415 - as above

    vars(housekeeping)["PACE_S"] = 0.1
    type.__setattr__(housekeeping.Housekeeping, "keep_once", clock.keeping(housekeeping.Housekeeping.keep_once))
    sys.argv = [script, *arguments]
    console_script(script)()


if __name__ == "__main__":
    main(*sys.argv[1:])

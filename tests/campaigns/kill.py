"""SIGKILL of broker, custodians and database, at random and at named points: is anything lost that was acknowledged?"""

import random
import statistics
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.campaigns.acknowledged import NEVER, Acknowledged
from tests.campaigns.load import Load
from tests.campaigns.oracle import all_checks, rows_are_there
from tests.campaigns.points import (
    BROKER,
    CUSTODIAN_A,
    CUSTODIAN_B,
    SERVER,
    SESSION,
    Point,
    named_points,
    random_victims,
)
from tests.campaigns.victims import Victims, running_victims
from tests.simulators.databases import DATABASES

TICK_MS, SLOW_TICK_MS = 30, 500
"""How long requests gather; in the longer time a witness answers on a busy machine too."""
RANDOM_S = 0.4
"""A kill at random comes within so many seconds after work goes on again."""
RESTART_TARGET_S = 5.0
"""What a start may take, from process to ready line: reported, and judged by who reads the report."""
PASSED_BY = 3
"""How often at most a named point is passed by before the kill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Whom to kill, and where, in a region on one kind of database."""

    kind: str
    seed: int
    victims: Sequence[str]
    points: Sequence[Point]
    pause_s: float = 0.15
    """Of each worker between two things he does."""
    workers: int = 2
    """Of each organisation."""
    enough: int = 600
    """How many signals they make before they turn to other work."""

    @classmethod
    def whole(cls, kind: str, *, size: int, seed: int) -> "Plan":
        """Return so many kills at random, each victim in turn, and every named point once."""
        victims = random_victims(kind)
        return cls(
            kind=kind, seed=seed, victims=[victims[at % len(victims)] for at in range(size)], points=named_points(kind)
        )

    @classmethod
    def small(cls, kind: str, *, seed: int, points: int) -> "Plan":
        """Return each victim once, and so many named points drawn by the seed, half of them of the broker.

        Custodians keep no state in the broker's database, so beside SQLite they are killed with everything else only.
        """
        spared = () if kind == "sqlite" else (CUSTODIAN_A, CUSTODIAN_B)
        victims = [victim for victim in random_victims(kind) if victim not in spared]
        choice = [point for point in named_points(kind) if point.victim not in spared and not point.needs_witness]
        of_broker = [point for point in choice if point.victim == BROKER]
        of_others = [point for point in choice if point.victim != BROKER]
        drawn = random.Random(f"{seed} {kind}")
        sample = [*drawn.sample(of_broker, points - points // 2), *drawn.sample(of_others, points // 2)]
        return cls(kind=kind, seed=seed, victims=victims, points=sample, pause_s=0.25, workers=1, enough=80)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a region on one kind of database."""

    plan: Plan
    books: Acknowledged
    restarts: Sequence[float] = ()
    log_verified: bool = False
    covered: list[str] = field(default_factory=list)
    kills: int = 0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and nothing happened that may not."""
        return self.log_verified and not self.books.lost and not self.books.faults

    def report(self) -> dict[str, Any]:
        """Return the figures, which name nobody."""
        books = self.books
        acknowledged = [signal for signal in books.signals if signal.acknowledged < NEVER]
        return {
            "holds": self.holds,
            "kills": self.kills,
            "loss_per_kill_below_at_95_percent": round(3 / self.kills, 4) if self.kills and not books.lost else None,
            "acknowledged_commands": len(books.told),
            "acknowledged_signals": len(acknowledged),
            "withdrawn": sum(not signal.stands for signal in acknowledged),
            "found": books.found,
            "lost": books.lost,
            "faults": books.faults,
            "present_but_unacknowledged": books.unacknowledged,
            "not_done": dict(sorted(books.not_done.items())),
            "restart_seconds": {
                "count": len(self.restarts),
                "median": round(statistics.median(self.restarts), 2) if self.restarts else None,
                "max": round(max(self.restarts), 2) if self.restarts else None,
                "above_5_s": sum(seconds > RESTART_TARGET_S for seconds in self.restarts),
            },
            "points": self.covered,
            "log_verified": self.log_verified,
            "seconds": round(self.seconds, 1),
        }


def carry_out(plan: Plan, folder: Path, *, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Return what became of a region that was treated as planned; its processes are gone."""
    began, outcome = time.monotonic(), Outcome(plan=plan, books=Acknowledged())
    try:
        with running_victims(folder / plan.kind, plan.kind, tick_ms=TICK_MS) as victims:
            outcome.restarts = victims.restarts
            load = Load.of(
                victims.region, outcome.books, seed=plan.seed, pause_s=plan.pause_s, each=plan.workers,
                enough=plan.enough,
            )  # fmt: skip
            with closing(load):
                _kill_all(victims, load, outcome, say)
                outcome.log_verified = all_checks(load, victims.region, folder / f"{plan.kind}-log")
    except Exception as error:  # noqa: BLE001 - what breaks a campaign off is its result, told with what it saw before
        traceback.print_exc()
        outcome.books.fault(f"the campaign broke off: {type(error).__name__}")
    outcome.seconds = time.monotonic() - began
    return outcome


def _kill_all(victims: Victims, load: Load, outcome: Outcome, say: Callable[[str], None]) -> None:
    """Everything that is planned was killed while work went on, in an order that the seed gives."""
    plan, drawn = outcome.plan, random.Random(f"{outcome.plan.seed} {outcome.plan.kind} order")
    kills: list[str | Point] = [*plan.victims, *(point for point in plan.points if not point.needs_witness)]
    drawn.shuffle(kills)
    slowly = [point for point in plan.points if point.needs_witness]
    load.start()
    try:
        for number, kill in enumerate((*kills, *slowly), start=1):
            if slowly and kill is slowly[0]:
                victims.gather(SLOW_TICK_MS)
            say(f"{plan.kind}: kill {number} of {len(kills) + len(slowly)}: {_title(kill)}")
            _kill(kill, victims, load, outcome, drawn)
    finally:
        load.stop()


def _kill(kill: str | Point, victims: Victims, load: Load, outcome: Outcome, drawn: random.Random) -> None:
    """One kill, the start of what it ended, and a look at what is there; what is wrong is in the books."""
    books = load.books
    if not load.goes_on():
        books.fault(f"nobody was answered any more before {_title(kill)}")
        return
    broker = victims.serves_without_restart()
    if isinstance(kill, Point):
        reached = victims.kill_at(kill, pass_by=drawn.randrange(PASSED_BY))
        if not reached:
            books.fault(f"a point was not reached: {kill.title}")
            return
        outcome.covered.append(kill.title)
    else:
        time.sleep(drawn.uniform(0, RANDOM_S))  # the moment is random: nothing is waited for
        victims.kill(kill)
    outcome.kills += 1
    victim = kill.victim if isinstance(kill, Point) else kill
    if not load.goes_on():
        books.fault(f"nobody was answered any more after {_title(kill)}")
    if victim in {SERVER, SESSION} and victims.serves_without_restart() != broker:
        books.fault(f"the broker ended with its database: {_title(kill)}")
    rows_are_there(victims.region, books)


def _title(kill: str | Point) -> str:
    return kill.title if isinstance(kill, Point) else f"{kill}, at random"


def run_campaign(size: int, seed: int, *, say: Callable[[str], None]) -> Mapping[str, Any]:
    """Return the report of this campaign on both stores: `size` kills at random each, and every named point."""
    with tempfile.TemporaryDirectory(prefix="sluis-kill-") as folder:
        outcomes = {
            kind: carry_out(Plan.whole(kind, size=size, seed=seed), Path(folder), say=say) for kind in DATABASES
        }
    kills = sum(outcome.kills for outcome in outcomes.values())
    lost = sum(len(outcome.books.lost) for outcome in outcomes.values())
    holds = all(outcome.holds for outcome in outcomes.values())
    return {
        "schema": "campaign/v1",
        "name": "kill",
        "size": size,
        "seed": seed,
        "holds": holds,
        "says": _sentence(kills, lost),
        "stores": {kind: outcome.report() for kind, outcome in outcomes.items()},
    }


def _sentence(kills: int, lost: int) -> str:
    if lost or not kills:
        return f"{lost} lost in {kills} kills."
    return (
        f"0 lost in {kills} kills: with 95 % confidence a kill loses an acknowledged signal less often than "
        f"{3 / kills:.4f} times (rule of three)."
    )

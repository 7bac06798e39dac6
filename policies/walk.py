"""The walk over grounds and levels: what each ground gives, and every rule that spoke on the way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policies.engine import Engine, NearMiss
from policies.lines import Request

_DISCLOSES = 1
"""The lowest level that discloses anything; what forbids only above it lowers an answer and refuses none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A level one ground gives, and the rules that gave it."""

    level: int
    ground: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What all grounds and levels together said.

    Attributes:
        spoke: every rule that spoke, sorted.
        forbidding: the rules that forbade even the lowest level that discloses, sorted.
        near_miss: without grant and without such a prohibition, the allowing rule that failed in the fewest columns.
    """

    grants: tuple[Grant, ...]
    spoke: tuple[str, ...]
    forbidding: tuple[str, ...]
    near_miss: NearMiss | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One ground, asked under each agreement that both sides are party to, from its highest level down."""

    ground: str
    requests: tuple[Request, ...]
    levels: Sequence[int]


def walk(engine: Engine, routes: Iterable[Route]) -> Walk:
    """Each ground from the highest level down; its first allowed level is what that ground gives.

    Within a ground a prohibition under any agreement counts; between grounds none blocks another.
    """
    taken = tuple(routes)
    grants: list[Grant] = []
    spoke: list[str] = []
    forbidding: list[str] = []
    for route in taken:
        denied: dict[int, list[str]] = {}  # by what tells levels apart: each is asked once, by the highest like it
        for level in route.levels:
            alike = engine.level_class(route.requests[0], level)
            if alike in denied:
                forbidding += denied[alike] if level <= _DISCLOSES else ()
                continue
            verdicts = [engine.judge(replace(request, level=str(level))) for request in route.requests]
            allowing = in_order(rule for verdict in verdicts for rule in verdict.permitting)
            denying = denied[alike] = [rule for verdict in verdicts for rule in verdict.forbidding]
            spoke += (*allowing, *denying)
            forbidding += denying if level <= _DISCLOSES else ()
            if allowing and not denying:
                grants.append(Grant(level=level, ground=route.ground, rules=allowing))
                break
    return Walk(
        grants=tuple(grants),
        spoke=in_order(spoke),
        forbidding=in_order(forbidding),
        near_miss=None if grants or forbidding else _nearest(engine, taken),
    )


def in_order(rules: Iterable[str]) -> tuple[str, ...]:
    """The rules sorted, each once."""
    return tuple(sorted(set(rules)))


def _nearest(engine: Engine, routes: Sequence[Route]) -> NearMiss | None:
    """The allowing rule that failed in the fewest columns: at level 1, or at level 0 where only that was in the way."""
    highest = min(_DISCLOSES, max((level for route in routes for level in route.levels), default=0))
    best = _nearest_at(engine, routes, highest)
    if best is None or "level" not in best.failed:
        return best
    lowest = _nearest_at(engine, routes, 0)
    return best if lowest is None else min(best, lowest, key=_distance)


def _nearest_at(engine: Engine, routes: Sequence[Route], level: int) -> NearMiss | None:
    misses = (engine.near_miss(replace(request, level=str(level))) for route in routes for request in route.requests)
    return min((miss for miss in misses if miss), key=_distance, default=None)


def _distance(miss: NearMiss) -> tuple[int, NearMiss]:
    return (len(miss.failed), miss)

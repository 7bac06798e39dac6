"""The compiled lines as Cedar policies, sliced and parsed beforehand: another engine over the very same table."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property

from cedarpy import Entities, PolicySet, is_authorized

from policies.engine import Verdict
from policies.lines import REQUEST_COLUMNS, PolicyLine, Request
from policies.vocabulary import WILDCARD

_SPANS = {"level": ("lmin", "lmax"), "day": ("since", "until")}
_NUMBERS = ("level", "day")
"""Columns that Cedar compares as numbers, for its texts have no order."""


def policy_of(line: PolicyLine) -> str:
    """Return one line as a Cedar policy whose `@id` is the rule."""
    conditions = [
        f"context.{column} == {json.dumps(getattr(line, column))}"
        for column in REQUEST_COLUMNS
        if column not in _SPANS and getattr(line, column) != WILDCARD
    ]
    conditions += [f"{int(line.lmin)} <= context.level", f"context.level <= {int(line.lmax)}"]
    conditions += [f"{int(line.since)} <= context.day", f"context.day < {int(line.until)}"]
    effect = "permit" if line.eft == "allow" else "forbid"
    return f"@id({json.dumps(line.rid)})\n{effect}(principal, action, resource) when {{ {' && '.join(conditions)} }};"


class CedarSlices:
    """Every slice as one parsed policy set; slices with the same lines share it."""

    def __init__(self, slices: Mapping[tuple[str, ...], Sequence[PolicyLine]], sliced_by: Sequence[str]) -> None:
        """Parse each set of lines once."""
        self._sliced_by = sliced_by
        sets = {tuple(lines): PolicySet.from_str("\n".join(map(policy_of, lines))) for lines in slices.values()}
        self._sets = {key: sets[tuple(lines)] for key, lines in slices.items()}
        self._effects = {line.rid: line.eft for lines in slices.values() for line in lines}

    @cached_property
    def _nobody(self) -> Entities:
        return Entities.from_json_str("[]")

    def judge(self, request: Request) -> Verdict:
        """Return Cedar's answer, with every policy that determined it."""
        policies = self._sets.get(tuple(getattr(request, column) for column in self._sliced_by))
        if policies is None:
            return Verdict(allowed=False, permitting=(), forbidding=())
        context = {
            column: int(getattr(request, column)) if column in _NUMBERS else getattr(request, column)
            for column in REQUEST_COLUMNS
        }
        asked = {"principal": 'Org::"asker"', "action": 'Action::"ask"', "resource": 'Thing::"it"', "context": context}
        result = is_authorized(asked, policies, self._nobody)
        rules = tuple(sorted(set(result.diagnostics.id_annotations_by_reason.values())))
        return Verdict(
            allowed=result.allowed,
            permitting=tuple(rule for rule in rules if self._effects[rule] == "allow"),
            forbidding=tuple(rule for rule in rules if self._effects[rule] == "deny"),
        )

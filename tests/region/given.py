"""What a whole region begins with: the file, whose rows are whose, the side file, and which runs to make."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Self

from connectors.sources.gba_v import read_gba_v
from tests.region.assessments import made_up, read_assessments, write_assessments
from tests.region.cast import ORGANISATIONS, team_of
from tests.region.counting import Count, Plan, count
from tests.simulators.gba_v import generate_odd

MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The input of all runs; `base` is the count of the first."""

    data: Path
    generated: bool
    day: date
    side_file: Path
    teams: Path
    assessments: Mapping[str, Mapping[str, str]]
    base: Count
    _counts: dict[Plan, Count] = field(default_factory=dict)

    @classmethod
    def prepare(cls, asked: argparse.Namespace, scratch: Path, out: Path) -> Self:
        """Return the input, once the connector's own reader takes the file.

        Raises:
            SourceError, AssessmentsError: bad input. ProcessError: the oracle cannot read it.
        """
        data = asked.data
        if data is None:
            data = scratch / "data.csv"
            data.write_text(generate_odd(asked.seed, asked.persons, crowd=asked.persons // 2), encoding="utf-8")
        data = data.resolve()
        read_gba_v(data, today=asked.date)
        teams, side_file = scratch / "teams.json", out / "assessments.csv"
        given = {} if asked.assessments is None else read_assessments(asked.assessments)
        write_assessments(side_file, given)
        teams.write_text("{}", encoding="utf-8")
        base = count(data, Plan(purpose="proefregio", day=asked.date), teams=teams, assessments=side_file)
        assessments = given if asked.assessments is not None else made_up(list(base.holders), asked.date)
        write_assessments(side_file, assessments)
        teams.write_text(json.dumps({label: team_of(label) for label in base.holders}), encoding="utf-8")
        return cls(
            data=data,
            generated=asked.data is None,
            day=asked.date,
            side_file=side_file,
            teams=teams,
            assessments=assessments,
            base=base,
        )

    def rows(self) -> dict[str, Sequence[str]]:
        """Return the labels that each organisation holds."""
        return {
            partner.slug: [label for label, holders in self.base.holders.items() if partner.slug in holders]
            for partner in ORGANISATIONS
        }

    def count(self, plan: Plan) -> Count:
        """Return the plaintext count of a plan. Raises ProcessError."""
        if plan not in self._counts:
            self._counts[plan] = count(self.data, plan, teams=self.teams, assessments=self.side_file)
        return self._counts[plan]

    def plans(self) -> list[Plan]:
        """Return the runs: both purposes as they are, the largest addresses excluded, and addresses mute sooner."""
        return [
            Plan(purpose="proefregio", day=self.day),
            Plan(purpose="verwijsindex", day=self.day),
            Plan(purpose="proefregio", day=self.day, excluded=self._largest()),
            Plan(purpose="proefregio", day=self.day, mute_above=self._lower()),
        ]

    def _largest(self) -> tuple[str, ...]:
        """Return the address with the most signals and, where that is mute already, the one with the most matches."""
        addresses = self.base.addresses
        loudest = max(addresses, key=lambda one: int(one["matches"]), default=None)
        chosen = [one["address"] for one in (*addresses[:1], *([] if loudest is None else [loudest]))]
        return tuple(dict.fromkeys(chosen))

    def _lower(self) -> int:
        """Return half of the largest crowd that is not mute yet: some addresses fall silent, some do not."""
        crowds = [int(one["crowd"]) for one in self.base.addresses if one["matches"] and int(one["crowd"]) <= MOST]
        return max(1, max(crowds, default=MOST) // 2)

"""Desks of organisations beside a region on real processes: their commands go over the network, from this process.

with region_desks(tmp_path, {BUURTTEAM: ("Buurtteam Amsterdam", "wijkteam")}) as desks:
    printed = desks.run(BUURTTEAM, "request", "list").output
"""

import datetime
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner, Result

from broker.protocol.families import Family
from connectors.cli import command_line
from connectors.workers import pairwise_id
from tests.simulators.consenting import answer
from tests.simulators.enrolled import GEMEENTE, GEMEENTE_NOORD_HOLLAND, Enrolled
from tests.simulators.letter_partners import LetteredRegion, lettered_region
from tests.simulators.region import BROKER, call
from tests.simulators.wire_partner import WirePartner

GGZ, VERSLAVINGSZORG = "00000099000000008400", "00000099000000008500"
RECLASSERING, ZVH = "00000099000000008600", "00000099000000008700"
CARING = {
    GGZ: ("GGZ Rivierenland", "ggz"),
    VERSLAVINGSZORG: ("Verslavingszorg Oost", "verslavingszorg"),
    RECLASSERING: ("Reclassering Oost", "reclassering"),
    ZVH: ("Zorg- en Veiligheidshuis", "zvh"),
}
"""Organisations whose involvement says something of a person's health or of a crime."""
JEUGDTEAM, MOEDERORGANISATIE = "00000099000000061000", "00000099000000009100"
UNDER_ONE_ROOF = {
    JEUGDTEAM: ("Jeugdteam Arnhem", "wijkteam"),
    MOEDERORGANISATIE: ("Stichting Jeugdhulp Arnhem", "wijkteam"),
}
PARENTS = {JEUGDTEAM: MOEDERORGANISATIE}
"""Whose organisation a team is part of, as the registrars state it."""
MUNICIPALITIES = {
    GEMEENTE: ("Gemeente Arnhem", "gemeente"),
    GEMEENTE_NOORD_HOLLAND: ("Gemeente Haarlem", "gemeente"),
}
INDEX = {"purpose": "verwijsindex", "ground": "JW-7.1.4.1"}


def day(days: int) -> str:
    """Return the day so many days from the machine's, by which the broker's process goes."""
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)).isoformat()


def told(response: httpx.Response) -> dict[str, Any]:
    """Return what an answer says, once it is one."""
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["result"]
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionDesks:
    """The region, and the folder of every organisation; tests of one module share it, so they look at what changed."""

    lettered: LetteredRegion

    def run(self, oin: str, *words: object, worker: str = "anna", expect: int = 0) -> Result:
        """Return what a command of `sluis-connect` of an organisation's worker came to."""
        org = str(self.lettered.folders[oin].path)
        whole = [*map(str, words), "--org", org, "--worker", worker]
        result = CliRunner().invoke(command_line(whole), whole)
        assert result.exit_code == expect, result.output
        return result

    def tells(self, oin: str, *words: object, worker: str = "anna", expect: int = 0) -> dict[str, Any]:
        """Return what a command of an organisation printed as JSON."""
        printed: dict[str, Any] = json.loads(self.run(oin, *words, "--json", worker=worker, expect=expect).stdout)
        return printed

    def tells_refused(self, oin: str, *words: object) -> str:
        """Return what a command of an organisation said when it was refused or not done."""
        return self.run(oin, *words, expect=1).output

    def file(self, oin: str, name: str, content: object) -> Path:
        """Return a file of an organisation with this text, or with this as JSON."""
        path = self.lettered.folders[oin].path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def sends(self, oin: str, *words: object) -> str:
        """Return the id of what an organisation asked or told by this command."""
        return str(self.tells(oin, *words)["results"][0]["requests"][0]["requestId"])

    def letters(self, oin: str, *, sender: str) -> list[str]:
        """Return the ids of what an organisation was written by this other one, as it lists them itself."""
        listed = self.tells(oin, "request", "list")["requests"]
        return [str(one["requestId"]) for one in listed if one["sender"]["oin"] == sender]

    def matches(self, oin: str, signal_id: str) -> list[dict[str, Any]]:
        """Return the matches of an organisation on this own signal."""
        return [one for one in self.listed(oin, "matches", "list") if signal_id in one["signals"]]

    def listed(self, oin: str, *words: object, worker: str = "anna") -> list[dict[str, Any]]:
        """Return what a command lists, of every page."""
        found: list[dict[str, Any]] = []
        more: tuple[str, ...] = ()
        while True:
            details = self.tells(oin, *words, *more, worker=worker)["results"][0]["details"]
            found += details["found"]
            if details["moreAfter"] is None:
                return found
            more = ("--after", details["moreAfter"])

    def signals(self) -> int:
        """Return how many signals the index holds."""
        return int(self.lettered.region.database.rows("SELECT count(*) FROM signals")[0][0])

    def person(self, oin: str, local_id: str) -> str:
        """Return as whom the broker knows a worker of an organisation."""
        return pairwise_id(self.lettered.folders[oin].pairwise_key, audience=BROKER, local_id=local_id)

    def is_reached_at(self, oin: str, phone: str) -> None:
        """An organisation's teams are reached at this number from now on: its next roster says so."""
        region = self.lettered.region
        enrolled, number = replace(region.enrolled, phone=phone), region.next_number()
        roster = region.folder / f"roster-{oin}-{number}.json"
        roster.write_bytes(enrolled.roster_document(oin, number=number).encode())
        call("sluis-broker", "roster", "import", region.path("broker"), roster)

    def follows(self) -> Counter[tuple[str, str]]:
        """Return what waits for whom: tasks and notices, of every organisation, by kind."""
        query = (
            "SELECT organisation, kind FROM tasks UNION ALL SELECT organisation, kind FROM team_tasks"
            " UNION ALL SELECT organisation, kind FROM notices"
        )
        rows = self.lettered.region.database.rows(query)
        return Counter((str(organisation), str(kind)) for organisation, kind in rows)

    def notices_about(self, about: str) -> list[tuple[str, str]]:
        """Return who was ever told something about this, and of what kind it was."""
        query = "SELECT organisation, kind FROM notices WHERE about = ? ORDER BY kind DESC, organisation"
        return [(str(oin), str(kind)) for oin, kind in self.lettered.region.database.rows(query, about)]

    def partner(self, oin: str, *, purpose: str, ground: str) -> WirePartner:
        """Return an organisation's worker who asks about households: with tokens of both custodians."""
        return replace(self.lettered.region.partner(oin), purpose=purpose, ground=ground)


def says_yes(asker: WirePartner, resident: str, *, parties: Sequence[str]) -> None:
    """The asker's organisation has the resident's yes to telling these, which a second person approved."""
    (consent,) = told(sends_yes(asker, resident, parties=parties))["consents"]
    assert [party["state"] for party in consent["parties"]] == ["given"] * len(parties)


def sends_yes(asker: WirePartner, resident: str, *, parties: Sequence[str]) -> httpx.Response:
    """Return what the broker answers where the resident's yes to telling these is recorded."""
    made = asker.evaluate("register", {Family.NLBSN: [resident]})
    stated = {
        "idempotencyKey": secrets.token_hex(16), "controller": asker.oin, "caseRef": None, "purpose": asker.purpose,
        "team": "team-1", "epoch": 1, "subject": made.tokens[Family.NLBSN][0], "signalId": None,
        "categories": ["betrokkenheid"], "parties": list(parties), "age": "from23", "ageEndsOn": None,
        "unable": False, "contested": False, "answers": [answer(until=day(150))], "confirmation": "given",
        "reviewOn": None, "tickets": list(made.tickets),
    }  # fmt: skip
    return asker.post("/v1/consents", stated, approved=True)


def between(to: str) -> tuple[str, ...]:
    """Return the options that send a letter from the own team to this organisation's."""
    return ("--team", "team-1", "--to", to, "--to-team", "team-1")


def judged(partner: WirePartner, person: str, *, parents: Sequence[str] = ()) -> dict[str, Any]:
    """Return what registers a signal about this person that was judged, and of which the family knows."""
    return {
        **partner.registration(subject=person, parents=parents),
        "ageQuarter": None if partner.purpose == "volwassene" else "2040-01-01",
        "assessment": {"on": day(0), "by": "worker"},
        "informing": {"state": "informed", "reason": None, "reviewOn": None},
    }


def gives_signal(partner: WirePartner, person: str, *, parents: Sequence[str] = ()) -> dict[str, Any]:
    """A worker gives a signal about this person, approved by a colleague; return what he reads."""
    return told(partner.post("/v1/signals", judged(partner, person, parents=parents), approved=True))


def calls(asker: WirePartner, resident: str) -> httpx.Response:
    """Return the answer to an oproep about this resident."""
    return asker.post("/v1/calls", asker.checking(asker.evaluate("oproep", {Family.NLBSN: [resident]})))


@contextmanager
def region_desks(
    path: Path, names: Mapping[str, tuple[str, str]], *, parents: Mapping[str, str] | None = None,
    enrolled: Enrolled | None = None, through: Sequence[str] = (),
) -> Iterator[RegionDesks]:  # fmt: skip
    """Hold a region with these organisations, on SQLite; every process is gone at the end."""
    with lettered_region(path, names, parents=parents, enrolled=enrolled, through=through) as lettered:
        yield RegionDesks(lettered=lettered)

import dataclasses
import datetime
from typing import Any

import pytest

from broker.protocol.messages import OwnSignal
from connectors.answers import Outcome
from connectors.conclusions import concluded, conclusion_of
from connectors.contacts import is_unsigned
from connectors.errors import FolderError, RefusedError
from tests.simulators.partner_world import PartnerWorld
from tests.unit.connectors.cases_by_hand import ASKED, child
from tests.unit.connectors.test_outbox import command


async def shown(world: PartnerWorld) -> Outcome:
    """Return an outcome with a match, a contact and a receipt, and with an own signal besides."""
    async with world.client("wijkteam") as wijkteam, world.client("gi") as gi:
        await wijkteam.register(child(), **ASKED)
        outcome = await gi.check(child(), **ASKED)
    signal = OwnSignal(
        signal_id="a" * 32,
        purpose="proefregio",
        team="team-1",
        state="active",
        ends_on=datetime.date(2027, 1, 1),
        case_ref=None,
    )
    return dataclasses.replace(outcome, signals=(signal,))


async def test_a_conclusion_comes_back_as_it_was(world: PartnerWorld) -> None:
    """Nothing of an outcome is lost while it waits for the other parts, and the command keeps no token."""
    outcome = await shown(world)
    kept = concluded(command(), outcome)
    assert kept.conclusion is not None
    assert conclusion_of(kept.conclusion) == outcome
    assert (kept.key, kept.body, kept.tickets, kept.evaluation) == (command().key, {}, (), "")


@pytest.mark.parametrize(
    "members", [{}, {"outcome": {}}, {"outcome": None}, {"refused": {}}, {"outcome": {"matches": [{"kind": "x"}]}}]
)
def test_what_is_no_conclusion_is_named(members: dict[str, Any]) -> None:
    """A sealed part of another shape is an error, and never an outcome."""
    with pytest.raises(FolderError, match="no command"):
        conclusion_of(members)


async def test_a_number_kept_before_signatures_is_nobodys(world: PartnerWorld) -> None:
    """A row of before says nothing of who signed a number: it comes back marked, and where none was shown none is."""
    outcome = await shown(world)
    (match,) = outcome.matches
    bare = match.model_copy(update={"holder": match.holder.model_copy(update={"contact": None})})
    kept = concluded(command(), dataclasses.replace(outcome, matches=(match, bare))).conclusion
    assert kept is not None
    del kept["outcome"]["unsigned"]
    back = conclusion_of(kept)
    assert isinstance(back, Outcome)
    assert [is_unsigned(one) for one in back.matches] == [True, False]
    assert back.matches[1].holder.contact is None


async def test_a_match_by_other_names_is_no_conclusion(world: PartnerWorld) -> None:
    """A kept match has the spelling of the wire and no other."""
    kept = concluded(command(), await shown(world)).conclusion
    assert kept is not None
    contact = kept["outcome"]["matches"][0]["holder"]["contact"]
    contact["display_name"] = contact.pop("displayName")
    with pytest.raises(FolderError):
        conclusion_of(kept)


def test_a_refusal_without_an_entry_comes_back_too() -> None:
    """A part that ended by a final problem says so later as it would have said at once."""
    members = {
        "id": "team-unknown",
        "status": 400,
        "text_id": "team.unknown",
        "text_nl": "Dit team is hier niet bekend.",
        "possible": ["Bel de beheerder."],
        "signal_id": None,
        "receipt": None,
        "members": {},
    }
    found = conclusion_of({"refused": {"problem": members, "party": "broker", "receipt": None}})
    assert isinstance(found, RefusedError)
    assert (found.problem.id, found.problem.possible, found.party) == ("team-unknown", ("Bel de beheerder.",), "broker")
    assert concluded(command(), found).conclusion is not None

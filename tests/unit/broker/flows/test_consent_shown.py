"""A record is shown as it counts: beside a no in another record about the same person its yes is none (U10-25)."""

from dataclasses import replace
from typing import Any

import pytest

from broker.domain.consent_standing import standing
from broker.domain.consents import Consent, ConsentState
from broker.flows.consenting import shown_of
from tests.property.broker.test_consents import DAY, HOLDER, NEEDED, OTHER, a_consent
from tests.simulators.broker_world import World, tasks_of
from tests.simulators.consenting import (
    FATHER,
    HUISARTS,
    MOTHER,
    adult,
    answer,
    caring,
    consents_of,
    listed,
    record,
    recorded,
    send_record,
)
from tests.simulators.enrolled import WIJKTEAM
from tests.unit.broker.domain.test_consent_standing import BOTH, HERSELF, no, numbered

CHILD: dict[str, Any] = {"age": "under12", "parties": [WIJKTEAM]}


async def test_the_yes_of_both_is_none_after_the_no_of_one(world: World) -> None:
    """The list says so of the first record, and which one says no; a yes in a third owes nobody a confirmation."""
    doctor = adult(caring(world), HUISARTS)
    both = (answer(MOTHER, "guardian"), answer(FATHER, "guardian"))
    first = await recorded(world, doctor, *both, **CHILD)
    told = await recorded(world, replace(doctor, seed="no"), answer(FATHER, "guardian", "refused"), **CHILD)
    mine = {one["consentId"]: one["parties"][0] for one in await listed(world, replace(doctor, seed="list"))}
    assert {key: mine[first][key] for key in ("state", "inRecord", "noIn")} == {
        "state": "refused", "inRecord": "given", "noIn": told,
    }  # fmt: skip
    assert mine[first]["until"] is None
    assert (mine[told]["state"], mine[told]["inRecord"], mine[told]["noIn"]) == ("refused", "refused", None)
    before = len(tasks_of(world))
    again = replace(doctor, seed="mother again")
    body = record(again, answer(MOTHER, "guardian"), confirmation="to_send", guardians=1, **CHILD)
    (shown,) = consents_of(await send_record(world, again, body))
    assert (shown["parties"][0]["state"], shown["parties"][0]["noIn"]) == ("refused", told)
    assert len(tasks_of(world)) == before


def hexed(consent: Consent, letter: str, **changed: Any) -> Consent:  # noqa: ANN401 - the fields of a record
    """Return the record with an id, and names of persons, as they are on the wire."""
    events = tuple(replace(event, who=event.who.encode().hex() * 32) for event in consent.events)
    return replace(consent, **{"id": letter * 32, "events": events, **changed})


def test_what_is_no_yes_for_one_kind_of_data_is_not_told_as_one() -> None:
    """A record about two kinds of data is overruled where one is; one about nobody known stands by itself."""
    two = hexed(a_consent(HERSELF), "2", categories=frozenset({"betrokkenheid", "hulp"}))
    refused = hexed(numbered(a_consent(no()), 5), "f", categories=frozenset({"hulp"}))
    about = (two, refused)
    (holder, other) = shown_of(two, needed=NEEDED.__getitem__, day=DAY, about=about, reader="w").parties
    assert {holder.oin, other.oin} == {HOLDER, OTHER}
    assert (holder.state, holder.in_record, holder.no_in) == ("refused", "given", "f" * 32)
    alone = shown_of(two, needed=NEEDED.__getitem__, day=DAY, about=(), reader="w").parties[0]
    assert (alone.state, alone.in_record, alone.no_in) == ("given", "given", None)


@pytest.mark.parametrize("needed", [None, NEEDED.__getitem__])
def test_what_overrules_a_yes_need_not_be_a_no(needed: object) -> None:
    """Contested custody in another record: nobody said no, so no record is named; no purpose, and nothing is known."""
    contested = hexed(BOTH, "1", contested=True, parties=frozenset({OTHER}))
    later = hexed(numbered(BOTH, 5), "2")
    shown = shown_of(later, needed=needed, day=DAY, about=(contested, later), reader="w").parties[0]  # type: ignore[arg-type]  # a table or none
    assert (shown.state, shown.no_in) == ("unknown", None)
    assert shown.in_record == ("unknown" if needed is None else "given")
    said = standing(
        [later], purpose="volwassene", category="betrokkenheid", party=HOLDER, needed=NEEDED.__getitem__, day=DAY
    )
    assert said.state is ConsentState.GIVEN

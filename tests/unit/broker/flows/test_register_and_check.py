"""The walking path: register, check, and what each asker reads."""

import hashlib
from dataclasses import replace

import pytest
import rfc8785

from audit.entry import Leaf
from audit.receipt import Receipt
from broker.domain.errors import RefusedError, SignalExistsError, TicketSpentError
from tests.simulators.asking import household
from tests.simulators.broker_world import World, approval, matches_of, shield, signals_of
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM, WOONCORPORATIE

CHILD = household(subject="child", parents=("mother",))
SIBLING = household(subject="sibling", parents=("mother",))
MIEKE = {"purpose": "verwijsindex", "ground": "JW-7.1.4.1"}
YOUTH = {
    "ageQuarter": "2032-01-01",
    "assessment": {"on": "2026-11-20", "by": "worker-1000"},
    "informing": {"state": "informed", "reason": None, "reviewOn": None},
}


async def test_the_first_to_register_reads_nothing_and_the_second_reads_the_first(world: World) -> None:
    """A signal is found by the next who registers on the same person, with the contact of its team."""
    first = await world.register(world.asker(GI), CHILD)
    second = await world.register(world.asker(WIJKTEAM), CHILD)
    assert first.result["outcome"] == "nothing"
    assert matches_of(first) == []
    assert second.result["outcome"] == "shown"
    (match,) = matches_of(second)
    assert (match["kind"], match["level"], match["holder"]["oin"]) == ("person", 2, GI)
    assert match["holder"]["contact"]["phone"] == "026 000 0000"


async def test_a_check_shows_each_team_once_with_the_strongest_kind(world: World) -> None:
    """A match is one row per organisation and team; how many signals stand behind it is never told."""
    await world.register(world.asker(GI), CHILD)
    await world.register(world.asker(GI, seed="2"), SIBLING)
    await world.register(world.asker(VEILIG_THUIS), SIBLING)
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    answer = await world.check(asker, household(subject="child", parents=("mother",), members=("sibling",)))
    rows = [(match["holder"]["oin"], match["kind"]) for match in matches_of(answer)]
    assert rows == [(GI, "person"), (VEILIG_THUIS, "member")]


async def test_a_shared_parent_is_a_family_match_of_another_child(world: World) -> None:
    """A parent in common leads to the other child's signal, and only where both relations are known, not stated."""
    await world.register(world.asker(GI), SIBLING)
    answer = await world.register(world.asker(WIJKTEAM), CHILD)
    assert [match["kind"] for match in matches_of(answer)] == ["family"]


async def test_own_signals_never_count(world: World) -> None:
    """An organisation is not told that it is itself involved."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, SIBLING)
    answer = await world.register(asker, CHILD)
    assert answer.result["outcome"] == "nothing"


async def test_without_standing_nothing_is_looked_up(world: World) -> None:
    """Who has no own signal may not look; the refusal says so, says what is possible, and is itself an entry."""
    await world.register(world.asker(GI), CHILD)
    with pytest.raises(RefusedError) as refused:
        await world.check(world.asker(WIJKTEAM), household(subject="child", members=()))
    document = refused.value.document
    assert document["textId"] == "vraag.no-standing"
    assert document["possible"]
    receipt = Receipt.from_wire(dict(refused.value.receipt))
    meta = rfc8785.dumps(document)  # type: ignore[arg-type]  # a problem document is JSON
    assert hashlib.sha256(meta).hexdigest().encode() in receipt.openings["meta"].payload


async def test_a_client_named_as_member_opens_no_strangers_household(world: World) -> None:
    """There is no free search: a signal on a client opens that client's household, not one the client is put into."""
    await world.register(world.asker(GI, **MIEKE), household(subject="neighbour", parents=("stranger",)), **YOUTH)
    asker = world.asker(VEILIG_THUIS, **MIEKE)
    await world.register(asker, household(subject="client", parents=("mother",)), **YOUTH)
    with pytest.raises(RefusedError) as refused:
        await world.check(asker, household(subject="neighbour", members=("client",)))
    assert refused.value.document["textId"] == "vraag.no-standing"
    answer = await world.check(asker, household(subject="client", parents=("mother",), members=("neighbour",)))
    assert (answer.result["outcome"], matches_of(answer)) == ("nothing", [])


async def test_a_receipt_commits_to_the_result_and_to_who_asked(world: World) -> None:
    """The openings recompute the leaf, and the leaf covers the very result that was given."""
    answer = await world.register(world.asker(GI), CHILD)
    receipt = Receipt.from_wire(dict(answer.receipt))
    for group, opening in receipt.openings.items():
        assert receipt.leaf.commitment(group) == opening.commitment("signal", group)
    result = rfc8785.dumps(answer.result)  # type: ignore[arg-type]  # a result is JSON
    assert hashlib.sha256(result).hexdigest().encode() in receipt.openings["meta"].payload
    assert GI.encode() in receipt.openings["actor"].payload
    assert isinstance(receipt.leaf, Leaf)


async def test_the_woningcorporatie_is_refused_openly_with_what_is_possible(world: World) -> None:
    """An organisation outside the law's list asks with an address and is told what it can do instead."""
    asker = world.asker(WOONCORPORATIE, **MIEKE)
    with pytest.raises(RefusedError) as refused:
        await world.check(asker, household(subject=None, members=(), address="home"))
    assert refused.value.document["textId"] == "vraag.not-a-listed-category"
    ways = [way["textId"] for way in refused.value.document["possible"]]  # type: ignore[attr-defined]  # a list of objects
    assert ways[0] == "kan.overleg-zorg-en-overlast"


async def test_the_school_reads_the_same_with_and_without_the_gi(world: World) -> None:
    """A holder that is never shown to schools leaves no trace in what the school reads."""
    school = world.asker(SCHOOL, **MIEKE)
    before = await world.register(school, CHILD, **YOUTH)
    alone = await world.check(school, household(subject="child", parents=("mother",), members=()))
    await world.register(world.asker(GI, **MIEKE), CHILD, **YOUTH)
    beside = await world.check(school, household(subject="child", parents=("mother",), members=()))
    assert before.result["outcome"] == "nothing"
    assert alone.result == beside.result


async def test_the_wijkteam_needs_its_leaders_approval(world: World) -> None:
    """Without the second statement the registration is refused; with it, it is stored."""
    asker = world.asker(WIJKTEAM, **MIEKE)
    with pytest.raises(RefusedError) as refused:
        await world.register(asker, CHILD, **YOUTH)
    assert refused.value.document["textId"] == "vraag.approval-required"
    body = asker.registration(CHILD, **YOUTH)
    answer = await world.send_registration(asker, body, approval=approval(asker))
    assert answer.result["signalId"]


async def test_one_team_has_one_active_signal_on_a_person(world: World) -> None:
    """A second signal of the same team for the same purpose on the same person is refused as its own conflict."""
    asker = world.asker(GI)
    await world.register(asker, CHILD)
    with pytest.raises(SignalExistsError):
        await world.register(asker, CHILD)


async def test_a_ticket_is_spent_once(world: World) -> None:
    """The same tickets under another idempotency key are refused, and nothing is stored."""
    asker = world.asker(GI)
    body = asker.registration(CHILD)
    await world.send_registration(asker, body)
    other = {**body, "idempotencyKey": asker.id(), "household": household(subject="other", parents=("father",))}
    with pytest.raises(TicketSpentError):
        await world.send_registration(asker, other)
    assert len(signals_of(await world.list(asker))) == 1


async def test_a_shielded_signal_reads_as_none(world: World) -> None:
    """A shielded signal gives the same result as no signal at all."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    looked = household(subject="child", parents=("mother",), members=())
    alone = await world.check(asker, looked)
    hidden = await world.register(world.asker(GI), CHILD)
    await shield(world, str(hidden.result["signalId"]))
    beside = await world.check(asker, looked)
    assert alone.result == beside.result
    assert replace(beside, receipt={}) == replace(alone, receipt={})


async def test_an_address_is_stored_and_found_where_the_purpose_uses_it(world: World) -> None:
    """Two children at one address match by it, in a purpose with addresses."""
    await world.register(world.asker(GI), household(subject="neighbour", address="home"))
    answer = await world.register(world.asker(WIJKTEAM), household(subject="child", address="home"))
    assert [match["kind"] for match in matches_of(answer)] == ["address"]

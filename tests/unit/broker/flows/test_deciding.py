"""What is decided on, how often, and what a failure in it means."""

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit.receipt import Receipt
from broker.domain.changes import StoreSignal
from broker.domain.errors import NotDoneError, RefusedError, StorageError, WithdrawalNeedsReviewError
from broker.domain.signals import Exclusion
from broker.flows import household_question
from broker.flows.policy import PolicyInForce
from broker.flows.recording import MAX_DECISIONS
from broker.ports import Proposal
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, a_world, documents, log_size, matches_of, shield
from tests.simulators.enrolled import GI, NAMES, VEILIG_THUIS, WIJKTEAM, Enrolled
from tests.simulators.proposals import committed
from tests.unit.broker.flows.deciders import erring, permissive, raising, watched
from tests.unit.broker.flows.noted_log import Recording, recorded

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


def meta(receipt: object) -> dict[str, Any]:
    """Return the opened `meta` of a receipt."""
    return dict(json.loads(Receipt.from_wire(receipt).openings["meta"].payload))


def actor(receipt: object) -> dict[str, Any]:
    """Return the opened `actor` of a receipt."""
    return dict(json.loads(Receipt.from_wire(receipt).openings["actor"].payload))


@pytest.mark.parametrize("question", ["may_ask", "may_see"])
@pytest.mark.parametrize("broken", [raising, erring])
async def test_a_failed_decision_is_not_done_and_recorded(world: World, question: str, broken: Any) -> None:  # noqa: ANN401 - a function of a policy
    """An exception discloses nothing, is never "nothing to show", is an entry, and spends neither key nor ticket."""
    await world.register(world.asker(VEILIG_THUIS), CHILD)
    asker, whole = world.asker(WIJKTEAM), world.policy
    body = asker.registration(CHILD)
    before = await log_size(world)
    world.policy = broken(whole, question)
    with pytest.raises(NotDoneError) as failed:
        await world.send_registration(asker, body)
    assert failed.value.document["status"] == 503
    assert meta(failed.value.receipt)["outcome"] == "error"
    assert actor(failed.value.receipt)["tickets"] == []
    assert await log_size(world) == before + 1
    world.policy = whole
    assert (await world.send_registration(asker, body)).result["outcome"] == "shown"


@pytest.mark.parametrize("broken", [raising, erring])
async def test_a_failure_does_not_depend_on_whether_a_signal_exists(world: World, broken: Any) -> None:  # noqa: ANN401 - a function of a policy
    """A broken engine fails for a household that nobody is involved with just as well."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    world.policy = broken(world.policy, "may_see")
    with pytest.raises(NotDoneError):
        await world.check(asker, LOOK)


async def test_every_hit_is_decided_on_those_with_equal_facts_once(world: World) -> None:
    """Hits that will not be shown are decided on too; the asker's own probe is asked even without any hit."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    world.policy, point = watched(world.policy)
    await world.check(asker, LOOK)
    assert len(point.seen) == 1
    for name in ("sibling", "cousin"):
        await world.register(world.asker(GI, seed=name), household(subject=name, parents=("mother",)))
    hidden = await world.register(world.asker(VEILIG_THUIS), CHILD)
    await shield(world, str(hidden.result["signalId"]))
    point.seen.clear()
    await world.check(asker, LOOK)
    assert sorted((hit.holder, hit.kind, hit.shielded) for hit in point.seen[1:]) == [
        (GI, "family", False),
        (VEILIG_THUIS, "person", True),
    ]


async def test_shielded_hits_stand_apart_in_the_entry(world: World) -> None:
    """What concerns a shielded signal is in the group that only its holder's FG and the supervisor open."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    await world.register(world.asker(GI), CHILD)
    hidden = await world.register(world.asker(VEILIG_THUIS), CHILD)
    await shield(world, str(hidden.result["signalId"]))
    proposals = recorded(world)
    await world.check(asker, LOOK)
    payloads: Any = proposals[0].payloads
    holders = {
        group: [one["decision"]["facts"]["hit"]["holder"] for one in payloads[group]["decisions"]]
        for group in ("hits", "shielded")
    }
    assert holders == {"hits": [GI], "shielded": [VEILIG_THUIS]}
    assert [row["oin"] for row in payloads["meta"]["shown"]] == [GI]


async def test_even_a_permit_does_not_show_a_shielded_signal(world: World) -> None:
    """A mistake in a document opens no shield."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    hidden = await world.register(world.asker(VEILIG_THUIS), CHILD)
    await shield(world, str(hidden.result["signalId"]))
    world.policy = permissive(world.policy)
    assert (await world.check(asker, LOOK)).result["outcome"] == "nothing"


async def test_a_holder_that_left_the_register_is_not_shown(world: World) -> None:
    """Without a line in the register nobody's class is known, so nothing is shown, and that is no failure."""
    await world.register(world.asker(GI), CHILD)
    kept = world.documents.rosters
    names = {oin: name for oin, name in NAMES.items() if oin != GI}
    world.documents = replace(documents(Enrolled(names=names)), rosters=kept)
    assert (await world.register(world.asker(WIJKTEAM), CHILD)).result["outcome"] == "nothing"


async def test_a_team_without_a_card_is_shown_without_contact(world: World) -> None:
    """Who is involved is told even when the holder's contact card has gone."""
    await world.register(world.asker(GI), CHILD)
    world.documents.rosters = {oin: roster for oin, roster in world.documents.rosters.items() if oin != GI}
    (match,) = matches_of(await world.register(world.asker(WIJKTEAM), CHILD))
    assert (match["holder"]["oin"], match["holder"]["contact"]) == (GI, None)


async def test_an_excluded_asker_does_not_see_the_signal(world: World) -> None:
    """A holder can exclude one organisation, or one worker, from one signal; others still see it."""
    proposals = recorded(world)
    await world.register(world.asker(GI), CHILD)
    (change,) = proposals[0].changes
    assert isinstance(change, StoreSignal)
    excluded = frozenset({Exclusion(organisation=WIJKTEAM, worker=None)})
    again = replace(change.signal, id="e" * 32, handle="e" * 32, team="team-9", exclusions=excluded)
    await world.withdraw(world.asker(GI, seed="2"), change.signal.id)
    changes = (StoreSignal(signal=again, tokens=change.tokens),)
    entry = replace(proposals[0], answer=None, tickets=(), relies_on=(), changes=changes)
    await committed(world.log, entry)
    assert (await world.register(world.asker(WIJKTEAM), CHILD)).result["outcome"] == "nothing"
    assert (await world.register(world.asker(VEILIG_THUIS), CHILD)).result["outcome"] == "shown"


async def _with_siblings(world: World, *, shielded: bool = False) -> Asker:
    """Return the asker, with an own signal on a child with whose siblings twelve organisations are involved."""
    many = {f"{number:020d}": (f"Wijkteam {number}", "wijkteam") for number in range(1, 13)}
    world.documents = documents(Enrolled(names={**NAMES, **many}))
    for number, oin in enumerate(many):
        made = await world.register(world.asker(oin), household(subject=f"child {number}", parents=("mother",)))
        if shielded:
            await shield(world, str(made.result["signalId"]))
    asking = world.asker(GI)
    await world.register(asking, household(subject="child"))
    return asking


async def test_a_match_that_does_not_fit_the_entry_is_never_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry has a fixed size; where it cannot hold every permit the check is not done, and never half told."""
    asker = await _with_siblings(world)
    monkeypatch.setattr(household_question, "HITS_ROOM", 6_000)
    with pytest.raises(NotDoneError):
        await world.check(asker, LOOK)


async def test_refusals_that_do_not_fit_the_entry_are_counted_and_hashed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the asker may not see never changes the answer, however many there are; the entry keeps count and hash."""
    asker = await _with_siblings(world, shielded=True)
    monkeypatch.setattr(household_question, "SHIELDED_ROOM", 6_000)
    proposals = recorded(world)
    assert matches_of(await world.check(asker, LOOK)) == []
    payload: Any = proposals[0].payloads["shielded"]
    assert 0 < len(payload["decisions"]) < 12
    assert len(payload["decisions"]) + payload["omitted"]["count"] == 12
    assert len(payload["omitted"]["sha256"]) == len(hashlib.sha256().hexdigest())
    assert proposals[0].tasks == ()


async def test_storage_that_cannot_be_read_is_told_as_such(world: World) -> None:
    """Without a register nothing is decided, and no entry pretends otherwise."""
    world.documents.unreadable = StorageError()
    with pytest.raises(StorageError):
        await world.register(world.asker(GI), CHILD)
    assert await log_size(world) == 0


async def test_two_first_registrations_in_one_tick_see_each_other(world: World) -> None:
    """Of two organisations that register one child in the same tick, the second to commit reads the first."""
    answers = await asyncio.gather(
        world.register(world.asker(GI), CHILD), world.register(world.asker(WIJKTEAM), CHILD)
    )  # fmt: skip
    shown = sorted([row["holder"]["oin"] for row in matches_of(answer)] for answer in answers)
    assert shown in ([[], [GI]], [[], [WIJKTEAM]])


async def test_a_check_and_a_withdrawal_of_its_standing_in_one_tick(world: World) -> None:
    """Either the look comes first and the withdrawal is reviewed, or the withdrawal does and the look is refused."""
    asker = world.asker(WIJKTEAM)
    signal_id = str((await world.register(asker, CHILD)).result["signalId"])
    looked, gone = await asyncio.gather(
        world.check(asker, LOOK), world.withdraw(asker, signal_id), return_exceptions=True
    )
    reviewed = isinstance(gone, WithdrawalNeedsReviewError) and not isinstance(looked, BaseException)
    refused = isinstance(looked, RefusedError) and not isinstance(gone, BaseException)
    assert reviewed or refused


async def test_what_keeps_moving_is_not_done(world: World) -> None:
    """A decision that is stale each time is given up, recorded and told; it is never made on old facts."""

    class AlwaysStale(Recording):
        def changed(self, proposal: Proposal) -> Proposal:
            wrong = tuple(replace(stamp, version=stamp.version + 1) for stamp in proposal.relies_on)
            return replace(proposal, relies_on=wrong)

    log = AlwaysStale(world)
    world.log = log  # type: ignore[assignment]  # a twin of the Log port
    with pytest.raises(NotDoneError) as given_up:
        await world.register(world.asker(GI), CHILD)
    assert meta(given_up.value.receipt)["reason"] == "stale"
    assert len(log.proposals) == MAX_DECISIONS + 1


async def test_worlds_with_and_without_a_hidden_signal_are_the_same_byte_for_byte(
    tmp_path: Path, policy: PolicyInForce
) -> None:
    """None, shielded and not permitted: equal results, equal leaf counts, equal sizes of every payload."""
    seen = []
    for hidden in ("none", "shielded"):
        async with a_world("memory", tmp_path, policy=policy) as world:
            asker = world.asker(WIJKTEAM)
            await world.register(asker, CHILD)
            other = CHILD if hidden == "shielded" else household(subject="someone else", parents=("father",))
            held = await world.register(world.asker(GI), other)
            await shield(world, str(held.result["signalId"]))
            answer = await world.check(asker, LOOK)
            seen.append((answer.result, len(str(answer.receipt)), await log_size(world)))
    assert seen[0] == seen[1]

"""Reviewing: who may read and judge whose acts, and that reading is recorded too."""

import pytest

from broker.domain.errors import FieldRuleError, NotFoundError, RefusedError, RoleNotAllowedError, StorageError
from broker.protocol.roster import Worker
from tests.simulators.asking import household
from tests.simulators.broker_memory import MemoryBroker
from tests.simulators.broker_world import World, documents, held_in, log_size, shield
from tests.simulators.enrolled import GEMEENTE, GI, NAMES, WIJKTEAM, Enrolled, worker_id
from tests.simulators.reviewing import FG, PF, Reviewers, shown

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())


@pytest.fixture(autouse=True)
def reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let acts of today be erased: how long they may still be reviewed has a test of its own."""
    monkeypatch.setattr("broker.flows.erasable_entries.REVIEWED_S", 0)


@pytest.fixture
def review(world: World) -> Reviewers:
    """The reviewers of that core."""
    return Reviewers(world)


async def test_a_reviewer_sees_the_own_organisations_acts_only(world: World, review: Reviewers) -> None:
    """Who reviews sees who did what at his own organisation, how it ended, and nothing of another's."""
    await world.register(world.asker(WIJKTEAM), CHILD)
    signal_id = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    (act,) = await review.acts(GI)
    assert (act["type"], act["worker"], act["team"], act["outcome"]) == (
        "register_signal", worker_id(GI, "worker"), "team-1", "shown",
    )  # fmt: skip
    assert (act["purpose"], act["grounds"], act["shown"], act["signals"]) == (
        "proefregio", ["TEST-PROEFREGIO"], 1, [signal_id],
    )  # fmt: skip
    assert act["verdict"] is None
    assert act["own"] is False


async def test_reading_is_itself_an_entry(world: World, review: Reviewers) -> None:
    """Each look of a reviewer is one entry of the log, which the next look shows."""
    before = await log_size(world)
    await review.acts(GI)
    assert await log_size(world) == before + 1
    (read,) = await review.acts(GI, role=FG)
    assert (read["kind"], read["type"], read["worker"]) == ("read", "review_acts", worker_id(GI, PF))


@pytest.mark.parametrize("role", ["worker", "approver"])
async def test_others_do_not_review(review: Reviewers, role: str) -> None:
    """A worker reads nobody's acts but his own, and judges none."""
    with pytest.raises(RoleNotAllowedError):
        await review.acts(GI, role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.judge(GI, 0, role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.notes(GI, role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.household(GI, "0" * 32, role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.change(GI, "repeats", 4, role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.sample(GI, "2026-01", role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.report(GI, "2026-01", role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.accounts(GI, role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.log_check(GI, size=1, root="0" * 64, role=role)
    with pytest.raises(RoleNotAllowedError):
        await review.rejudge(GI, 1, agrees=True, role=role)


async def test_a_verdict_stands_beside_the_act(world: World, review: Reviewers) -> None:
    """A verdict is an entry; the last one counts, and after a final one nobody waits any more."""
    await world.register(world.asker(GI), CHILD)
    (act,) = await review.acts(GI)
    await review.judge(GI, act["index"], "asked", reason="unanswered")
    await review.judge(GI, act["index"], "not_in_order", reason="private")
    judged = next(one for one in await review.acts(GI) if one["index"] == act["index"])
    assert (judged["verdict"]["word"], judged["verdict"]["reason"]) == ("not_in_order", "private")
    assert judged["verdict"]["by"] == worker_id(GI, PF)
    stated = shown(await review.notes(GI), "notes")
    assert [one["body"]["verdict"] for one in stated] == ["asked", "not_in_order"]


async def test_the_fg_supervises_and_never_decides(world: World, review: Reviewers) -> None:
    """The FG reads every act and verdict, judges none, and only says what he thinks of a verdict."""
    await world.register(world.asker(GI), CHILD)
    (act,) = await review.acts(GI, role=FG)
    for forbidden in (review.judge(GI, act["index"], role=FG), review.change(GI, "repeats", 4, role=FG)):
        with pytest.raises(RoleNotAllowedError):
            await forbidden
    await review.judge(GI, act["index"])
    (verdict,) = shown(await review.notes(GI), "notes")
    await review.rejudge(GI, verdict["index"], agrees=False)
    (thought,) = shown(await review.notes(GI, "rejudgement"), "notes")
    assert (thought["about"], thought["body"]) == (str(verdict["index"]), {"agrees": False})
    still = next(one for one in await review.acts(GI, role=FG) if one["index"] == act["index"])
    assert still["verdict"]["word"] == "in_order"
    with pytest.raises(RoleNotAllowedError):
        await review.rejudge(GI, verdict["index"], agrees=True, role=PF)


async def test_anothers_act_is_no_act(world: World, review: Reviewers) -> None:
    """Another organisation's act or verdict and none at all read the same."""
    await world.register(world.asker(WIJKTEAM), CHILD)
    (act,) = await review.acts(WIJKTEAM)
    for index in (act["index"], 10_000):
        with pytest.raises(NotFoundError):
            await review.judge(GI, index)
        with pytest.raises(NotFoundError):
            await review.rejudge(GI, index, agrees=True)


async def test_nobody_judges_his_own_act(world: World, review: Reviewers) -> None:
    """Who did it, or approved it, does not judge it, in whatever role; the attempt is refused and recorded."""
    both = Worker(sub="both", roles=frozenset({"worker", PF, FG}), broker_sub=None)
    world.documents = documents(Enrolled(others={GI: (both,)}))
    await review.acts(GI, by="both")
    (act,) = [one for one in await review.acts(GI) if one["worker"] == "both"]
    before = await log_size(world)
    with pytest.raises(RefusedError) as refused:
        await review.judge(GI, act["index"], by="both")
    assert refused.value.document["textId"] == "review.own_act"
    assert await log_size(world) == before + 1
    assert shown(await review.notes(GI), "notes") == []
    await review.judge(GI, act["index"])
    (verdict,) = shown(await review.notes(GI), "notes")
    with pytest.raises(RefusedError):
        await review.rejudge(GI, verdict["index"], agrees=True, by="both")
    with pytest.raises(RefusedError):
        await review.rejudge(GI, verdict["index"], agrees=True, by=worker_id(GI, PF))


@pytest.mark.parametrize(
    ("teams", "of_worker"), [({"team-1"}, set()), ({"east"}, {"east", "west"})], ids=["for the team", "by a member"]
)
async def test_nobody_judges_his_own_team(
    world: World, review: Reviewers, teams: set[str], of_worker: set[str]
) -> None:  # fmt: skip
    """What was done for a team, or by somebody in it, is not judged by who is in that team, as the roster says."""
    reviewer = Worker(sub="near", roles=frozenset({PF, FG}), broker_sub=None, teams=frozenset(teams))
    worker = Worker(
        sub=worker_id(GI, "worker"), roles=frozenset({"worker"}), broker_sub=None, teams=frozenset(of_worker)
    )
    enrolled = Enrolled(others={GI: (reviewer, worker)}, without=frozenset({"worker"}))
    world.documents = documents(enrolled)
    await world.register(world.asker(GI), CHILD)
    (act,) = await review.acts(GI, by="near")
    assert act["own"] is True
    with pytest.raises(RefusedError) as refused:
        await review.judge(GI, act["index"], by="near")
    assert refused.value.document["textId"] == "review.own_team"
    await review.judge(GI, act["index"])
    (verdict,) = shown(await review.notes(GI), "notes")
    with pytest.raises(RefusedError):
        await review.rejudge(GI, verdict["index"], agrees=True, by="near")
    await review.rejudge(GI, verdict["index"], agrees=True)


async def test_filters_choose_and_pages_follow(
    world: World, review: Reviewers, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Period, worker, purpose, ground, bundle, outcome and kind each choose; a long list goes on where it ended."""
    asker = world.asker(GI)
    await world.register(asker, CHILD)
    await world.check(asker, LOOK)
    everything = await review.acts(GI)
    register, check = everything
    chosen = {
        "worker": register["worker"],
        "purpose": "proefregio",
        "ground": "TEST-PROEFREGIO",
        "bundle": register["bundle"],
        "outcome": "nothing",
        "kind": "check",
    }
    for name, value in chosen.items():
        found = [one["index"] for one in await review.acts(GI, **{name: value}) if one["kind"] != "read"]
        assert found == [one["index"] for one in (register, check) if name != "kind" or one is check]
        assert await review.acts(GI, **{name: "another"}) == []
    assert await review.acts(GI, since=world.clock.now() + 10, until=world.clock.now() + 20) == []
    monkeypatch.setattr("broker.flows.review_acts.ACTS_PER_PAGE", 1)
    first = await review.answered(GI)
    assert [one["index"] for one in shown(first, "acts")] == [register["index"]]
    second = await review.answered(GI, after=first.result["moreAfter"], kind="check")
    assert [one["index"] for one in shown(second, "acts")] == [check["index"]]
    assert second.result["moreAfter"] is None


async def test_a_worker_sees_what_is_recorded_about_himself(world: World, review: Reviewers) -> None:
    """The page of a worker has his own acts with their verdicts, nobody else's, and no mark that stands open."""
    await world.register(world.asker(GI), CHILD)
    (act,) = await review.acts(GI)
    await review.judge(GI, act["index"], "asked")
    mine = await review.own(GI)
    assert [(one["index"], one["verdict"]["word"], one["flags"]) for one in mine] == [(act["index"], "asked", [])]
    assert mine[0]["own"] is True
    theirs = await review.own(GI, role=PF)
    assert {one["worker"] for one in theirs} == {worker_id(GI, PF)}


async def test_a_household_shows_own_acts_and_an_extract_of_others(world: World, review: Reviewers) -> None:
    """Of others the FG reads who was told of the signal, and for what; never which worker, nor what else they saw."""
    signal_id = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    await world.register(world.asker(WIJKTEAM), CHILD)
    await world.check(world.asker(GI, seed="look"), LOOK)
    answer = await review.household(GI, signal_id)
    assert [one["type"] for one in shown(answer, "acts")] == ["register_signal", "check_household"]
    assert answer.result["extracts"] is None, "a privacyfunctionaris reviews own acts alone"
    (extract,) = shown(await review.household(GI, signal_id, role=FG), "extracts")
    assert (extract["organisation"], extract["purpose"]) == (WIJKTEAM, "proefregio")
    assert set(extract) == {"index", "at", "organisation", "purpose", "grounds"}
    for oin, one in ((WIJKTEAM, signal_id), (GI, "0" * 32)):
        with pytest.raises(NotFoundError):
            await review.household(oin, one)


async def test_acts_of_who_shields_are_absent_for_everybody_else(world: World, review: Reviewers) -> None:
    """An organisation that shields a signal on a household stands in nobody else's timeline or count of it (D17)."""
    signal_id = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    hidden = str((await world.register(world.asker(WIJKTEAM), CHILD)).result["signalId"])
    await world.check(world.asker(WIJKTEAM, seed="look"), LOOK)
    period = {"since": 0, "until": world.clock.now() + 1}
    assert len(shown(await review.household(GI, signal_id, role=FG), "extracts")) == 2
    assert await world.acts.acts_by_organisation(**period) == {GI: 1, WIJKTEAM: 2}
    await shield(world, hidden)
    assert shown(await review.household(GI, signal_id, role=FG), "extracts") == []
    assert await world.acts.acts_by_organisation(**period) == {GI: 1}
    assert await world.acts.signals_by_organisation() == {GI: 1}
    # Its own reviewers see its acts; which signal that is, and its timeline, open for its FG only.
    own = [one for one in await review.acts(WIJKTEAM) if one["kind"] != "read"]
    assert [one["signals"] for one in own] == [[], []]
    with pytest.raises(NotFoundError):
        await review.household(WIJKTEAM, hidden)
    assert len(shown(await review.household(WIJKTEAM, hidden, role=FG), "acts")) == 2
    opened = [one for one in await review.acts(WIJKTEAM, role=FG) if one["kind"] in {"signal", "check"}]
    assert [one["signals"] for one in opened] == [[hidden], [hidden]]


async def test_what_was_erased_is_told_as_erased_and_not_found_by_its_household(
    world: World, review: Reviewers
) -> None:  # fmt: skip
    """Of an erased act it stays visible that it was done; who did it, and for which signal, is gone everywhere."""
    signal_id = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    (act,) = await review.acts(GI)
    await review.judge(GI, act["index"])
    await _erase(world, act["index"], ["meta", "actor", "subject"])
    erased = next(one for one in await review.acts(GI) if one["index"] == act["index"])
    assert (erased["worker"], erased["outcome"], erased["flags"]) == (None, None, [])
    assert erased["verdict"]["word"] == "in_order"
    assert shown(await review.household(GI, signal_id), "acts") == []


@pytest.mark.parametrize("group", ["actor", "meta"])
async def test_an_act_of_which_nobody_knows_whose_it_was_is_never_in_order(
    world: World, review: Reviewers, group: str
) -> None:
    """Who had his own act erased cannot find it in order afterwards; that it was not can still be said."""
    await world.register(world.asker(GI), CHILD)
    await _erase(world, 0, [group])
    with pytest.raises(RefusedError) as refused:
        await review.judge(GI, 0, "in_order")
    assert refused.value.document["textId"] == "review.unknown_actor"
    await review.judge(GI, 0, "not_in_order")
    assert [one["body"]["verdict"] for one in shown(await review.notes(GI), "notes")] == ["not_in_order"]


async def test_neither_of_two_who_erased_judges_that(world: World, review: Reviewers) -> None:
    """Who proposed an erasure did it as much as who confirmed it."""
    await world.register(world.asker(GI), CHILD)
    await _erase(world, 0, ["subject"])
    (erasure,) = [one for one in await review.acts(GI) if one["kind"] == "erasure"]
    with pytest.raises(RefusedError):
        await review.judge(GI, erasure["index"])


async def test_what_reviewers_stated_cannot_be_erased(world: World, review: Reviewers) -> None:
    """Verdicts, thresholds, a closed month and readings are taken back by nobody, so no sample is drawn again."""
    month = world.clock.today().isoformat()[:7]
    await world.register(world.asker(GI), CHILD)
    await review.judge(GI, 0, "not_in_order")
    await review.change(GI, "repeats", 20)
    world.clock.move(40 * 86_400)
    await review.sample(GI, month)
    await review.acts(GI)
    for index in range(1, await log_size(world)):
        for group in ("meta", "actor", "subject"):
            with pytest.raises(FieldRuleError, match="reviewed"):
                await _erase(world, index, [group])
    assert len(await world.notes.notes(organisation=GI, kind="population")) == 1


async def test_an_asker_takes_no_look_out_of_sight_of_the_holder(world: World, review: Reviewers) -> None:
    """What an organisation erases of its own look stays in the household's timeline of whose signal it hit."""
    signal_id = str((await world.register(world.asker(WIJKTEAM), CHILD)).result["signalId"])
    await world.register(world.asker(GI), CHILD)
    (before,) = shown(await review.household(WIJKTEAM, signal_id, role=FG), "extracts")
    await _erase(world, before["index"], ["meta", "actor", "subject"])
    (after,) = shown(await review.household(WIJKTEAM, signal_id, role=FG), "extracts")
    assert (after["index"], after["organisation"]) == (before["index"], GI)


async def test_what_a_shield_hides_stays_hidden_after_an_erasure(world: World, review: Reviewers) -> None:
    """An act of an organisation that shields a signal there does not appear to others because of its own erasure."""
    signal_id = str((await world.register(world.asker(WIJKTEAM), CHILD)).result["signalId"])
    hidden = str((await world.register(world.asker(GI), CHILD)).result["signalId"])
    await _erase(world, 1, ["subject"])
    await shield(world, hidden)
    assert shown(await review.household(WIJKTEAM, signal_id, role=FG), "extracts") == []


async def _erase(world: World, index: int, groups: list[str]) -> None:
    first, second = (world.asker(GI, role=role, seed=f"{role} {index} {groups}") for role in (PF, "approver"))
    ranges = [{"first": index, "last": index, "groups": groups}]
    bodies = [one.command(ground="AVG-17.1.d", decisionRef="a" * 64, ranges=ranges) for one in (first, second)]
    await world.propose_erasure(first, bodies[0])
    await world.confirm_erasure(second, bodies[0]["idempotencyKey"], bodies[1])


async def test_what_is_gone_without_an_entry_stands_out(world: World, review: Reviewers) -> None:
    """An entry of which something was taken away, with nothing in the log that says so, waits in the queue."""
    world.clock.move(86_400)
    await world.register(world.asker(GI), CHILD)
    assert await review.queue(GI) == []
    if isinstance(world.ledger, MemoryBroker):
        del world.ledger.log.payloads[0, "actor"]
    else:
        held_in(world).write("DELETE FROM log_payload_keys WHERE idx = 0 AND grp = 'actor'")
    (act,) = await review.queue(GI)
    assert (act["index"], act["worker"], [flag["kind"] for flag in act["flags"]]) == (0, None, ["damaged"])


async def test_a_controller_sees_what_was_done_in_its_name(world: World, review: Reviewers) -> None:
    """Review is per controller: a parent organisation sees what was done in its name, and not what its child hides."""
    names = {**NAMES, GEMEENTE: ("Gemeente", "wijkteam")}
    world.documents = documents(Enrolled(names=names, parents={GI: GEMEENTE}))
    signal_id = str((await world.register(world.asker(GI), CHILD, controller=GEMEENTE)).result["signalId"])
    await world.register(world.asker(GI, seed="own"), household(subject="other"))
    (act,) = await review.acts(GEMEENTE)
    assert (act["organisation"], act["outcome"]) == (GI, "nothing")
    await review.judge(GEMEENTE, act["index"])
    (verdict,) = shown(await review.notes(GEMEENTE), "notes")
    await shield(world, signal_id)
    with pytest.raises(NotFoundError):
        await review.rejudge(GEMEENTE, verdict["index"], agrees=True)
    assert [one["kind"] for one in await review.acts(GEMEENTE, kind="signal")] == []
    with pytest.raises(NotFoundError):
        await review.judge(GEMEENTE, act["index"])


async def test_what_cannot_be_read_is_not_done(world: World, review: Reviewers) -> None:
    """A store that fails gives no empty list: nothing was read, and nothing is told."""
    await world.register(world.asker(GI), CHILD)
    world.documents.unreadable = StorageError()
    with pytest.raises(StorageError):
        await review.acts(GI)
    with pytest.raises(StorageError):
        await review.thresholds(GI)

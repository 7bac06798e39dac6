"""A ground, a purpose or an agreement that ends while the broker runs: decided by the right rules, each day."""

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from broker.domain.changes import Task
from broker.domain.errors import NotDoneError, NotFoundError, RefusedError
from broker.flows import sweep_signals as sweeping
from broker.flows.policy import PolicyInForce
from broker.protocol.messages import WireReceipt
from broker.protocol.signing_keys import b64url_bytes
from policies import InsecureTestBundleWarning, load_bundle
from tests.simulators.asking import household
from tests.simulators.broker_world import World, log_size, matches_of, shield, signals_of, tasks_of
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.retention_oracle import entries_of
from tests.unit.policies.arnhem import changed_documents

CHILD = household(subject="child", parents=("mother",))
LOOK = household(subject="child", parents=("mother",), members=())
DAY = 86_400
LAST, FIRST = date(2026, 11, 23), date(2026, 11, 24)
UNTIL = "tot: 2026-11-24\n    na_einde: {wat: %s, dagen: %d, bericht: Dit is gestopt.}"
DOELEN, GRONDEN = "test/doelen.yaml", "test/gronden.yaml"


def ending(folder: Path, *changes: tuple[str, str, str]) -> PolicyInForce:
    """Return the test bundle with these changes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InsecureTestBundleWarning)
        return PolicyInForce.of(load_bundle(changed_documents(folder, *changes), insecure_test_bundle=True))


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PolicyInForce]:
    """Bundles in which the purpose or the ground of the test region ends the day after tomorrow."""
    made = {}
    for name, file, act, days in (
        ("purpose", DOELEN, "bevriezen", 28),
        ("ground", GRONDEN, "bevriezen", 28),
        ("at once", GRONDEN, "wissen", 0),
    ):
        folder = tmp_path_factory.mktemp("ends")
        made[name] = ending(folder, (file, "tot: null", UNTIL % (act, days)))
    return made


async def _registered(world: World, oin: str = GI, name: str = "child", **changed: object) -> str:
    answer = await world.register(world.asker(oin, seed=f"{name} {world.clock.now()}"), CHILD, **changed)
    return str(answer.result["signalId"])


async def _states(world: World, oin: str = GI) -> dict[str, str]:
    listed = signals_of(await world.list(world.asker(oin, seed=f"list {world.clock.now()} {await log_size(world)}")))
    return {str(signal["signalId"]): str(signal["state"]) for signal in listed}


def _meta(receipt: object) -> dict[str, Any]:
    opening = WireReceipt.model_validate(receipt).openings["meta"]
    found: dict[str, Any] = json.loads(b64url_bytes(opening.payload, field="payload"))
    return found


@pytest.mark.parametrize("what", ["purpose", "ground"])
async def test_what_ends_is_decided_by_the_day(world: World, ends: dict[str, PolicyInForce], what: str) -> None:
    """On its last day it registers and shows; from the next on it refuses openly, with the same bundle."""
    world.policy = ends[what]
    await _registered(world)
    world.clock.move(DAY)
    assert world.clock.today() == LAST
    assert matches_of(await world.register(world.asker(WIJKTEAM), CHILD))
    world.clock.move(DAY)
    for act in (world.check(world.asker(WIJKTEAM, seed="2"), LOOK), world.register(world.asker(GI, seed="3"), CHILD)):
        with pytest.raises(RefusedError) as refused:
            await act
        meta = _meta(refused.value.receipt)
        assert (meta["decision"]["facts"]["day"], meta["bundle"]) == (FIRST.isoformat(), ends[what].sha256)
        assert meta["reason"] in {"not-valid-on-this-day", "no-standing"}


@pytest.mark.parametrize("what", ["purpose", "ground"])
async def test_live_signals_are_frozen_and_later_ended(
    world: World, ends: dict[str, PolicyInForce], what: str, tmp_path: Path
) -> None:
    """The day it ends every signal on it is frozen, and ended so many days later as the document says: all recorded."""
    world.policy = ends[what]
    signal_id, hidden = await _registered(world), await _registered(world, WIJKTEAM)
    await shield(world, hidden)
    world.clock.move(DAY)
    assert not (await world.sweep()).recorded
    world.clock.move(DAY)
    swept = await world.sweep()
    assert (swept.day, swept.frozen, swept.rules, swept.more) == (FIRST, 2, 0, False)
    assert Task(kind="signal-frozen", organisation=GI, due_on=date(2026, 12, 22), signal_id=signal_id) in tasks_of(
        world
    )
    assert await _states(world) == {signal_id: "frozen"}
    assert not (await world.sweep()).recorded
    world.clock.move(27 * DAY)
    assert not (await world.sweep()).rules
    world.clock.move(DAY)
    swept = await world.sweep()
    assert (swept.day, swept.frozen, swept.rules) == (date(2026, 12, 22), 0, 2)
    assert await _states(world) == {signal_id: "ended"}
    frozen, ended = await entries_of(world, tmp_path / "kek")
    for entry, name in ((frozen, "frozen"), (ended, "rules")):
        assert [len(entry.payloads[group][name]) for group in ("subject", "shielded")] == [1, 1]
        assert entry.payloads["meta"]["bundle"] == ends[what].sha256
    assert frozen.payloads["subject"]["frozen"] == ended.payloads["subject"]["rules"]
    assert [task.kind for task in tasks_of(world)].count("signal-ended") == 2


async def test_what_is_deleted_at_once_ends_the_first_day(world: World, ends: dict[str, PolicyInForce]) -> None:
    """Where the document leaves no days, a signal is never frozen: it has ended, in the list before the sweep too."""
    world.policy = ends["at once"]
    signal_id = await _registered(world)
    world.clock.move(2 * DAY)
    assert await _states(world) == {signal_id: "ended"}
    swept = await world.sweep()
    assert (swept.frozen, swept.rules) == (0, 1)
    assert await _states(world) == {signal_id: "ended"}


@pytest.mark.parametrize("swept", [False, True])
async def test_a_frozen_signal_is_withdrawn_and_not_renewed(
    world: World,
    ends: dict[str, PolicyInForce],
    swept: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """Swept or not: its holder's list says frozen, it has no other end, and its holder can withdraw it."""
    world.policy = ends["ground"]
    signal_id = await _registered(world)
    world.clock.move(2 * DAY)
    if swept:
        await world.sweep()
    assert await _states(world) == {signal_id: "frozen"}
    asker = world.asker(GI, seed="later")
    with pytest.raises(NotFoundError):
        await world.renew(asker, signal_id, "2027-01-01")
    assert (await world.withdraw(asker, signal_id)).result["outcome"] == "done"
    assert await _states(world) == {signal_id: "withdrawn"}
    assert not (await world.sweep()).recorded


async def test_a_frozen_signal_past_its_own_last_day_ends_by_that(world: World, ends: dict[str, PolicyInForce]) -> None:
    """A signal that was frozen still has its own last day, and what is past both ends by its own."""
    world.policy = ends["ground"]
    frozen = await _registered(world, endsOn="2026-11-25")
    world.clock.move(2 * DAY)
    assert (await world.sweep()).frozen == 1
    world.clock.move(2 * DAY)
    swept = await world.sweep()
    assert (swept.expiry, swept.rules, await _states(world)) == (1, 0, {frozen: "ended"})


@pytest.fixture(scope="module")
def other_ground(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], PolicyInForce]:
    """Bundles in which the test region has a second ground, and the first ends on a day or not."""
    grounds = """
  - id: TEST-ANDERS
    soort: test
    citaat: geen wet
    samenvatting: Nog een grondslag om mee te testen.
    kort: nog een grondslag
    van: 2015-01-01
    tot: null
    verificatie: V
    vereist_aansluiting: false
"""

    @cache
    def made(until: str) -> PolicyInForce:
        folder = changed_documents(tmp_path_factory.mktemp("other"), (GRONDEN, "tot: null", until))
        (folder / GRONDEN).write_text((folder / GRONDEN).read_text(encoding="utf-8").rstrip() + grounds, "utf-8")
        for file in (DOELEN, "test/proefregio.yaml"):
            text = (folder / file).read_text(encoding="utf-8")
            (folder / file).write_text(text.replace("[TEST-PROEFREGIO]", "[TEST-PROEFREGIO, TEST-ANDERS]"), "utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureTestBundleWarning)
            return PolicyInForce.of(load_bundle(folder, insecure_test_bundle=True))

    return made


async def test_a_signal_on_an_ended_ground_matches_nothing_before_the_sweep(
    world: World, other_ground: Callable[[str], PolicyInForce]
) -> None:
    """Asked on another ground, which holds, a signal whose own ground has ended is not shown and gives no standing."""
    world.policy = other_ground(UNTIL % ("bevriezen", 28))
    held = await _registered(world)
    await _registered(world, WIJKTEAM)
    world.clock.move(2 * DAY)
    anew = {"grounds": ["TEST-ANDERS"]}
    with pytest.raises(RefusedError) as refused:
        await world.check(world.asker(WIJKTEAM, seed="look"), LOOK, **anew)
    assert _meta(refused.value.receipt)["reason"] == "no-standing"
    assert not matches_of(await world.register(world.asker(WIJKTEAM, seed="anew"), CHILD, **anew))
    again = await world.register(world.asker(GI, seed="again"), CHILD, **anew)
    assert [row["holder"]["oin"] for row in matches_of(again)] == [WIJKTEAM]
    assert (await world.sweep()).frozen == 2
    assert await _states(world) == {held: "frozen", str(again.result["signalId"]): "active"}


async def test_another_release_in_which_it_holds_ends_no_frozen_signal(
    world: World, other_ground: Callable[[str], PolicyInForce]
) -> None:
    """Where a later bundle lets the ground go on, what was frozen stays frozen: nobody is shown again unasked."""
    world.policy = other_ground(UNTIL % ("bevriezen", 28))
    held = await _registered(world)
    world.clock.move(2 * DAY)
    await world.sweep()
    world.policy = other_ground("tot: null")
    world.clock.move(40 * DAY)
    swept = await world.sweep()
    assert (swept.frozen, swept.rules, swept.expiry) == (0, 0, 0)
    assert await _states(world) == {held: "frozen"}
    assert not matches_of(await world.register(world.asker(WIJKTEAM, seed="anew"), CHILD))


async def test_a_signal_of_a_purpose_that_left_the_tables_is_shown_to_nobody(
    world: World, ends: dict[str, PolicyInForce]
) -> None:
    """A bundle that knows a purpose no more says nothing about its signals: they are kept, and match nothing."""
    signal_id = await _registered(world)
    bundle = world.policy.bundle
    purposes = {name: row for name, row in bundle.purposes.items() if name != "proefregio"}
    world.policy = replace(world.policy, bundle=replace(bundle, purposes=purposes))
    assert await _states(world) == {signal_id: "frozen"}
    assert not (await world.sweep()).recorded
    assert ends["ground"].purposes.keys() - purposes.keys() == {"proefregio"}


async def test_the_largest_entry_of_frozen_signals_fits(world: World, ends: dict[str, PolicyInForce]) -> None:
    """So many frozen signals as an entry may name fit it, and the rest waits for the next."""
    world.policy = ends["purpose"]
    for number in range(sweeping.MAX_SIGNALS + 1):
        await world.register(world.asker(GI, seed=f"{number}"), household(subject=f"child {number}"))
    world.clock.move(2 * DAY)
    swept = [await world.sweep() for _ in "12"]
    assert [(one.frozen, one.more) for one in swept] == [(sweeping.MAX_SIGNALS, True), (1, False)]


async def test_an_expired_bundle_decides_nothing_mid_run(world: World) -> None:
    """When the last agreement ends while the broker runs, nothing is decided any more, and that is recorded."""
    signal_id = await _registered(world)
    bundle = world.policy.bundle
    validity = replace(bundle.convenants[0].validity, until=FIRST)
    ended = tuple(replace(one, validity=validity) for one in bundle.convenants)
    world.policy = replace(world.policy, bundle=replace(bundle, convenants=ended))
    world.clock.move(DAY)
    await world.register(world.asker(GI, seed="second"), household(subject="second"))
    world.clock.move(DAY)
    asker = world.asker(GI, seed="late")
    for act in (
        world.register(asker, household(subject="new")),
        world.check(asker, LOOK),
        world.renew(asker, signal_id, "2027-01-01"),
    ):
        with pytest.raises(NotDoneError) as failed:
            await act
        meta = _meta(failed.value.receipt)
        assert (meta["outcome"], meta["reason"], meta["decision"]) == ("error", "policy-expired", None)
    assert (await world.withdraw(asker, signal_id)).result["outcome"] == "done"

"""Who may look without a signal of its own: whoever states the proof of a task that the law gives it."""

from typing import Any

import pytest

from broker.domain.errors import RefusedError
from tests.simulators.asking import Asker, household
from tests.simulators.broker_world import World, approval, matches_of
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.unit.broker.flows.noted_log import recorded

CHILD = household(subject="child", parents=("mother",))
ASKED = household(subject="child", parents=("mother",), members=())
YOUTH = {
    "ageQuarter": "2032-01-01",
    "assessment": {"on": "2026-11-20", "by": "worker-1000"},
    "informing": {"state": "informed", "reason": None, "reviewOn": None},
}
MELDING = {"kind": "melding", "reference": "ab" * 32, "since": "2026-11-20", "endsOn": None}


def veilig_thuis(world: World) -> Asker:
    """Return a worker of Veilig Thuis who works on a melding."""
    return world.asker(VEILIG_THUIS, purpose="vt-melding", ground="WMO-5.1.6")


async def involved(world: World) -> None:
    """The wijkteam has a signal on the child in the verwijsindex."""
    asker = world.asker(WIJKTEAM, purpose="verwijsindex", ground="JW-7.1.4.1")
    await world.send_registration(asker, asker.registration(CHILD, **YOUTH), approval=approval(asker))


async def test_veilig_thuis_looks_after_a_melding_without_a_signal_of_its_own(world: World) -> None:
    """A task in law with its proof is standing: who may be shown directly is shown, and the entry keeps the proof."""
    await involved(world)
    proposals = recorded(world)
    answer = await world.check(veilig_thuis(world), ASKED, proof=MELDING)
    assert [match["holder"]["oin"] for match in matches_of(answer)] == [WIJKTEAM]
    meta: Any = proposals[-1].payloads["meta"]
    assert meta["request"]["proof_reference"] == MELDING["reference"]
    facts = meta["decision"]["facts"]
    assert (facts["standing"], facts["proof"], facts["proof_since"]) == ("statutory_reference", "melding", "2026-11-20")


@pytest.mark.parametrize(
    "proof",
    [
        None,
        {**MELDING, "since": "2026-01-01"},
        {**MELDING, "since": "2027-01-01"},
        {**MELDING, "endsOn": "2026-11-21"},
        {**MELDING, "kind": "maatregel"},
        {**MELDING, "kind": "telefoontje"},
    ],
    ids=["none", "too old", "not yet", "over", "of another", "no such proof"],
)
async def test_what_is_no_proof_of_this_task_today_is_refused_openly(
    world: World, proof: dict[str, Any] | None
) -> None:
    """Without a proof that counts on this day nobody is looked up, and the asker reads that it may not be asked."""
    await involved(world)
    with pytest.raises(RefusedError) as refused:
        await world.check(veilig_thuis(world), ASKED, proof=proof)
    assert refused.value.document["detail"]


async def test_a_proof_gives_standing_to_nobody_else(world: World) -> None:
    """Who states the task of another is refused, also with a signal of its own: the own one is then not looked at."""
    asker = world.asker(WIJKTEAM)
    await world.register(asker, CHILD)
    with pytest.raises(RefusedError):
        await world.check(asker, ASKED, proof=MELDING)
    assert (await world.check(asker, ASKED)).result["outcome"] == "nothing"


async def test_a_look_on_a_proof_holds_no_signal_back(world: World) -> None:
    """A signal that a look did not stand on can be withdrawn at once (D5)."""
    asker = veilig_thuis(world)
    own = await world.register(world.asker(VEILIG_THUIS, seed="own"), CHILD)
    await world.check(asker, ASKED, proof=MELDING)
    answer = await world.withdraw(asker, str(own.result["signalId"]))
    assert answer.result["outcome"] == "done"

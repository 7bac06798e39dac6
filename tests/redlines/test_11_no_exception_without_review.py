"""No exception without type, reason, named other person and a review task; nobody reviews his own act or his team's.

Below this the database is real: a task that cannot be written takes the exception, and its entry, with it.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from broker.domain.errors import ApproverIsRequesterError, NotRecordedError, RefusedError
from broker.flows.give_verdict import give_verdict
from broker.flows.policy import PolicyInForce
from broker.protocol.exception_messages import InvokeException
from broker.protocol.review_messages import GiveVerdict
from policies import load_bundle
from tests.simulators.broker_world import (
    World,
    a_world,
    approval,
    documents,
    held_in,
    log_size,
    requester,
    tasks_of,
)
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import VEILIG_THUIS, Enrolled, worker_id
from tests.simulators.excepting import (
    COLLEAGUE,
    GGZ,
    OTHERS,
    TELLING,
    completed,
    dossier,
    exception,
    exceptions_of,
    invoked,
    listed,
    telling,
)
from tests.simulators.following_up import who
from tests.simulators.owing import found_in, owed_done, owed_of


@pytest.fixture(scope="module")
def policy() -> PolicyInForce:
    """The shipped bundle."""
    return PolicyInForce.of(load_bundle())


@pytest.fixture(params=DATABASES)
async def told(request: pytest.FixtureRequest, tmp_path: Path, policy: PolicyInForce) -> AsyncIterator[World]:
    """A core on a real database, with an institution whose workers may break their secrecy."""
    async with a_world(request.param, tmp_path, policy=policy) as running:
        yield telling(running)


async def test_an_exception_is_there_with_its_review_task(told: World) -> None:
    """Complete and approved: one entry of kind `exception`, the exception, and a task due in a working day."""
    asker = told.asker(GGZ)
    done = await invoked(told, asker, exception(asker), approval=approval(asker))
    assert [(one["type"], one["dossier"]) for one in exceptions_of(done)] == [("cvp", "complete")]
    assert "review-exception" in {task.kind for task in tasks_of(told)}
    assert held_in(told).rows("SELECT kind FROM acts ORDER BY idx") == [("exception",)]


@pytest.mark.parametrize("kind", ["cvp", "acuut"])
async def test_without_the_review_task_there_is_no_exception(told: World, kind: str) -> None:
    """The task cannot be written: then neither the exception nor its entry is there, and nothing was told."""
    asker = told.asker(GGZ)
    before = await log_size(told)
    held_in(told).write("ALTER TABLE tasks RENAME TO tasks_away")
    with pytest.raises(NotRecordedError):
        await invoked(told, asker, exception(asker, type=kind), approval=approval(asker))
    assert held_in(told).rows("SELECT count(*) FROM exceptions") == [(0,)]
    assert await log_size(told) == before


@pytest.mark.parametrize("member", ["type", "reason"])
def test_type_and_reason_are_never_left_out(told: World, member: str) -> None:
    """A body without them is none."""
    body = exception(told.asker(GGZ))
    del body[member]
    with pytest.raises(ValidationError):
        InvokeException.model_validate(body)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"consulted": None}, "exception-incomplete"),
        ({"consulted": worker_id(GGZ, "worker")}, "exception-own-consultation"),
        ({"tellOn": None}, "exception-incomplete"),
        *(({"without": one}, "exception-incomplete") for one in ("conscience", "no_other_way", "least_possible")),
    ],
)
async def test_one_thing_missing_and_nothing_is_sent(told: World, changed: dict[str, Any], problem: str) -> None:
    """No named other person, or one answer missing: refused openly, recorded, without any effect."""
    asker = told.asker(GGZ)
    body = exception(asker, dossier=dossier(**changed))
    with pytest.raises(RefusedError) as error:
        await invoked(told, asker, body, approval=approval(asker))
    assert str(error.value.document["type"]).endswith(problem)
    assert await listed(told, told.asker(GGZ, seed="lists")) == []
    assert tasks_of(told) == []


async def test_nobody_reviews_what_he_did_or_approved(told: World) -> None:
    """Whoever invoked or approved it is refused as its reviewer, and that is recorded."""
    asker = told.asker(GGZ)
    with pytest.raises(ApproverIsRequesterError):
        await invoked(told, asker, exception(asker), approval=approval(asker, enrolled_as="worker"))
    await invoked(told, asker, exception(asker), approval=approval(asker))
    (index,) = held_in(told).rows("SELECT max(idx) FROM acts WHERE kind = 'exception'")[0]
    for worker in (worker_id(GGZ, "worker"), worker_id(GGZ, "approver")):
        with pytest.raises(RefusedError) as error:
            await _judged(told, index, worker)
        assert error.value.document["textId"] == "review.own_act"


async def test_nobody_reviews_what_he_was_consulted_about(told: World) -> None:
    """Whoever was consulted is involved: also in an acute exception that names him only with its rest."""
    asker = told.asker(GGZ)
    await invoked(told, asker, exception(asker), approval=approval(asker))
    again = told.asker(GGZ, seed="acute")
    acute = exceptions_of(await invoked(told, again, exception(again, type="acuut")))[0]
    await completed(told, told.asker(GGZ, seed="rest"), acute["exceptionId"])
    for (index,) in held_in(told).rows("SELECT idx FROM acts WHERE kind = 'exception'"):
        with pytest.raises(RefusedError) as error:
            await _judged(told, index, COLLEAGUE)
        assert error.value.document["textId"] == "review.own_act"
        await _judged(told, index, worker_id(GGZ, "privacyfunctionaris"))


async def test_nobody_says_of_his_own_act_that_it_was_reviewed(told: World) -> None:
    """Whoever invoked it, approved it or was consulted cannot end its review task, whatever roles he has."""
    asker = told.asker(GGZ)
    await invoked(told, asker, exception(asker), approval=approval(asker))
    reviewer = who(told, GGZ, role="privacyfunctionaris")
    (task,) = found_in(await owed_of(told, reviewer))
    for worker in (worker_id(GGZ, "worker"), worker_id(GGZ, "approver"), COLLEAGUE):
        for role in ("privacyfunctionaris", "approver"):
            with pytest.raises(RefusedError) as error:
                await owed_done(told, who(told, GGZ, role=role), task["taskId"], worker=worker)
            assert error.value.document["type"] == "urn:sluis:problem:approver-is-requester"
    assert held_in(told).rows("SELECT done_at FROM tasks WHERE kind = 'review-exception'") == [(None,)]
    assert len(found_in(await owed_of(told, reviewer))) == 1


async def test_a_review_ends_by_the_verdict_alone(told: World) -> None:
    """Nobody's word that he looked ends it: refused openly and recorded; two of a high risk judge, and it is gone."""
    asker = told.asker(GGZ)
    await invoked(told, asker, exception(asker), approval=approval(asker))
    reviewer = who(told, GGZ, role="privacyfunctionaris")
    (task,) = found_in(await owed_of(told, reviewer))
    assert (task["byVerdict"], [(task["act"],)]) == (True, held_in(told).rows("SELECT idx FROM exceptions"))
    before = await log_size(told)
    with pytest.raises(RefusedError) as error:
        await owed_done(told, reviewer, task["taskId"])
    assert (error.value.document["type"], error.value.document["textId"]) == (
        "urn:sluis:problem:refused", "review.by_verdict",
    )  # fmt: skip
    assert await log_size(told) == before + 1
    for worker in (worker_id(GGZ, "privacyfunctionaris"), "second-reviewer"):
        assert [one["taskId"] for one in found_in(await owed_of(told, reviewer))] == [task["taskId"]]
        await _judged(told, task["act"], worker)
    assert held_in(told).rows("SELECT kind FROM tasks WHERE done_at IS NULL AND kind LIKE 'review-%'") == []
    assert found_in(await owed_of(told, reviewer)) == []


async def test_who_is_named_with_the_rest_ends_no_review_of_it(told: World) -> None:
    """The colleague of an acute exception had a part in it from then on, and naming him is done with it."""
    asker = told.asker(GGZ)
    acute = exceptions_of(await invoked(told, asker, exception(asker, type="acuut")))[0]
    reviewer = who(told, GGZ, role="privacyfunctionaris")
    (before,) = found_in(await owed_of(told, reviewer, worker=COLLEAGUE))
    assert before["ownAct"] is False
    assert _open(told, "noem_overleg") == 1
    await completed(told, told.asker(GGZ, seed="rest"), acute["exceptionId"])
    (after,) = found_in(await owed_of(told, reviewer, worker=COLLEAGUE))
    assert after == {**before, "ownAct": True}
    assert _open(told, "noem_overleg") == 0
    with pytest.raises(RefusedError) as error:
        await owed_done(told, reviewer, after["taskId"], worker=COLLEAGUE)
    assert error.value.document["textId"] == "review.own_act"


def _open(told: World, kind: str) -> int:
    return [one for (one,) in held_in(told).rows("SELECT kind FROM tasks WHERE done_at IS NULL")].count(kind)


async def test_veilig_thuis_does_not_review_what_it_was_consulted_about(told: World) -> None:
    """A care provider whose controller is Veilig Thuis consulted Veilig Thuis: it judges itself, they do not."""
    told.documents = documents(Enrolled(names=TELLING, parents={GGZ: VEILIG_THUIS}, others=OTHERS))
    indexes: list[int] = []
    for seed, consulted in (("there", None), ("here", COLLEAGUE)):
        asker = told.asker(GGZ, seed=seed)
        stated = dossier(consulted=consulted, consultedVeiligThuis=consulted is None)
        body = exception(asker, dossier=stated, controller=VEILIG_THUIS)
        await invoked(told, asker, body, approval=approval(asker))
        indexes += held_in(told).rows("SELECT max(idx) FROM acts")[0]
    theirs = worker_id(VEILIG_THUIS, "privacyfunctionaris")
    with pytest.raises(RefusedError) as error:
        await _judged(told, indexes[0], theirs, oin=VEILIG_THUIS)
    assert error.value.document["textId"] == "review.own_act"
    await _judged(told, indexes[0], worker_id(GGZ, "privacyfunctionaris"))
    await _judged(told, indexes[1], theirs, oin=VEILIG_THUIS)


async def test_veilig_thuis_names_somebody_else_than_itself(told: World) -> None:
    """At Veilig Thuis "Veilig Thuis was consulted" names nobody: a colleague is named, and may not judge it."""
    nobody = dossier(consulted=None, consultedVeiligThuis=True)
    asker = told.asker(VEILIG_THUIS)
    with pytest.raises(RefusedError) as error:
        await invoked(told, asker, exception(asker, dossier=nobody), approval=approval(asker))
    assert str(error.value.document["type"]).endswith("exception-own-consultation")


async def test_one_acute_exception_is_open_at_a_time(told: World) -> None:
    """The second one of a worker is refused until the first is complete and somebody else has judged it."""
    asker = told.asker(GGZ)
    acute = exceptions_of(await invoked(told, asker, exception(asker, type="acuut")))[0]
    assert acute["dossier"] == "acuut"
    assert acute["restDue"] == acute["at"] + 86_400
    (index,) = held_in(told).rows("SELECT idx FROM exceptions")[0]
    await _refused_acute(told, "open")
    await completed(told, asker, acute["exceptionId"])
    await _refused_acute(told, "complete")
    await _judged(told, index, worker_id(GGZ, "privacyfunctionaris"))
    # Of a high risk one reviewer is not enough.
    await _refused_acute(told, "one reviewer")
    await _judged(told, index, "second-reviewer")
    again = told.asker(GGZ, seed="again")
    await invoked(told, again, exception(again, type="acuut"))


async def _refused_acute(told: World, seed: str) -> None:
    asker = told.asker(GGZ, seed=seed)
    with pytest.raises(RefusedError) as error:
        await invoked(told, asker, exception(asker, type="acuut"))
    assert error.value.document["textId"] == "vraag.acute-open"


async def _judged(told: World, index: int, worker: str, *, oin: str = GGZ) -> None:
    asker = told.asker(oin, seed=f"judges {worker} {index}")
    await give_verdict(
        command=GiveVerdict.model_validate(asker.command(act=index, verdict="in_order", reason="work_explains")),
        requester=requester(asker, role="privacyfunctionaris", worker=worker),
        policies=told.policies,
        clock=told.clock,
        registers=told.documents,
        rosters=told.documents,
        signals=told.signals,
        acts=told.acts,
        notes=told.notes,
        answers=told.answers,
        log=told.log,
    )

"""Under which ids letters go: own ones, whatever stands at another organisation (red lines 4, 9 and 13)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from broker.domain.errors import FieldRuleError, KeyReusedError
from broker.flows.policy import PolicyInForce
from broker.protocol.own_ids import own_id
from tests.simulators.broker_world import a_world, held_in, log_size
from tests.simulators.databases import DATABASES
from tests.simulators.enrolled import VEILIG_THUIS, WIJKTEAM
from tests.simulators.requesting import Desk, shown

UNUSED = own_id(VEILIG_THUIS, b"\xff" * 8)
"""An id of Veilig Thuis under which nothing was ever sent."""


async def _refusal(desk: Desk, body: Mapping[str, Any]) -> tuple[str, str, int]:
    """Return why a telling of the wijkteam is no letter, and how many entries there are then."""
    with pytest.raises(FieldRuleError) as refused:
        await desk.send(body, by=WIJKTEAM)
    return refused.value.field, refused.value.rule, await log_size(desk.world)


async def test_anothers_id_is_refused_whether_it_is_in_use_or_not(desk: Desk) -> None:
    """Under an id of another's making nothing is sent, in the same words in both worlds; and what is there stays."""
    request = await desk.sent(to=WIJKTEAM)
    entries = await log_size(desk.world)
    told = [await _refusal(desk, desk.telling(WIJKTEAM, idempotencyKey=one)) for one in (request, UNUSED)]
    assert told == [("idempotencyKey", "is not an id that the own organisation makes", entries)] * 2
    (line,) = shown(await desk.list(by=WIJKTEAM))
    assert (line["requestId"], line["side"], line["kind"]) == (request, "received", "request")
    assert (await desk.send(desk.telling(WIJKTEAM), by=WIJKTEAM)).result["outcome"] == "sent"


@pytest.mark.parametrize("store", DATABASES)
async def test_an_own_id_serves_once_also_when_its_answer_is_gone(
    store: str, tmp_path: Path, policy: PolicyInForce
) -> None:
    """Where what was answered under it is kept no more, another letter under it is a key used before, no outage."""
    async with a_world(store, tmp_path, policy=policy) as world:
        desk = Desk(world)
        first = desk.telling(WIJKTEAM)
        await desk.send(first, by=WIJKTEAM)
        held_in(world).write("DELETE FROM answers")
        with pytest.raises(KeyReusedError):
            await desk.send({**desk.telling(WIJKTEAM), "idempotencyKey": first["idempotencyKey"]}, by=WIJKTEAM)
        assert len(shown(await desk.list(by=WIJKTEAM))) == 1

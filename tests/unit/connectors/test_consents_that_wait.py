"""What was said of a consent while the broker was away: it comes first, and is no answer to what was said later."""

from dataclasses import replace

import httpx
import pytest

from connectors.client import SluisClient
from connectors.errors import NotDoneError, RefusedError
from connectors.exchange import Surroundings
from connectors.letters import Letters
from connectors.questions import Question
from tests.simulators.asking import household
from tests.simulators.enrolled import SCHOOL, WIJKTEAM
from tests.simulators.reviewing_partner import Bridged
from tests.simulators.served_desks import Desks
from tests.unit.connectors.test_consents import NO, WHO, YES, statement
from tests.unit.connectors.test_letters import UNTIL

SHARED = {"purpose": "afstemmen", "categories": ["hulp"], "parties": [SCHOOL]}
TOLD = Question(
    to=SCHOOL, to_team="team-1", team="team-1", purpose="afstemmen", grounds=["TOEST"], categories=["hulp"],
    level=3, expires_on=UNTIL, text="Hij krijgt hulp.",
)  # fmt: skip


class Cut(Bridged):
    """Nothing that is posted arrives: the broker is away."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass on what only reads."""
        if request.method == "POST":
            raise httpx.ConnectError("down")
        return await super().handle_async_request(request)


def away(desks: Desks, worker: str = "anna") -> SluisClient:
    """Return the client of a worker who cannot reach the broker."""
    network = Cut(desks.world.app, desks.loop)
    around = Surroundings(clock=desks.world.clock.now, transport=network)
    return SluisClient(desks.folder(WIJKTEAM), worker=worker, surroundings=around)


async def a_signal(desks: Desks) -> str:
    """Return the id of a signal of the wijkteam."""
    answer = await desks.world.register(WIJKTEAM, household(subject="child"))
    return str(answer.json()["result"]["signalId"])


async def test_a_yes_that_waited_does_not_undo_a_later_no(desks: Desks) -> None:
    """Anna's yes waits, the person says no to Bram: what was said first is refused when it comes in last."""
    signal_id = await a_signal(desks)
    async with away(desks) as client:
        with pytest.raises(NotDoneError):
            await client.consents.record(statement(), signal_id=signal_id)
    desks.world.clock.move(3600)
    async with desks.client(WIJKTEAM, worker="bram") as client:
        await client.consents.record(statement(NO), signal_id=signal_id)
        resumed = await client.resume()
        (waited,) = resumed.unfinished
        assert isinstance(waited.error, RefusedError)
        assert waited.error.problem.id == "consent-said-before"
        assert [[party.state for party in one.parties] for one in await client.consents.list_own()] == [["refused"]]
        assert (await client.resume()).unfinished == ()


async def test_a_withdrawal_that_waits_goes_before_what_rests_on_the_yes(desks: Desks) -> None:
    """She phoned while the broker was away: nothing is told on her yes any more, whoever comes back first."""
    signal_id = await a_signal(desks)
    async with desks.client(WIJKTEAM, worker="anna", approver="carla") as client:
        yes, _ = await client.consents.record(statement(YES, **SHARED), signal_id=signal_id)
    told = replace(TOLD, consent_id=yes.consent_id)
    async with away(desks) as client:
        with pytest.raises(NotDoneError):
            await Letters(client.desk).tell(told)
        with pytest.raises(NotDoneError):
            await client.consents.withdraw(yes.consent_id, {"who": WHO, "capacity": "person", "by": "phone"})
        # While she is not heard, nothing new leaves on her yes either.
        with pytest.raises(NotDoneError):
            await Letters(client.desk).tell(told)
    desks.world.clock.move(60)
    async with desks.client(WIJKTEAM, worker="anna") as client:
        with pytest.raises(RefusedError):
            await Letters(client.desk).tell(told)
        assert [[party.state for party in one.parties] for one in await client.consents.list_own()] == [["withdrawn"]]
        resumed = await client.resume()
        assert [type(one.error) for one in resumed.unfinished] == [RefusedError]
        assert resumed.outcomes == ()


async def test_resuming_takes_consents_first(desks: Desks) -> None:
    """The letter was written first, and waits: her withdrawal is recorded before it all the same."""
    signal_id = await a_signal(desks)
    async with desks.client(WIJKTEAM, worker="anna", approver="carla") as client:
        yes, _ = await client.consents.record(statement(YES, **SHARED), signal_id=signal_id)
    async with away(desks) as client:
        with pytest.raises(NotDoneError):
            await Letters(client.desk).tell(replace(TOLD, consent_id=yes.consent_id))
        desks.world.clock.move(1)
        with pytest.raises(NotDoneError):
            await client.consents.withdraw(yes.consent_id, {"who": WHO, "capacity": "person", "by": "phone"})
    desks.world.clock.move(60)
    async with desks.client(WIJKTEAM, worker="anna") as client:
        resumed = await client.resume()
        assert [outcome.outcome for outcome in resumed.outcomes] == ["done"]
        assert [type(one.error) for one in resumed.unfinished] == [RefusedError]

"""A yes is recorded only where it can open something with everybody it names; a no is always taken."""

from typing import Any

import pytest

from broker.domain.errors import RefusedError
from broker.flows.consent_opens import OPENS_NOTHING
from tests.simulators.broker_world import World
from tests.simulators.citing import BUURTTEAM, citing, consent
from tests.simulators.citing import GI as GI_OF_AMSTERDAM
from tests.simulators.consenting import GGZ, HUISARTS, answer, answered_too, caring, consents_of, record, send_record
from tests.simulators.enrolled import GI, SCHOOL, VEILIG_THUIS, WIJKTEAM

CONTENT: dict[str, Any] = {"purpose": "afstemmen", "categories": ["hulp"]}
ADULT: dict[str, Any] = {"purpose": "volwassene", "categories": ["betrokkenheid"]}


async def _problem(world: World, by: str, **changed: Any) -> str | None:  # noqa: ANN401 - members of a body
    """Return the problem that a yes of Trudy's ends in; None where it is recorded."""
    asker = world.asker(by)
    try:
        await send_record(world, asker, record(asker, person=None, **changed))
    except RefusedError as error:
        return str(error.document["type"]).rpartition("/")[2].rpartition(":")[2]
    return None


@pytest.mark.parametrize(
    ("by", "party", "stated", "opens"),
    [
        (WIJKTEAM, SCHOOL, CONTENT, True),
        (SCHOOL, WIJKTEAM, CONTENT, True),
        (WIJKTEAM, HUISARTS, CONTENT, True),
        (HUISARTS, WIJKTEAM, CONTENT, True),
        (GI, SCHOOL, CONTENT, True),
        (WIJKTEAM, GI, CONTENT, False),
        (WIJKTEAM, VEILIG_THUIS, CONTENT, False),
        (VEILIG_THUIS, WIJKTEAM, CONTENT, False),
        (WIJKTEAM, SCHOOL, {**CONTENT, "categories": ["gezondheid"]}, False),
        (HUISARTS, WIJKTEAM, {**ADULT, "categories": ["hulp"]}, True),
        (WIJKTEAM, GGZ, ADULT, True),
        (WIJKTEAM, SCHOOL, ADULT, False),
        (WIJKTEAM, SCHOOL, {"purpose": "casusoverleg", "categories": ["hulp"]}, False),
    ],
)
async def test_a_yes_opens_something_or_is_refused(
    world: World, by: str, party: str, stated: dict[str, Any], *, opens: bool
) -> None:
    """Purpose, data, both classes and the agreements of that day decide whether a family is asked for something."""
    found = await _problem(caring(world), by, parties=[party], **stated)
    assert found == (None if opens else OPENS_NOTHING)


async def test_one_party_with_whom_nothing_opens_is_told_at_once(world: World) -> None:
    """No letter names somebody with whom the yes opens nothing."""
    assert await _problem(caring(world), WIJKTEAM, parties=[HUISARTS, GI], **CONTENT) == OPENS_NOTHING


async def test_a_no_is_always_taken(world: World) -> None:
    """Refused and not asked are recorded whatever they would open; a yes after them is not."""
    asker = caring(world).asker(WIJKTEAM)
    body = record(asker, answer(said="refused"), person=None, parties=[GI], **CONTENT)
    told = await send_record(world, asker, body)
    with pytest.raises(RefusedError) as refused:
        await answered_too(world, asker, consents_of(told)[0]["consentId"], answer())
    assert str(refused.value.document["type"]).endswith(OPENS_NOTHING)


async def test_a_yes_on_which_one_may_ask_opens_something(world: World) -> None:
    """Who may ask for content with consent may record it towards whom he asks, whoever tells on another ground."""
    desk = citing(world)
    assert await consent(desk, by=BUURTTEAM, purpose="overlast", categories=["veiligheid"], parties=[GI_OF_AMSTERDAM])

"""A check that was not carried out is a problem; one that was carried out always is a result, whatever it found."""

import httpx
import pytest

from broker.protocol.problems import texts
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM
from tests.simulators.served_world import ServedWorld

FAMILY = household(subject="child", parents=["mother"])
CHECKED = {**FAMILY, "members": []}


def _is_nothing(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json()["result"]["outcome"] == "nothing"


async def test_an_outage_is_never_a_result(world: ServedWorld) -> None:
    """While the database is locked away from the broker, a check is a 503 that says it was not done."""
    await world.register(WIJKTEAM, FAMILY)
    with world.database.session() as other:
        other.execute("ALTER TABLE signal_tokens RENAME TO gone")
        answer = await world.check(WIJKTEAM, CHECKED)
        other.execute("ALTER TABLE gone RENAME TO signal_tokens")
    assert answer.status_code == 503
    assert answer.json()["textId"].startswith("not_done")
    assert "result" not in answer.json()
    assert _is_nothing(await world.check(WIJKTEAM, CHECKED))


@pytest.mark.parametrize("case", ["none", "shielded", "not permitted"])
async def test_what_was_carried_out_is_always_a_result(world: ServedWorld, case: str) -> None:
    """None, shielded and not permitted to see are told with the same words: carried out, nothing to show."""
    await world.register(WIJKTEAM, FAMILY)
    if case != "none":
        await world.register(GI, FAMILY)
    if case == "shielded":
        world.write("UPDATE signals SET shielded = true WHERE organisation = ?", GI)
    if case == "not permitted":
        theirs = "SELECT id, ?, '' FROM signals WHERE organisation = ?"
        world.write(f"INSERT INTO signal_exclusions (signal_id, organisation, worker) {theirs}", WIJKTEAM, GI)
    answer = await world.check(WIJKTEAM, CHECKED)
    assert _is_nothing(answer)
    assert answer.json()["result"]["text"] == {"id": "check.nothing", "params": {}}


async def test_a_refusal_is_neither(world: ServedWorld) -> None:
    """A refused check is told as refused, not as nothing and not as an outage."""
    answer = await world.check(SCHOOL, CHECKED)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:sluis:problem:refused")


def test_the_words_for_nothing_are_no_reassurance() -> None:
    """The text of an empty answer says that this says nothing about safety, and no text of an outage sounds like it."""
    catalogue = texts()
    assert "zegt niet of het gezin veilig is" in catalogue["check.nothing"]
    outages = [text for name, text in catalogue.items() if name.startswith("not_done")]
    assert outages
    assert all("kunnen je niets tonen" not in text for text in outages)

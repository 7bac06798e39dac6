"""The policy over the network: what is decided on facts of the caller's own, and nothing of anybody's signals."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from broker.api.wire import prefers_html
from broker.domain.errors import NotFoundError
from broker.flows.policy import PolicyInForce
from broker.flows.published_policy import difference
from policies import Bundle, load_bundle
from policies.schema import validator
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, WIJKTEAM
from tests.simulators.served_world import ServedWorld, make_template
from tests.unit.policies.arnhem import VIRA, changed_documents

FACTS: dict[str, Any] = {
    "day": "2026-11-22",
    "operation": "check",
    "organisation": WIJKTEAM,
    "org_class": "wijkteam",
    "role": "worker",
    "purpose": "verwijsindex",
    "grounds": ["JW-7.1.4.1"],
    "standing": "own_signal",
    "approval": "none",
    "families": ["fam", "nlbsn"],
}
HIT: dict[str, Any] = {
    "holder": GI,
    "holder_class": "gi",
    "kind": "person",
    "purpose": "verwijsindex",
    "ground": "JW-7.1.4.1",
    "shielded": False,
    "excluded": False,
}
ACCESS: dict[str, Any] = {
    "subject": {
        "type": "organisation",
        "id": WIJKTEAM,
        "properties": {"org_class": "wijkteam", "role": "worker", "approval": "none"},
    },
    "action": {"name": "check"},
    "resource": {"type": "purpose", "id": "verwijsindex"},
    "context": {name: FACTS[name] for name in ("day", "grounds", "standing", "families")},
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broker on a file: these routes read nothing but who asks."""
    return make_template(tmp_path_factory.mktemp("template") / "world")


async def _get(world: ServedWorld, path: str, **headers: str) -> httpx.Response:
    sent = world.asker(WIJKTEAM).get(path)
    return await world.client.get(path, headers={**sent.headers, **headers})


async def _post(world: ServedWorld, path: str, body: dict[str, Any]) -> httpx.Response:
    return await world.send(world.asker(WIJKTEAM).post(path, body))


async def test_a_document_is_shown_as_it_was_written_or_as_a_page(world: ServedWorld) -> None:
    """JSON by default, a fragment of a Dutch page for who asks for HTML, and 404 for another id or version."""
    shown = await _get(world, "/v1/convenants/vira/2026.1.0")
    assert shown.json()["document"]["titel"] == "Afspraken verwijsindex regio Arnhem (voorbeeld)"
    assert len(shown.json()["bundleSha256"]) == 64
    page = await _get(world, "/v1/convenants/vira/2026.1.0", accept="text/html,application/json;q=0.9")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"] == "default-src 'none'"
    assert page.text.startswith('<article class="convenant">')
    assert shown.json()["grounds"]["JW-7.1.4.1"].startswith("Jeugdwet 7.1.4.1")
    rows = shown.json()["tests"]["vira@2026.1.0/kijken"]
    assert rows
    for part in ("Getoetst met", rows[0], "Grondslag", "kijken wie er betrokken is"):
        assert part in page.text
    for path in ("/v1/convenants/vira/2025.1.0", "/v1/convenants/weg/2026.1.0"):
        for accept in ("application/json", "text/html"):
            answer = await _get(world, path, accept=accept)
            assert (answer.status_code, answer.json()["type"]) == (404, "urn:sluis:problem:not-found")


async def test_the_words_of_the_policy_are_listed(world: ServedWorld) -> None:
    """A client finds every word it may use, with Dutch names."""
    words = (await _get(world, "/v1/vocabulary")).json()
    assert {"verwijsindex", "proefregio"} <= set(words["columns"]["purpose"])
    assert words["classes"]["wijkteam"] == "een wijkteam"
    assert words["grounds"]["JW-7.1.4.1"].startswith("Jeugdwet 7.1.4.1. ")
    assert "vira@2026.1.0" in words["documents"]


@pytest.mark.parametrize(
    ("facts", "outcome", "level"),
    [
        (FACTS, "permit", 2),
        ({**FACTS, "hit": HIT}, "permit", 2),
        ({**FACTS, "standing": "none"}, "refuse", 0),
        ({**FACTS, "hit": {**HIT, "shielded": True}}, "refuse", 0),
        ({**FACTS, "org_class": "bakker"}, "refuse", 0),
    ],
)
async def test_what_would_be_decided_is_told_with_its_reason(
    world: ServedWorld, facts: dict[str, Any], outcome: str, level: int
) -> None:
    """The caller's facts alone are decided, with the record the log would hold and the Dutch text."""
    answer = await _post(world, "/v1/policy/what-if", {"facts": facts})
    decided = answer.json()
    assert list(validator("decision/v1").iter_errors(decided["decision"])) == []
    assert (decided["decision"]["outcome"], decided["decision"]["level"]) == (outcome, level)
    assert decided["text"]
    assert bool(decided["possible"]) == (outcome == "refuse" and "hit" not in facts)
    assert world.leaves == 0


async def test_the_answer_knows_nothing_of_what_is_stored(world: ServedWorld) -> None:
    """With and without a signal on anybody, and whoever asks about whom, the same facts get the same bytes."""
    question = {"facts": {**FACTS, "hit": HIT}}
    before = await _post(world, "/v1/policy/what-if", question)
    assert (await world.register(GI, household(subject="child"))).status_code == 200
    after = await _post(world, "/v1/policy/what-if", question)
    assert before.content == after.content
    assert world.rows("SELECT count(*) FROM answers") == [(1,)]


@pytest.mark.parametrize(
    ("resource", "decision"),
    [
        ({"type": "purpose", "id": "verwijsindex"}, True),
        ({"type": "purpose", "id": "proefregio"}, False),
        ({"type": "signal", "id": "of no matter", "properties": HIT}, True),
        ({"type": "signal", "id": "of no matter", "properties": {**HIT, "excluded": True}}, False),
    ],
)
async def test_it_answers_as_an_authzen_decision_point(
    world: ServedWorld, resource: dict[str, Any], decision: object
) -> None:
    """Subject, action, resource and context become the facts of one decision, allowed or not."""
    context = {**ACCESS["context"], **({"purpose": "verwijsindex"} if resource["type"] == "signal" else {})}
    answer = await _post(world, "/access/v1/evaluation", {**ACCESS, "resource": resource, "context": context})
    assert answer.status_code == 200
    assert answer.json()["decision"] is decision
    assert answer.json()["context"]["reason_user"]["nl"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/policy/what-if", {"facts": {**FACTS, "bsn": "999990408"}}, "facts"),
        ("/v1/policy/what-if", {"facts": {**FACTS, "day": "gisteren"}}, "facts.day"),
        ("/v1/policy/what-if", {"facts": []}, "facts"),
        ("/v1/policy/what-if", {}, "facts"),
        ("/access/v1/evaluation", {**ACCESS, "subject": {"type": "user", "id": "x"}}, "subject.type"),
        ("/access/v1/evaluation", {**ACCESS, "context": {**ACCESS["context"], "role": "worker"}}, "context"),
        ("/access/v1/evaluation", {**ACCESS, "context": {}}, "facts.day"),
    ],
)
async def test_what_are_no_facts_is_refused_by_field(
    world: ServedWorld, path: str, body: dict[str, Any], field: str
) -> None:
    """A member too many, too few or of another form is named, and its value never repeated."""
    answer = await _post(world, path, body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert "999990408" not in answer.text
    assert "gisteren" not in answer.text


async def test_the_policy_is_compared_with_an_earlier_one(world: ServedWorld) -> None:
    """From itself nothing changed; a hash this broker has not is not found; what is no hash is refused."""
    bundle = (await _get(world, "/v1/vocabulary")).json()["bundleSha256"]
    same = (await _get(world, f"/v1/policy/diff?earlier={bundle}")).json()
    assert (same["schema"], same["openings"], same["closings"]) == ("diff/v1", 0, 0)
    assert (await _get(world, f"/v1/policy/diff?earlier={'0' * 64}")).status_code == 404
    for wrong in ("?earlier=x", "", f"?earlier={'G' * 64}"):
        answer = await _get(world, f"/v1/policy/diff{wrong}")
        assert (answer.status_code, answer.json()["field"]) == (400, "earlier")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/convenants/vira/2026.1.0"),
        ("GET", "/v1/vocabulary"),
        ("GET", f"/v1/policy/diff?earlier={'0' * 64}"),
        ("POST", "/v1/policy/what-if"),
        ("POST", "/access/v1/evaluation"),
    ],
)
async def test_nobody_asks_unsigned(world: ServedWorld, method: str, path: str) -> None:
    """These routes are for organisations of the register, as all others."""
    answer = await world.client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:sluis:problem:request-token-missing")


def test_an_earlier_release_can_be_compared_with(tmp_path: Path) -> None:
    """What opened since a bundle that was in force before is told, computed once, and only so many are kept."""
    now: Bundle = load_bundle()
    before = load_bundle(changed_documents(tmp_path, (VIRA, "vragend: [wijkteam, gi, veilig_thuis]", "vragend: [gi]")))
    policy = PolicyInForce.of(now, earlier={before.sha256: before})
    found = difference(policy, before.sha256)
    assert found["openings"] > 0
    assert difference(policy, before.sha256) is found
    policy.diffs.update({str(number): {} for number in range(16)})
    difference(policy, now.sha256)
    assert list(policy.diffs) == [now.sha256]
    with pytest.raises(NotFoundError):
        difference(policy, "0" * 64)


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("", False),
        ("*/*", False),
        ("text/html", True),
        ("text/html, */*;q=0.1", True),
        ("application/json, text/html", False),
        ("text/html;q=x", False),
        ("text/html;q=0.4, application/json;q=0.5", False),
    ],
)
def test_html_is_given_to_who_asks_for_it_first(accept: str, html: object) -> None:
    """JSON when in doubt."""
    assert prefers_html(accept) is html

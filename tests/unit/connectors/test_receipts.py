import dataclasses
import json
from pathlib import Path

import pytest

from audit.verify import parse_policy
from connectors.answers import VerifiedEntry
from connectors.errors import ReceiptError
from connectors.receipts import Expected, stored_indexes, verify_answer, verify_stored
from tests.simulators.partner_world import PartnerWorld
from tests.unit.audit.log_simulator import policy_text, sealed, witness_key
from tests.unit.connectors.cases_by_hand import ASKED, OTHER_LOG, child


async def kept(world: PartnerWorld) -> Path:
    """Return the file of a receipt that a partner keeps after a check."""
    async with world.client("gi") as gi:
        outcome = await gi.check(child(), **ASKED)
    return world.folders["gi"].receipts / f"{outcome.receipts[0].index}.json"


async def test_a_kept_receipt_verifies_anew_and_holds_no_token(world: PartnerWorld) -> None:
    """A receipt can be checked years later from its file alone, and the file has no token and no ticket in it."""
    path = await kept(world)
    folder = world.folders["gi"]
    entry = verify_stored(path, policy=folder.log_policy)
    assert (entry.kind, entry.status, entry.cosigned_by) == ("check", "cosigned", ("w1",))
    assert entry.cosigned_nl == "meegetekend door 1 van 1"
    assert stored_indexes(folder.receipts) == [entry.index]
    body = json.loads(world.broker.bodies[-1])
    text = path.read_text()
    assert body["household"]["subject"] not in text
    assert all(ticket not in text for ticket in body["tickets"])
    assert path.stat().st_mode & 0o777 == 0o600


CHANGES = {
    "answer": lambda document: document["answer"].update(outcome="shown"),
    "request": lambda document: document["expected"].update(requestSha256="0" * 64),
    "worker": lambda document: document["expected"].update(worker="somebody"),
    "kind": lambda document: document["expected"].update(kind="signal"),
    "tickets": lambda document: document["expected"].update(tickets=[]),
    "leaf": lambda document: document["receipt"].update(leaf=document["receipt"]["leaf"].replace("time ", "time 1")),
    "opening": lambda document: document["receipt"]["openings"]["meta"].update(key="A" * 43),
    "receipt": lambda document: document.pop("receipt"),
    "expected": lambda document: document.update(expected=None),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_kept_receipt_that_was_changed_does_not_hold(world: PartnerWorld, name: str) -> None:
    """Every part of a kept receipt counts: answer, request, actor, tickets, leaf and openings."""
    path = await kept(world)
    document = json.loads(path.read_text())
    CHANGES[name](document)
    path.write_text(json.dumps(document))
    with pytest.raises(ReceiptError):
        verify_stored(path, policy=world.folders["gi"].log_policy)


@pytest.mark.parametrize(
    ("meta", "actor", "step"),
    [
        ({"schema": "entry-meta/v2"}, {}, "another kind"),
        ({"request": None}, {}, "another request"),
        ({"bundle": "00"}, {}, "no bundle"),
        ({"bundle": "G" * 64}, {}, "no bundle"),
        ({"decision": 1}, {}, "no bundle"),
        ({}, {"organisation": "x"}, "another sender"),
        ({}, {"tickets": None}, "other tickets"),
        ({}, {"tickets": [1]}, "other tickets"),
        ({}, {"tickets": [{"custodian": "a", "id": "b"}]}, "other tickets"),
        ({"outcome": "error"}, {"tickets": [{"custodian": "c", "id": "t"}]}, "other tickets"),
    ],
)
def test_a_signed_entry_must_say_the_right_thing(
    world: PartnerWorld, meta: dict[str, object], actor: dict[str, object], step: str
) -> None:
    """A good signature is not enough: the log may have recorded something else than what was asked and told."""
    expected = Expected(
        kind="check",
        organisation="o",
        worker="w",
        request_sha256="1" * 64,
        shown_sha256=None,
        tickets=frozenset({("c", "t")}),
    )
    entry_meta = {
        "schema": "entry-meta/v1",
        "request": {"sha256": "1" * 64},
        "bundle": "2" * 64,
        "decision": None,
        "outcome": "nothing",
        "result_sha256": "3" * 64,
    }
    entry_actor = {"organisation": "o", "worker": "w", "tickets": [{"custodian": "c", "id": "t"}]}
    policy = world.folders["gi"].log_policy
    good = world.log.tick(sealed("check", meta=entry_meta, actor=entry_actor)).receipt(0).to_wire()
    assert verify_answer(good, policy=policy, expected=expected).status == "uncosigned"
    bad = world.log.tick(sealed("check", meta=entry_meta | meta, actor=entry_actor | actor)).receipt(0).to_wire()
    with pytest.raises(ReceiptError, match=step):
        verify_answer(bad, policy=policy, expected=expected)
    with pytest.raises(ReceiptError, match="another answer"):
        verify_answer(good, policy=policy, expected=dataclasses.replace(expected, shown_sha256="4" * 64))


async def test_another_log_is_not_believed(world: PartnerWorld) -> None:
    """A receipt counts under the pinned log key only."""
    path = await kept(world)
    with pytest.raises(ReceiptError, match="signature"):
        verify_stored(path, policy=parse_policy(policy_text(OTHER_LOG, witness_key().verifier)))


def test_the_words_about_witnesses_say_how_far_they_vouch() -> None:
    """A worker reads whether the log was cosigned, and since when not."""
    entry = VerifiedEntry(
        index=1,
        kind="check",
        status="uncosigned",
        cosigned_by=(),
        witnesses=2,
        uncosigned_since=None,
        bundle_sha256="",
        outcome="nothing",
        decision={},
    )
    assert entry.cosigned_nl == "nog niet meegetekend"

import dataclasses
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from audit.verify import parse_policy
from connectors.answers import VerifiedEntry
from connectors.errors import ReceiptError
from connectors.outbox import Outbox
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
    "outcome": lambda document: document["expected"].update(outcome="shown"),
    "token id": lambda document: document["expected"].update(jti="0" * 32),
    "withheld": lambda document: document["expected"].update(shownSha256=None),
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


ROW: dict[str, object] = {"oin": "1", "team": "t", "kind": "family", "level": 2}
META: dict[str, object] = {
    "schema": "entry-meta/v1",
    "request": {"sha256": "1" * 64},
    "bundle": "2" * 64,
    "decision": None,
    "outcome": "nothing",
    "shown": [ROW],
    "result_sha256": "3" * 64,
}
ACTOR: dict[str, object] = {
    "organisation": "o",
    "worker": "w",
    "jti": "j",
    "tickets": [{"custodian": "c", "id": "t"}],
}
EXPECTED = Expected(
    kind="check",
    organisation="o",
    worker="w",
    request_sha256="1" * 64,
    shown_sha256="3" * 64,
    outcome="nothing",
    shown=(("1", "t", "family", 2),),
    jti="j",
    tickets=frozenset({("c", "t")}),
)


def entry(world: PartnerWorld, meta: dict[str, object], actor: dict[str, object], *, kind: str = "check") -> Any:  # noqa: ANN401 - a receipt in wire form
    """Return the receipt of an entry that says this besides what a good one says."""
    return world.log.tick(sealed(kind, meta=META | meta, actor=ACTOR | actor)).receipt(0).to_wire()


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
        ({"result_sha256": "4" * 64}, {}, "another answer"),
        ({"outcome": "shown"}, {}, "another way"),
        ({"outcome": "error"}, {}, "another way"),
        ({"shown": []}, {}, "shows others"),
        ({"shown": None}, {}, "shows others"),
        ({"shown": ["x"]}, {}, "shows others"),
        ({"shown": [{**ROW, "kind": "person"}]}, {}, "shows others"),
        ({"shown": [{**ROW, "level": 1}]}, {}, "shows others"),
        ({"shown": [{**ROW, "oin": "2"}]}, {}, "shows others"),
        ({"shown": [{**ROW, "team": "u"}]}, {}, "shows others"),
        ({"shown": [ROW, ROW]}, {}, "shows others"),
        ({}, {"jti": "k"}, "another request token"),
    ],
)
def test_a_signed_entry_must_say_the_right_thing(
    world: PartnerWorld, meta: dict[str, object], actor: dict[str, object], step: str
) -> None:
    """A good signature is not enough: the log may have recorded something else than what was asked and told."""
    policy = world.folders["gi"].log_policy
    assert verify_answer(entry(world, {}, {}), policy=policy, expected=EXPECTED).status == "uncosigned"
    with pytest.raises(ReceiptError, match=step):
        verify_answer(entry(world, meta, actor), policy=policy, expected=EXPECTED)


def test_a_failure_spends_no_ticket(world: PartnerWorld) -> None:
    """An act that failed can be tried again: its entry names no ticket, and one that does is not believed."""
    policy, failed = world.folders["gi"].log_policy, dataclasses.replace(EXPECTED, outcome="error")
    unspent = entry(world, {"outcome": "error"}, {"tickets": []})
    assert verify_answer(unspent, policy=policy, expected=failed).outcome == "error"
    with pytest.raises(ReceiptError, match="other tickets"):
        verify_answer(entry(world, {"outcome": "error"}, {}), policy=policy, expected=failed)


def test_a_stored_answer_may_be_of_an_earlier_token(world: PartnerWorld) -> None:
    """Only of a direct answer is the token known; a stored one was made with an earlier token of the same request."""
    policy, stored = world.folders["gi"].log_policy, dataclasses.replace(EXPECTED, jti=None)
    assert verify_answer(entry(world, {}, {"jti": "k"}), policy=policy, expected=stored).outcome == "nothing"


def withheld(receipt: dict[str, Any], *opened: str) -> dict[str, Any]:
    """Return the receipt with these openings only."""
    return receipt | {"openings": {group: receipt["openings"][group] for group in opened}}


def test_of_a_withheld_answer_exactly_the_actor_is_opened(world: PartnerWorld) -> None:
    """The receipt of a withheld answer proves who asked and nothing of what was shown; another opening is refused."""
    policy = world.folders["gi"].log_policy
    replayed = dataclasses.replace(EXPECTED, shown_sha256=None, outcome=None, shown=(), jti=None)
    receipt = entry(world, {}, {"jti": "k"})
    found = verify_answer(withheld(receipt, "actor"), policy=policy, expected=replayed)
    assert (found.kind, found.bundle_sha256, found.outcome, found.decision) == ("check", None, None, {})
    for opened in ((), ("meta",), ("meta", "actor")):
        with pytest.raises(ReceiptError, match=r"opening|opens more"):
            verify_answer(withheld(receipt, *opened), policy=policy, expected=replayed)
    with pytest.raises(ReceiptError, match="opening"):
        verify_answer(withheld(receipt, "actor"), policy=policy, expected=EXPECTED)
    others: tuple[tuple[dict[str, object], str], ...] = (
        ({"organisation": "p"}, "another sender"),
        ({"worker": "v"}, "another sender"),
        ({"tickets": []}, "other tickets"),
    )
    for changed, step in others:
        with pytest.raises(ReceiptError, match=step):
            verify_answer(withheld(entry(world, {}, changed), "actor"), policy=policy, expected=replayed)
    with pytest.raises(ReceiptError, match="another kind"):
        verify_answer(withheld(entry(world, {}, {}, kind="signal"), "actor"), policy=policy, expected=replayed)


async def test_a_kept_receipt_survives_a_crash_before_the_command_is_forgotten(
    world: PartnerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file and the folder that names it are both on disk before the outbox row is deleted."""
    synced: list[tuple[bool, int]] = []
    sync, folder = os.fsync, world.folders["gi"]

    def watched(descriptor: int) -> None:
        """Sync, and write down what was synced while how many commands waited."""
        sync(descriptor)
        with Outbox(folder.outbox_path, folder.outbox_key) as outbox:
            synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), len(outbox.waiting())))

    monkeypatch.setattr(os, "fsync", watched)
    await kept(world)
    assert synced[-2:] == [(False, 1), (True, 1)]


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

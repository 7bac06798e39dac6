"""Entries of the own organisation are opened with their proofs for its own FG, and that is an entry."""

import hashlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from audit.database import Connection
from audit.entry import Leaf
from audit.export.bundle import Export, build_export
from audit.export.committed import erased_sha256
from audit.export.content import Stated
from audit.export.opened import OpenedEntry
from audit.export.verify import verify_export
from audit.policy_file import Policy, parse_policy
from audit.receipt import Receipt
from audit.verify import VerifiedReceipt, verify_receipt
from broker.flows import export_acts
from broker.protocol.export_messages import EXPORTED_PER_PAGE
from broker.store.quorum import covered_size
from tests.simulators.asking import household
from tests.simulators.enrolled import GI, WIJKTEAM, worker_id
from tests.simulators.served_world import ServedWorld, served_world

FAMILY = household(subject="child", parents=["mother"])


@pytest.fixture
async def cosigned(template: Path, tmp_path: Path) -> AsyncIterator[ServedWorld]:
    """A broker whose witness is up."""
    async with served_world(template, tmp_path / "cosigned", witness_up=True) as world:
        yield world


def policy_of(world: ServedWorld) -> tuple[str, Policy]:
    """Return the broker's log policy, as text and read."""
    text = (world.folder / "broker" / "log-policy").read_text(encoding="utf-8")
    return text, parse_policy(text)


async def exported(world: ServedWorld, oin: str = WIJKTEAM, *, role: str = "fg", **asked: object) -> httpx.Response:
    """Return the answer to a request for an export."""
    now = world.clock.now()
    stated = {"format": "csv", "reason": "maandcontrole", "since": now - 86_400, "until": now + 86_400, **asked}
    query = "&".join(f"{name}={value}" for name, value in stated.items() if value is not None)
    return await world.send(world.asker(oin, role=role, seed=f"export {role}").get(f"/v1/review/exports?{query}"))


def opened(answer: httpx.Response) -> list[OpenedEntry]:
    """Return the entries in an answer."""
    return [
        OpenedEntry(
            receipt=Receipt.from_wire({**{n: e[n] for n in ("leaf", "proof", "openings")}, "uncosignedSince": None})
        )
        for e in answer.json()["result"]["entries"]
    ]


def recorded(world: ServedWorld, answer: httpx.Response) -> VerifiedReceipt:
    """Return the entry of an export."""
    return verify_receipt(Receipt.from_wire(answer.json()["receipt"]), policy_of(world)[1])


async def test_the_own_entries_are_exported_and_hold(cosigned: ServedWorld) -> None:
    """What an FG gets becomes an export that anybody checks offline, and that the broker recorded."""
    world = cosigned
    await world.register(WIJKTEAM, FAMILY)
    await world.register(GI, FAMILY)
    await world.check(WIJKTEAM, {**FAMILY, "members": []})
    answer = await exported(world)
    assert answer.status_code == 200, answer.text
    entry = recorded(world, answer)
    text, policy = policy_of(world)
    stated = Stated(
        made_at=entry.leaf.time,
        organisation=WIJKTEAM,
        worker=worker_id(WIJKTEAM, "fg"),
        reader="organisation",
        reason="maandcontrole",
        selection=MappingProxyType(answer.json()["result"]["selection"]),
    )
    receipt = Receipt.from_wire(answer.json()["receipt"])
    files = build_export(
        Export(format="csv", stated=stated, policy_text=text, entries=opened(answer), receipt=receipt), policy
    )
    report = verify_export(files, policy)
    assert (report.problems, report.holds, report.recorded, report.entries) == ((), True, True, 2)
    assert GI.encode() in files["records.csv"]  # it was shown to the wijkteam
    assert entry.leaf.kind == "export"
    assert entry.payloads["actor"]["role"] == "fg"


async def test_no_entry_of_another_organisation_is_opened(cosigned: ServedWorld) -> None:
    """Each organisation gets its own acts only, and only what it asked and who asked."""
    for number, oin in enumerate((WIJKTEAM, GI, WIJKTEAM)):
        await cosigned.register(oin, household(subject=f"child {number}"))
    for oin, count in ((WIJKTEAM, 2), (GI, 1)):
        answer = await exported(cosigned, oin)
        entries = answer.json()["result"]["entries"]
        assert len(entries) == count
        assert all(set(entry["openings"]) == {"meta", "actor"} and entry["erased"] == [] for entry in entries)
        _, policy = policy_of(cosigned)
        owners = {verify_receipt(one.receipt, policy).payloads["actor"]["organisation"] for one in opened(answer)}
        assert owners == {oin}


async def test_an_export_is_an_entry_that_commits_to_what_it_opened(cosigned: ServedWorld) -> None:
    """Format, reason, selection, number and leaves stand in the log, and are exported next time themselves."""
    await cosigned.register(WIJKTEAM, FAMILY)
    answer = await exported(cosigned, format="fhir", worker=worker_id(WIJKTEAM, "worker"))
    said: Any = recorded(cosigned, answer).payloads["meta"]["exported"]
    leaves = b"".join(one.receipt.leaf.leaf_hash for one in opened(answer))
    assert said["leaves_sha256"] == hashlib.sha256(leaves).hexdigest()
    assert (said["format"], said["reason"], said["entries"], said["reader"]) == (
        "fhir", "maandcontrole", 1, "organisation",
    )  # fmt: skip
    assert said["selection"] == answer.json()["result"]["selection"]
    assert said["selection"]["worker"] == worker_id(WIJKTEAM, "worker")
    again = await exported(cosigned)
    assert [one.receipt.leaf.kind for one in opened(again)] == ["signal", "export"]


async def test_a_period_a_worker_and_pages(cosigned: ServedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the entries of the period and the worker come, so many at a time, and none twice."""
    for number in range(3):
        await cosigned.register(WIJKTEAM, household(subject=f"child {number}"))
    now = cosigned.clock.now()
    assert opened(await exported(cosigned, since=now - 86_400, until=now - 3_600)) == []
    assert opened(await exported(cosigned, worker="somebody")) == []
    monkeypatch.setattr(export_acts, "EXPORTED_PER_PAGE", 2)
    asked = {"worker": worker_id(WIJKTEAM, "worker")}
    first = await exported(cosigned, **asked)
    more = first.json()["result"]["moreAfter"]
    second = await exported(cosigned, after=more, **asked)
    assert second.json()["result"]["moreAfter"] is None
    said: list[Any] = [recorded(cosigned, page).payloads["meta"]["exported"] for page in (first, second)]
    assert [one.get("more_after") for one in said] == [more, None]
    indexes = [entry["index"] for page in (first, second) for entry in page.json()["result"]["entries"]]
    assert (len(indexes), indexes) == (3, sorted(set(indexes)))


async def test_only_reviewers_export(cosigned: ServedWorld) -> None:
    """A worker or an approver takes nothing away, and no entry says that he did."""
    before = cosigned.leaves
    for role in ("worker", "approver"):
        answer = await exported(cosigned, role=role)
        assert (answer.status_code, "entries" in answer.text) == (403, False)
    assert cosigned.leaves == before


@pytest.mark.parametrize(
    "asked",
    [
        {"format": "docx"}, {"format": None}, {"reason": "twee%20woorden"}, {"reason": None}, {"since": "x"},
        {"until": None}, {"since": 5, "until": 5}, {"since": 0}, {"after": "-1"}, {"after": "9" * 30},
        {"worker": ""}, {"more": 1}, {"format": "csv&format=pdf"}, {"since": "%D9%A1"},
    ],
)  # fmt: skip
async def test_a_query_has_one_reading(cosigned: ServedWorld, asked: dict[str, object]) -> None:
    """A parameter that breaks its rule, is unknown or stands there twice is named, and nothing is opened."""
    answer = await exported(cosigned, **asked)  # type: ignore[arg-type]  # parameters of the query only
    assert answer.status_code == 400
    assert json.loads(answer.text)["type"] == "urn:sluis:problem:malformed-request"


async def test_without_a_cosigned_checkpoint_nothing_is_exported(world: ServedWorld) -> None:
    """Where no quorum has seen the log, its entries prove nothing to others: not done, and never an empty export."""
    await world.register(WIJKTEAM, FAMILY)
    answer = await exported(world)
    assert answer.status_code == 503
    assert "entries" not in answer.text


async def test_what_was_erased_is_named_and_the_rest_is_exported(cosigned: ServedWorld) -> None:
    """After an erasure of who did it, the controller's export has the entry without, and says so; it still holds."""
    await cosigned.register(WIJKTEAM, FAMILY)
    index = opened(await exported(cosigned))[0].receipt.proof.index
    for table in ("log_payload_keys", "log_payloads"):
        cosigned.write(f"DELETE FROM {table} WHERE idx = ? AND grp = 'actor'", index)  # noqa: S608 - tables of ours
    erased = "INSERT INTO log_erased (first_idx, last_idx, grp, erased_by) VALUES (?, ?, 'actor', ?)"
    cosigned.write(erased, index, index, index + 1)
    answer = await exported(cosigned)
    first = answer.json()["result"]["entries"][0]
    assert (first["index"], first["erased"], set(first["openings"])) == (index, ["actor"], {"meta"})
    said: Any = recorded(cosigned, answer).payloads["meta"]["exported"]
    assert said["erased_sha256"] == erased_sha256([(Leaf.parse(first["leaf"].encode()).leaf_hash, ["actor"])])
    assert opened(await exported(cosigned, worker=worker_id(WIJKTEAM, "worker"))) == []
    assert all(entry["index"] != index for entry in (await exported(cosigned, GI)).json()["result"]["entries"])


@pytest.mark.parametrize(
    "spoil",
    [
        "DELETE FROM log_payload_keys WHERE grp = 'actor'",
        "UPDATE log_payload_keys SET wrapped = (SELECT wrapped FROM log_payload_keys ORDER BY idx, grp LIMIT 1)",
    ],
)
async def test_a_group_that_does_not_open_is_no_shorter_export(cosigned: ServedWorld, spoil: str) -> None:
    """A key or payload that is gone, or is another's, makes the export fail: it would otherwise hide an entry."""
    for number in range(2):
        await cosigned.register(WIJKTEAM, household(subject=f"child {number}"))
    cosigned.write(spoil)
    answer = await exported(cosigned)
    assert answer.status_code == 503


async def test_no_tick_waits_for_an_export(cosigned: ServedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are read on another thread than that of the event loop, whichever store it is."""
    threads = []

    def noted(connection: Connection, policy: Policy) -> int | None:
        threads.append(threading.current_thread())
        return covered_size(connection, policy)

    await cosigned.register(WIJKTEAM, FAMILY)
    monkeypatch.setattr("broker.store.exporting.covered_size", noted)
    assert (await exported(cosigned)).status_code == 200
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


async def test_what_is_of_others_is_not_opened(cosigned: ServedWorld) -> None:
    """Only entries that `acts` names are opened: another organisation's damaged one does not stop an export."""
    await cosigned.register(GI, household(subject="another child"))
    index = opened(await exported(cosigned, GI))[0].receipt.proof.index
    await cosigned.register(WIJKTEAM, FAMILY)
    cosigned.write("DELETE FROM log_payload_keys WHERE idx = ?", index)
    assert (await exported(cosigned, GI)).status_code == 503
    assert len(opened(await exported(cosigned))) == 1


async def test_entries_from_before_acts_are_exported_too(cosigned: ServedWorld) -> None:
    """A log that is older than the table of acts leaves nothing out: its first leaves are opened one by one."""
    for number, oin in enumerate((WIJKTEAM, GI, WIJKTEAM)):
        await cosigned.register(oin, household(subject=f"child {number}"))
    before = [one.receipt.proof.index for one in opened(await exported(cosigned))]
    cosigned.write("DELETE FROM acts WHERE idx <= ?", before[0] + 1)
    after = [one.receipt.proof.index for one in opened(await exported(cosigned))]
    assert (len(before), after[:2]) == (2, before)
    cosigned.write("DELETE FROM acts")
    assert [one.receipt.proof.index for one in opened(await exported(cosigned))][:3] == after[:3]


async def test_what_was_erased_whole_is_still_no_gap(cosigned: ServedWorld) -> None:
    """An entry of which both groups were erased is in the export, as an entry that says nothing more."""
    await cosigned.register(WIJKTEAM, FAMILY)
    index = opened(await exported(cosigned))[0].receipt.proof.index
    for group in ("meta", "actor"):
        for table in ("log_payload_keys", "log_payloads"):
            cosigned.write(f"DELETE FROM {table} WHERE idx = ? AND grp = ?", index, group)  # noqa: S608 - tables of ours
        erased = "INSERT INTO log_erased (first_idx, last_idx, grp, erased_by) VALUES (?, ?, ?, ?)"
        cosigned.write(erased, index, index, group, index + 1)
    first = (await exported(cosigned)).json()["result"]["entries"][0]
    assert (first["index"], first["erased"], first["openings"]) == (index, ["meta", "actor"], {})


def test_a_page_is_bounded() -> None:
    """The flow asks for as many as the wire says, so that no answer grows without end."""
    assert EXPORTED_PER_PAGE == 200


@pytest.mark.parametrize("hidden", ["UPDATE signals SET shielded = true WHERE organisation = ?", None])
async def test_a_shielded_signal_leaves_no_trace_in_an_export(
    template: Path, tmp_path: Path, hidden: str | None
) -> None:
    """A shielded signal gives the records, length and headers of a world without it; one that may be seen shows."""
    seen = []
    for name, change in (("hidden", hidden), ("absent", "DELETE FROM signals WHERE organisation = ?")):
        async with served_world(template, tmp_path / name, witness_up=True) as before:
            await before.register(GI, FAMILY)
            if change is not None and name == "absent":
                for table in ("sealed_tokens", "signal_tokens"):
                    inner = "SELECT id FROM signals WHERE organisation = ?"
                    before.write(f"DELETE FROM {table} WHERE signal_id IN ({inner})", GI)  # noqa: S608 - tables of ours
            if change is not None:
                before.write(change, GI)
            await before.register(WIJKTEAM, FAMILY)
            await before.check(WIJKTEAM, {**FAMILY, "members": []})
            answer = await exported(before)
        payloads = [
            {group: json.loads(opening.payload) for group, opening in one.receipt.openings.items()}
            for one in opened(answer)
        ]
        seen.append((answer.status_code, len(answer.content), tuple(answer.headers.items()), payloads))
    assert (seen[0] == seen[1]) is (hidden is not None)
    assert (GI in str(seen[0])) is (hidden is None)

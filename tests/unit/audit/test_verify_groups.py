"""Verifying what is stored: ok, erased by an entry, MISSING or MISMATCH; the last two are alarms."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.believed import KEPT_S, MAX_DECIDED
from audit.checkpoint import Checkpoint
from audit.cli import app
from audit.entry import GROUPS
from audit.erasure import ErasedRange
from audit.key_ring import KeyRing
from audit.log import Appended, append
from audit.merkle import TreeHead
from audit.note import NoteSigningKey, compose_note
from audit.seal import KeyEncryptionKey, seal_entry
from audit.stored_log import StoredLog
from audit.verify import parse_policy, verify_receipt
from audit.verify_groups import GroupReport, verify_groups
from tests.unit.audit.log_simulator import NOW, LogInFolder, policy_text, witness_key

BY = {"organisation": "o", "worker": "x"}
ALL_OK = {"ok": 15, "erased": 0, "MISSING": 0, "MISMATCH": 0}


class Sealed:
    """A log in a folder with a folder of keys, three entries, and a way to erase."""

    def __init__(self, log: LogInFolder, folder: Path) -> None:
        self.log = log
        self.keys = KeyRing.create(folder / "payload-keys")
        self.policy = parse_policy(policy_text(log.verifier))
        self.now = NOW
        self.first = self.tick("check", meta={"outcome": "nothing"}, actor=BY)
        self.tick("check", meta={"outcome": "shown"}, actor=BY)
        self.tick("read", actor=BY)

    def tick(self, kind: str, *, erasing: tuple[ErasedRange, ...] = (), **payloads: dict[str, Any]) -> Appended:
        """Append an entry, which erases something."""
        with self.log.transaction() as transaction:
            if erasing:
                transaction.erase(erasing, erased_by=transaction.size())
            appended = append(
                transaction, [seal_entry(kind, payloads)], at=self.now, signer=self.log.signer,
                key_encryption_key=self.keys.current,
            )  # fmt: skip
        self.log.signer.settle(appended.checkpoint.head)
        return appended

    def erase(
        self, *ranges: ErasedRange, said: object = None, kind: str = "erasure", by: dict[str, str | None] | None = None
    ) -> None:
        """Erase by an entry that says so, or that says something else, or by other people."""
        listed = [{"from": one.first, "to": one.last, "groups": [one.group]} for one in ranges]
        meta = {"erased": listed if said is None else said}
        self.tick(kind, erasing=ranges, meta=meta, actor={**BY, "proposer": "y", **(by or {})})

    def report(self) -> GroupReport:
        """Return how it stands."""
        return verify_groups(StoredLog(self.log.connection), self.keys, self.policy)


@pytest.fixture
def stored(log: LogInFolder, tmp_path: Path) -> Sealed:
    """A log with three entries."""
    return Sealed(log, tmp_path)


def test_a_whole_log_holds(stored: Sealed) -> None:
    """Every group of every entry opens to what its leaf commits to, under the newest signed checkpoint."""
    report = stored.report()
    assert (report.holds, dict(report.counts), report.alarms) == (True, ALL_OK, ())


def test_what_an_entry_says_was_erased_is_no_alarm(stored: Sealed) -> None:
    """It is told by which entry; every root holds, and an old receipt still verifies."""
    stored.erase(ErasedRange(first=0, last=1, group="subject"), ErasedRange(first=1, last=1, group="actor"))
    report = stored.report()
    assert (report.holds, dict(report.erasures)) == (True, {3: 3})
    assert dict(report.counts) == {"ok": 17, "erased": 3, "MISSING": 0, "MISMATCH": 0}
    assert verify_receipt(stored.first.receipt(0), stored.policy).index == 0


def test_a_row_that_nobody_decided_to_erase_is_missing(stored: Sealed) -> None:
    """Deleting a payload or its key past the log is an alarm, by entry and group."""
    stored.log.connection.execute("DELETE FROM log_payload_keys WHERE idx = 1 AND grp = 'subject'")
    stored.log.connection.execute("DELETE FROM log_payloads WHERE idx = 2 AND grp = 'actor'")
    report = stored.report()
    assert (report.holds, report.alarms) == (False, ((1, "subject", "MISSING"), (2, "actor", "MISSING")))


def test_a_row_that_came_back_or_was_altered_is_a_mismatch(stored: Sealed) -> None:
    """An erasure that was undone from a copy, and a key that opens nothing, are alarms."""
    query = "SELECT * FROM {} WHERE idx = 0 AND grp = 'subject'"
    copies = {
        t: stored.log.connection.execute(query.format(t)).fetchone() for t in ("log_payloads", "log_payload_keys")
    }
    stored.erase(ErasedRange(first=0, last=0, group="subject"))
    for table, row in copies.items():
        stored.log.connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", row)  # noqa: S608 - table names of this test
    other = KeyEncryptionKey(bytes(32), epoch=1).wrap(bytes(32), index=2, group="meta")
    stored.log.connection.execute("UPDATE log_payload_keys SET wrapped = ? WHERE idx = 2 AND grp = 'meta'", (other,))
    report = stored.report()
    assert (report.holds, report.alarms) == (False, ((0, "subject", "MISMATCH"), (2, "meta", "MISMATCH")))


@pytest.mark.parametrize(
    "said", [[], "nothing", [{"from": 0, "to": 9, "groups": ["subject"]}], [{"from": 0, "to": 0, "groups": ["actor"]}]]
)
def test_an_entry_that_says_something_else_excuses_nothing(stored: Sealed, said: object) -> None:
    """Malformed, about entries to come, or about another group: what is gone is MISSING."""
    stored.erase(ErasedRange(first=0, last=0, group="subject"), said=said)
    report = stored.report()
    assert not report.holds
    assert (0, "subject", "MISSING") in report.alarms


@pytest.mark.parametrize(
    "spoil",
    [
        "INSERT INTO log_erased (grp, first_idx, last_idx, erased_by) VALUES ('actor', 1, 1, 3)",
        "DELETE FROM log_erased",
        "UPDATE log_erased SET last_idx = 1",
        "UPDATE log_erased SET erased_by = 2",
    ],
    ids=["one more", "gone", "wider", "by another"],
)
def test_what_is_noted_as_erased_is_what_entries_say(stored: Sealed, spoil: str) -> None:
    """Readers go by a table beside the log: a row of it that no entry states, or one less, is told."""
    stored.erase(ErasedRange(first=0, last=0, group="subject"))
    assert (stored.report().noted, stored.report().holds) == (True, True)
    of_table = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log_erased'"
    for (trigger,) in stored.log.connection.execute(of_table).fetchall():
        stored.log.connection.execute(f"DROP TRIGGER {trigger}")
    stored.log.connection.execute(spoil)
    assert (stored.report().noted, stored.report().holds) == (False, False)


def test_an_erasure_whose_own_words_are_gone_excuses_nothing(stored: Sealed) -> None:
    """Without the `meta` of the entry that erased it, a loss cannot be told from a decision."""
    stored.erase(ErasedRange(first=0, last=0, group="subject"))
    stored.log.connection.execute("DELETE FROM log_payloads WHERE idx = 3 AND grp = 'meta'")
    assert stored.report().alarms == ((0, "subject", "MISSING"), (3, "meta", "MISSING"))


def _one(group: str = "subject", first: int = 0, last: int = 0) -> ErasedRange:
    return ErasedRange(first=first, last=last, group=group)


@pytest.mark.parametrize(
    "by",
    [{"proposer": "x"}, {"proposer": None}, {"worker": None}, {"organisation": None}, {"organisation": "another"}],
)
def test_nobody_erases_alone_or_for_another_organisation(stored: Sealed, by: dict[str, Any]) -> None:
    """An erasure names two different people of the organisation whose entries it names, or it excuses nothing."""
    stored.erase(_one(), by=by)
    assert stored.report().alarms == ((0, "subject", "MISSING"), (3, "meta", "MISMATCH"))


@pytest.mark.parametrize("group", ["hits", "shielded"])
def test_nobody_erases_what_others_rely_on(stored: Sealed, group: str) -> None:
    """What was decided on signals of others is erased by its term alone."""
    stored.erase(_one(group))
    assert stored.report().alarms == ((0, group, "MISSING"), (3, "meta", "MISMATCH"))


def test_a_decision_names_no_more_than_people_can_look_at(stored: Sealed) -> None:
    """Two people who erase more than a hundred entries at once excuse nothing."""
    for _ in range(MAX_DECIDED):
        stored.tick("check", actor=BY)
    stored.erase(_one(first=0, last=MAX_DECIDED - 1))
    assert stored.report().holds
    stored.erase(_one("meta", first=0, last=MAX_DECIDED))
    assert not stored.report().holds


@pytest.mark.parametrize("group", ["meta", "actor", "subject"])
def test_who_erased_is_not_erased(stored: Sealed, group: str) -> None:
    """A next decision that names an erasure is not believed, and without its two people the first is not either."""
    stored.erase(_one())
    stored.erase(_one(group, 3, 3))
    report = stored.report()
    assert not report.holds
    assert {(3, group, "MISSING"), (4, "meta", "MISMATCH")} <= set(report.alarms)


def test_an_erasure_whose_people_are_lost_excuses_nothing(stored: Sealed) -> None:
    """Where it is not there any more who decided, nobody did."""
    stored.erase(_one())
    stored.log.connection.execute("DELETE FROM log_payload_keys WHERE idx = 3 AND grp = 'actor'")
    found = stored.report().alarms
    assert set(found) == {(0, "subject", "MISSING"), (3, "meta", "MISMATCH"), (3, "actor", "MISSING")}


def test_one_who_holds_the_logs_key_erases_nothing_young(stored: Sealed) -> None:
    """A retention of the same day erases nothing, whatever it names; with the term over it does, whoever wrote it."""
    everything = tuple(_one(group, 0, 2) for group in GROUPS)
    stored.now += KEPT_S - 1
    stored.erase(*everything, kind="retention")
    report = stored.report()
    assert (report.holds, report.counts["MISSING"], report.counts["MISMATCH"]) == (False, 15, 1)


def test_what_was_kept_for_its_term_goes_with_who_erased_it_before(stored: Sealed) -> None:
    """After the term all groups go, an old erasure's people too, and what they decided stays believed."""
    stored.erase(_one())
    stored.now += KEPT_S
    rest = [_one(group, 0, 2) for group in GROUPS if group not in {"subject", "actor"}]
    stored.erase(*rest, _one("subject", 1, 2), _one("actor", 0, 3), kind="retention")
    report = stored.report()
    assert (report.holds, dict(report.erasures)) == (True, {3: 1, 4: 15})


def _cosign(log: LogInFolder, size: int, at: int, *, text: str | None = None, by: str = "witness.example/w1") -> None:
    """A witness has cosigned the checkpoint of this size, or this text in its place."""
    key = witness_key(by)
    line = key.sign(text or "\n".join(StoredLog(log.connection).note(size).split("\n")[:3]) + "\n", time=at)
    with log.transaction() as transaction:
        transaction.insert_cosignature(size, key.verifier.encode(), line)


def test_under_a_quorum_it_is_told_how_far_witnesses_have_seen_it(
    stored: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that no quorum saw does not hold; what came after the last one they saw is told by its size and time."""
    monkeypatch.setattr("audit.verify_groups._AT_ONCE", 1)
    log = stored.log
    stored.policy = parse_policy(policy_text(log.verifier, witness_key().verifier, quorum="enough"))
    never = stored.report()
    assert (never.signed, never.holds, never.cosigned_size, never.cosigned_at) == (True, False, None, None)
    _cosign(log, 2, NOW + 5)
    _cosign(log, 3, NOW + 6, by="stranger.example/w")
    report = stored.report()
    assert (report.holds, report.cosigned_size, report.cosigned_at) == (True, 2, NOW + 5)


@pytest.mark.parametrize("kept", ["note", "cosignature"])
def test_a_log_that_was_written_anew_under_its_own_key_does_not_hold(stored: Sealed, kept: str) -> None:
    """What witnesses saw is another tree than these entries give, whichever of the two was put in its place."""
    log = stored.log
    stored.policy = parse_policy(policy_text(log.verifier, witness_key().verifier, quorum="enough"))
    seen = Checkpoint(origin=log.verifier.name, head=TreeHead(size=2, root=bytes(32))).encode()
    log.connection.execute("DROP TRIGGER log_checkpoints_no_update")
    if kept == "cosignature":
        _cosign(log, 2, NOW, text=seen)
    else:
        note = compose_note(seen, [NoteSigningKey.load(log.key_path).sign(seen)])
        log.connection.execute("UPDATE log_checkpoints SET note = ? WHERE size = 2", (note,))
        _cosign(log, 2, NOW)
    report = stored.report()
    assert (report.signed, report.holds) == (True, False)


def test_entries_that_no_checkpoint_covers_do_not_hold(stored: Sealed) -> None:
    """Entries beyond or beside the signed tree are told, however well their groups open."""
    for trigger in ("log_entries_no_update", "log_entries_no_delete"):
        stored.log.connection.execute(f"DROP TRIGGER {trigger}")
    swapped = seal_entry("check", {}).leaf(NOW).encode()
    stored.log.connection.execute("UPDATE log_entries SET leaf = ? WHERE idx = 0", (swapped,))
    report = stored.report()
    assert (report.signed, report.holds) == (False, False)


def test_the_command_says_how_each_group_stands(stored: Sealed, tmp_path: Path) -> None:
    """Exit 0 when all is there or erased by an entry, 1 with an alarm, 2 when there is nothing to read."""
    stored.erase(ErasedRange(first=0, last=0, group="subject"))
    (tmp_path / "policy").write_text(policy_text(stored.log.verifier))

    def run(keys: str = "payload-keys") -> tuple[int, str]:
        options = {"--database": stored.log.database, "--payload-keys": tmp_path / keys}
        words = [str(word) for pair in options.items() for word in pair]
        result = CliRunner().invoke(app, ["verify", "--policy", str(tmp_path / "policy"), "--json", *words])
        return result.exit_code, result.stdout

    code, text = run()
    assert (code, json.loads(text)["groups"]) == (0, {"ok": 19, "erased": 1, "MISSING": 0, "MISMATCH": 0})
    assert json.loads(text)["erasures"] == [{"by": 3, "groups": 1}]
    stored.log.connection.execute("DELETE FROM log_payload_keys WHERE idx = 1 AND grp = 'subject'")
    code, text = run()
    assert (code, json.loads(text)["alarms"]) == (1, [{"index": 1, "group": "subject", "state": "MISSING"}])
    assert run("nowhere")[0] == 2
    assert CliRunner().invoke(app, ["verify", "--policy", "x", "--database", "y"]).exit_code == 2

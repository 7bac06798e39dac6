"""Verifying what is stored: ok, erased by an entry, MISSING or MISMATCH; the last two are alarms."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from audit.cli import app
from audit.erasure import ErasedRange
from audit.key_ring import KeyRing
from audit.log import Appended, append
from audit.seal import KeyEncryptionKey, seal_entry
from audit.stored_log import StoredLog
from audit.verify import parse_policy, verify_receipt
from audit.verify_groups import GroupReport, verify_groups
from tests.unit.audit.log_simulator import NOW, LogInFolder, policy_text

ALL_OK = {"ok": 15, "erased": 0, "MISSING": 0, "MISMATCH": 0}


class Sealed:
    """A log in a folder with a folder of keys, three entries, and a way to erase."""

    def __init__(self, log: LogInFolder, folder: Path) -> None:
        self.log = log
        self.keys = KeyRing.create(folder / "payload-keys")
        self.policy = parse_policy(policy_text(log.verifier))
        self.first = self.tick("check", meta={"outcome": "nothing"})
        self.tick("check", meta={"outcome": "shown"})
        self.tick("read", actor={"worker": "x"})

    def tick(self, kind: str, *, erasing: tuple[ErasedRange, ...] = (), **payloads: dict[str, Any]) -> Appended:
        """Append an entry, which erases something."""
        with self.log.transaction() as transaction:
            if erasing:
                transaction.erase(erasing, erased_by=transaction.size())
            appended = append(
                transaction, [seal_entry(kind, payloads)], at=NOW, signer=self.log.signer,
                key_encryption_key=self.keys.current,
            )  # fmt: skip
        self.log.signer.settle(appended.checkpoint.head)
        return appended

    def erase(self, *ranges: ErasedRange, said: object = None) -> None:
        """Erase by an entry that says so, or that says something else."""
        listed = [{"from": one.first, "to": one.last, "groups": [one.group]} for one in ranges]
        self.tick("erasure", erasing=ranges, meta={"erased": listed if said is None else said})

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
    stored.erase(ErasedRange(first=0, last=1, group="hits"), ErasedRange(first=1, last=1, group="actor"))
    report = stored.report()
    assert (report.holds, dict(report.erasures)) == (True, {3: 3})
    assert dict(report.counts) == {"ok": 17, "erased": 3, "MISSING": 0, "MISMATCH": 0}
    assert verify_receipt(stored.first.receipt(0), stored.policy).index == 0


def test_a_row_that_nobody_decided_to_erase_is_missing(stored: Sealed) -> None:
    """Deleting a payload or its key past the log is an alarm, by entry and group."""
    stored.log.connection.execute("DELETE FROM log_payload_keys WHERE idx = 1 AND grp = 'hits'")
    stored.log.connection.execute("DELETE FROM log_payloads WHERE idx = 2 AND grp = 'actor'")
    report = stored.report()
    assert (report.holds, report.alarms) == (False, ((1, "hits", "MISSING"), (2, "actor", "MISSING")))


def test_a_row_that_came_back_or_was_altered_is_a_mismatch(stored: Sealed) -> None:
    """An erasure that was undone from a copy, and a key that opens nothing, are alarms."""
    query = "SELECT * FROM {} WHERE idx = 0 AND grp = 'hits'"
    copies = {
        t: stored.log.connection.execute(query.format(t)).fetchone() for t in ("log_payloads", "log_payload_keys")
    }
    stored.erase(ErasedRange(first=0, last=0, group="hits"))
    for table, row in copies.items():
        stored.log.connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", row)  # noqa: S608 - table names of this test
    other = KeyEncryptionKey(bytes(32), epoch=1).wrap(bytes(32), index=2, group="meta")
    stored.log.connection.execute("UPDATE log_payload_keys SET wrapped = ? WHERE idx = 2 AND grp = 'meta'", (other,))
    report = stored.report()
    assert (report.holds, report.alarms) == (False, ((0, "hits", "MISMATCH"), (2, "meta", "MISMATCH")))


@pytest.mark.parametrize(
    "said", [[], "nothing", [{"from": 0, "to": 9, "groups": ["hits"]}], [{"from": 0, "to": 0, "groups": ["actor"]}]]
)
def test_an_entry_that_says_something_else_excuses_nothing(stored: Sealed, said: object) -> None:
    """Malformed, about entries to come, or about another group: what is gone is MISSING."""
    stored.erase(ErasedRange(first=0, last=0, group="hits"), said=said)
    report = stored.report()
    assert not report.holds
    assert (0, "hits", "MISSING") in report.alarms


def test_an_erasure_whose_own_words_are_gone_excuses_nothing(stored: Sealed) -> None:
    """Without the `meta` of the entry that erased it, a loss cannot be told from a decision."""
    stored.erase(ErasedRange(first=0, last=0, group="hits"))
    stored.log.connection.execute("DELETE FROM log_payloads WHERE idx = 3 AND grp = 'meta'")
    assert stored.report().alarms == ((0, "hits", "MISSING"), (3, "meta", "MISSING"))


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
    stored.erase(ErasedRange(first=0, last=0, group="hits"))
    (tmp_path / "policy").write_text(policy_text(stored.log.verifier))

    def run(keys: str = "payload-keys") -> tuple[int, str]:
        options = {"--database": stored.log.database, "--payload-keys": tmp_path / keys}
        words = [str(word) for pair in options.items() for word in pair]
        result = CliRunner().invoke(app, ["verify", "--policy", str(tmp_path / "policy"), "--json", *words])
        return result.exit_code, result.stdout

    code, text = run()
    assert (code, json.loads(text)["groups"]) == (0, {"ok": 19, "erased": 1, "MISSING": 0, "MISMATCH": 0})
    assert json.loads(text)["erasures"] == [{"by": 3, "groups": 1}]
    stored.log.connection.execute("DELETE FROM log_payload_keys WHERE idx = 1 AND grp = 'hits'")
    code, text = run()
    assert (code, json.loads(text)["alarms"]) == (1, [{"index": 1, "group": "hits", "state": "MISSING"}])
    assert run("nowhere")[0] == 2
    assert CliRunner().invoke(app, ["verify", "--policy", "x", "--database", "y"]).exit_code == 2

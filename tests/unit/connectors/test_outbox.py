import secrets
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.errors import EndedElsewhereError, FolderError
from connectors.outbox import Command, Outbox
from connectors.sealing import OutboxKey

TOKEN = "dG9rZW4tdGhhdC1tdXN0LW5vdC1sZWFrLWFueXdoZXJl"


def command(key: str = "0" * 32) -> Command:
    """Return a command that holds a token."""
    return Command(
        key=key,
        kind="signal",
        effect="register",
        path="/v1/signals",
        worker="anna",
        approver=None,
        body={"household": {"subject": TOKEN}},
        tickets=("ticket-a", "ticket-b"),
        evaluation='{"batchId":"1"}',
        local={"row": "1"},
    )


def fresh_key() -> OutboxKey:
    """Return a key that no file holds."""
    return OutboxKey(secrets.token_bytes(32))


def test_a_command_comes_back_whole_and_in_order(tmp_path: Path) -> None:
    """What waits is found again, oldest first, after the file was closed and opened."""
    key = fresh_key()
    with Outbox(tmp_path / "outbox.sqlite", key) as outbox:
        outbox.put(command("b" * 32), now=2)
        outbox.put(command("a" * 32), now=1)
    with Outbox(tmp_path / "outbox.sqlite", key) as outbox:
        assert outbox.waiting() == [(command("a" * 32),), (command("b" * 32),)]


def test_the_parts_of_a_question_wait_together(tmp_path: Path) -> None:
    """Parts are stored and found as one group in their order, and a part that is replaced keeps its place."""
    parts = [replace(command(key * 32), group="9" * 32, part=at, parts=2) for at, key in ((1, "d"), (2, "b"))]
    with Outbox(tmp_path / "outbox.sqlite", fresh_key()) as outbox:
        outbox.put(*parts, now=1)
        outbox.put(command("c" * 32), now=2)
        ended = replace(parts[0], body={}, tickets=(), evaluation="", conclusion={"outcome": {}})
        outbox.change(ended)
        assert outbox.waiting() == [(ended, parts[1]), (command("c" * 32),)]
        outbox.delete(*(part.key for part in parts))
        assert outbox.waiting() == [(command("c" * 32),)]


def test_what_another_run_ended_is_not_brought_back(tmp_path: Path) -> None:
    """A run that still works on a command another run deleted cannot make it wait again, nor take its place."""
    key = fresh_key()
    with Outbox(tmp_path / "outbox.sqlite", key) as one, Outbox(tmp_path / "outbox.sqlite", key) as other:
        one.put(command(), now=1)
        assert one.holds(command().key)
        other.delete(command().key)
        with pytest.raises(EndedElsewhereError):
            one.change(replace(command(), tickets=("later",)))
        assert (one.waiting(), one.holds(command().key)) == ([], False)
        one.put(command(), now=2)
        with pytest.raises(sqlite3.IntegrityError):
            other.put(command(), now=3)


def test_all_parts_are_stored_or_none(tmp_path: Path) -> None:
    """A part that cannot be stored leaves no lone other part behind."""
    unstorable = replace(command("b" * 32), kind=None)  # type: ignore[arg-type]  # the column refuses it
    with Outbox(tmp_path / "outbox.sqlite", fresh_key()) as outbox:
        with pytest.raises(sqlite3.IntegrityError):
            outbox.put(command("a" * 32), unstorable, now=1)
        assert outbox.waiting() == []


def test_no_token_stands_on_disk(tmp_path: Path) -> None:
    """The row is sealed, and after the receipt no byte of it is left in any file of the outbox."""
    key = fresh_key()
    with Outbox(tmp_path / "outbox.sqlite", key) as outbox:
        outbox.put(command(), now=1)
        sealed = outbox._database.execute("SELECT sealed FROM command").fetchone()[0]
        assert_nowhere(tmp_path, TOKEN.encode(), b"ticket-a")
        outbox.delete(command().key)
        outbox.forget()
        assert outbox.waiting() == []
        assert_nowhere(tmp_path, sealed[:24], sealed[-32:])


def test_a_row_that_was_altered_or_is_another_keys_does_not_open(tmp_path: Path) -> None:
    """Tampering with a waiting command, or losing its key, is noticed and named."""
    with Outbox(tmp_path / "outbox.sqlite", fresh_key()) as outbox:
        outbox.put(command(), now=1)
    with Outbox(tmp_path / "outbox.sqlite", fresh_key()) as outbox, pytest.raises(FolderError, match="does not open"):
        outbox.waiting()


def test_a_row_that_is_no_command_is_named(tmp_path: Path) -> None:
    """A sealed row of another shape stops the resume instead of being sent."""
    key = fresh_key()
    path = tmp_path / "outbox.sqlite"
    with Outbox(path, key) as outbox:
        for content in (b"[]", b"{}", b"no json"):
            outbox._database.execute("DELETE FROM command")
            outbox._database.execute("INSERT INTO command VALUES ('k', 'check', 1, ?)", (key.seal(content),))
            with pytest.raises(FolderError, match="no command"):
                outbox.waiting()


def test_a_command_shows_nothing_of_itself() -> None:
    """A command in a log line or a debugger names its kind and key only."""
    assert TOKEN not in repr(command())
    assert "ticket" not in repr(command())


def test_the_outbox_is_durable(tmp_path: Path) -> None:
    """A command is on disk before it leaves: WAL with synchronous FULL, deleted rows overwritten, mode 0600."""
    path = tmp_path / "outbox.sqlite"
    with Outbox(path, fresh_key()) as outbox:
        pragmas = {name: outbox._database.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    assert pragmas == PRAGMAS
    assert path.stat().st_mode & 0o777 == 0o600


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}


def assert_nowhere(folder: Path, *needles: bytes) -> None:
    """Hold only if no file of the folder has one of these byte strings."""
    for path in folder.iterdir():
        content = path.read_bytes()
        assert not any(needle in content for needle in needles), path.name


def test_a_broken_database_is_an_error_and_no_empty_outbox(tmp_path: Path) -> None:
    """A file that is no database raises; it never reads as nothing waiting."""
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"x" * 4096)
    with pytest.raises(sqlite3.DatabaseError):
        Outbox(path, fresh_key())

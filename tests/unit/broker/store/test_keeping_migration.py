"""What was there before terms were kept gets them, and matches of signals that have ended are gone."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from broker.store import migrations
from broker.store.address import SqliteFile
from broker.store.connection import open_connection
from broker.store.schema import administration, migrate

SIGNAL = """INSERT INTO signals (id, handle, organisation, controller, team, purpose, ground, epoch, registered_on,
    ends_on, state, shielded) VALUES (?, ?, 'o', 'o', 't', 'p', 'g', 1, '2026-01-01', '2027-01-01', ?, false)"""
MATCH = "INSERT INTO matches (id, newer_signal, made_on, due_on) VALUES (?, ?, '2026-01-02', '2026-01-09')"
SIDE = "INSERT INTO match_sides VALUES (?, ?, 't', true, 'nieuw', '2026-01-02')"
LINK = "INSERT INTO match_signals VALUES (?, ?, 'person', true, true)"
NOTICE = "INSERT INTO notices (id, organisation, team, kind, about, created_at) VALUES (?, 'o', 't', 'match', ?, 1)"
LETTER = """INSERT INTO information_requests (id, kind, sender, sender_team, sender_worker, sender_role, controller,
    receiver, receiver_team, personal, purpose, grounds, categories, level, approved, bundle, sent_at, expires_on,
    rests_on, state, delivery, chunks, box) VALUES (?, ?, 's', 't', 'w', 'worker', 's', 'r', 't', 0, 'p', '[]', '[]', 3,
    0, 'b', 1, '2026-02-01', '[]', 'sent', 'waiting', '[]', x'00')"""
EXCEPTION = """INSERT INTO exceptions (id, organisation, worker, type, at, idx, body)
    VALUES ('e', 'o', 'w', 'cvp', 1, 1, '{}')"""


def at_version(address: SqliteFile, version: str) -> None:
    """The database has the schema of this version."""
    config = Config()
    config.set_main_option("script_location", str(Path(next(iter(migrations.__path__)))))
    with administration(address) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def test_what_was_there_gets_its_terms(tmp_path: Path) -> None:
    """A match with a signal of each side stays, one without goes with its notice; letters and exceptions have terms."""
    address = SqliteFile(path=tmp_path / "broker.sqlite")
    at_version(address, "0018")
    with administration(address) as opened:
        run = opened.exec_driver_sql
        for name, state in (("new", "active"), ("held", "frozen"), ("gone", "withdrawn"), ("old", "ended")):
            run(SIGNAL, (name, f"handle {name}", state))
        # kept: one of its two links is left; without: no link is left; newer: the new signal itself has ended.
        for match, newer, links in (
            ("kept", "new", ("held", "gone")),
            ("without", "new", ("gone",)),
            ("newer", "old", ("held",)),
        ):
            run(MATCH, (match, newer))
            run(NOTICE, (f"notice {match}", match))
            for side in ("a", "b"):
                run(SIDE, (match, side))
            for link in links:
                run(LINK, (match, link))
        run(LETTER, ("asked", "request"))
        run(LETTER, ("told", "telling"))
        run(EXCEPTION)
    migrate(address)
    connection = open_connection(address)
    try:

        def rows(query: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.execute(query).fetchall()]

        assert rows("SELECT id FROM matches") == [("kept",)]
        assert rows("SELECT match_id, signal_id FROM match_signals") == [("kept", "held")]
        assert rows("SELECT DISTINCT match_id FROM match_sides") == [("kept",)]
        assert rows("SELECT about FROM notices") == [("kept",)]
        terms = rows("SELECT id, open_until, box_until FROM information_requests ORDER BY id")
        assert terms == [("asked", "2026-02-01", "2026-02-01"), ("told", None, "2026-02-01")]
        assert rows("SELECT keep_until > '2030-01-01' FROM exceptions") == [(1,)]
    finally:
        connection.close()

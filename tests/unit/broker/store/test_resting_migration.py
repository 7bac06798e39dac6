"""What was there before signals ended with their consent ends with what still stands as a yes, or at once."""

from pathlib import Path

from broker.store.address import SqliteFile
from broker.store.connection import open_connection
from broker.store.schema import administration, migrate
from tests.unit.broker.store.test_keeping_migration import at_version

SIGNAL = """INSERT INTO signals (id, handle, organisation, controller, team, purpose, ground, epoch, registered_on,
    ends_on, state, shielded) VALUES (?, ?, 'o', 'o', 't', 'p', ?, 1, '2026-01-01', '2027-01-01', ?, false)"""
TOKEN = "INSERT INTO signal_tokens (idx, signal_id, role, family, epoch) VALUES (?, ?, 'subject', 'nlbsn', 1)"
CONSENT = "INSERT INTO consents (id, organisation, body, lapses_on) VALUES (?, ?, ?, ?)"
ABOUT = "INSERT INTO consent_tokens (idx, consent_id, sealed) VALUES (?, ?, x'00')"


def test_a_signal_of_before_rests_on_what_still_is_a_yes(tmp_path: Path) -> None:
    """The last yes of its own organisation, for this purpose and person, is its end; without one it has ended."""
    address = SqliteFile(path=tmp_path / "broker.sqlite")
    at_version(address, "0020")
    with administration(address) as opened:
        run = opened.exec_driver_sql
        for name, ground, state, person in (
            ("holds", "TOEST", "active", b"1"),
            ("nobody", "TOEST", "frozen", b"2"),
            ("over", "TOEST", "ended", b"1"),
            ("law", "WMO", "active", b"1"),
        ):
            run(SIGNAL, (name, f"handle {name}", ground, state))
            run(TOKEN, (person, name))
        for number, (organisation, purpose, last, person) in enumerate(
            (
                ("o", "p", "2026-03-01", b"1"),
                ("o", "p", "2026-04-01", b"1"),
                ("o", "p", None, b"2"),
                ("o", "q", "2026-09-01", b"1"),
                ("other", "p", "2026-10-01", b"2"),
            )
        ):
            run(CONSENT, (f"c{number}", organisation, f'{{"purpose": "{purpose}", "age": "from23"}}', last))
            run(ABOUT, (person, f"c{number}"))
    migrate(address)
    connection = open_connection(address)
    try:
        rows = connection.execute("SELECT id, consent_until FROM signals ORDER BY id").fetchall()
        assert [tuple(row) for row in rows] == [
            ("holds", "2026-04-01"),
            ("law", None),
            ("nobody", "2026-01-01"),
            ("over", None),
        ]
    finally:
        connection.close()

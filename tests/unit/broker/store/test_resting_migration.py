"""What was there before signals ended with their consent ends with what still stands as a yes, or at once."""

import json
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

OF_BEFORE = "INSERT INTO consents (id, organisation, body) VALUES (?, 'o', ?)"
EVENT = "INSERT INTO consent_events (consent_id, at, body) VALUES (?, 1, ?)"


def said(answer: str, until: str | None = None, *, who: str = "w", parties: tuple[str, ...] = ()) -> str:
    """Return the body of an answer as version 0018 kept it."""
    event = {"who": who, "capacity": "person", "answer": answer, "until": until, "parties": parties}
    return json.dumps(event)


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


def test_a_yes_of_before_there_was_a_last_day_goes_on_holding(tmp_path: Path) -> None:
    """Recorded when no record said when it ends: the signal lasts as long as that yes, and no longer; a no ends it."""
    cases: dict[str, tuple[str | None, list[str], tuple[str, str | None]]] = {
        "holds": (None, [said("asked"), said("given", "2026-12-01")], ("2026-12-01", "2026-12-01")),
        "first": (None, [said("given", "2026-12-01"), said("given", "2026-11-01", who="v")],
                  ("2026-11-01", "2026-11-01")),
        "of-age": ("2026-07-01", [said("given", "2026-12-01")], ("2026-06-30", "2026-06-30")),
        "no": (None, [said("given", "2026-12-01"), said("refused")], ("2026-01-01", None)),
        "gone": (None, [said("given", "2026-12-01"), said("withdrawn")], ("2026-01-01", None)),
        "no-to-one": (None, [said("given", "2026-12-01"), said("withdrawn", parties=("p",))],
                      ("2026-12-01", "2026-12-01")),
        "asked": (None, [said("asked")], ("2026-01-01", None)),
    }  # fmt: skip
    address = SqliteFile(path=tmp_path / "broker.sqlite")
    at_version(address, "0018")
    with administration(address) as opened:
        run = opened.exec_driver_sql
        for name, (of_age, events, _) in cases.items():
            run(SIGNAL, (name, f"handle {name}", "TOEST", "active"))
            run(TOKEN, (name.encode(), name))
            run(OF_BEFORE, (name, json.dumps({"purpose": "p", "age": "from23", "ageEndsOn": of_age})))
            run(ABOUT, (name.encode(), name))
            for event in events:
                run(EVENT, (name, event))
    migrate(address)
    connection = open_connection(address)
    try:
        query = "SELECT s.id, s.consent_until, c.lapses_on FROM signals s JOIN consents c ON c.id = s.id"
        rows = {row[0]: (row[1], row[2]) for row in connection.execute(query).fetchall()}
    finally:
        connection.close()
    assert rows == {name: expected for name, (_, _, expected) in cases.items()}

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.demo.encodings import MIN_BYTES, patterns_of
from connectors.demo.leak_scan import Kind, LeakScan, Value

NUMBER, NAME, ADDRESS = "999990019", "Oelbroekstra", "6899ZX 214"
VALUES = (
    Value(kind=Kind.NUMBER, spellings=(NUMBER,)),
    Value(kind=Kind.NAME, spellings=(NAME,)),
    Value(kind=Kind.ADDRESS, spellings=(ADDRESS,)),
)
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda raw: raw,
    "hex": lambda raw: raw.hex().encode(),
    "upper hex": lambda raw: raw.hex().upper().encode(),
    "base64": base64.b64encode,
    "base64, one byte before": lambda raw: base64.b64encode(b"x" + raw),
    "base64, two bytes before": lambda raw: base64.b64encode(b"xy" + raw + b"z"),
    "url base64": lambda raw: base64.urlsafe_b64encode(b"\xff\xfe" + raw),
    "UTF-16 LE": lambda raw: raw.decode().encode("utf-16-le"),
    "UTF-16 BE": lambda raw: raw.decode().encode("utf-16-be"),
    "SHA-256": lambda raw: hashlib.sha256(raw).digest(),
    "SHA-256 in hex": lambda raw: hashlib.sha256(raw).hexdigest().encode(),
    "SHA-256 in base64": lambda raw: base64.b64encode(hashlib.sha256(raw).digest()),
    "SHA-256 in a JWT's base64": lambda raw: base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"="),
}


def hits(folder: Path, content: bytes, values: tuple[Value, ...] = VALUES) -> int:
    """Return how often the values are found in a file with this content."""
    (folder / "file").write_bytes(content)
    return LeakScan(values).run(folder, relative_to=folder).hits


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", [NUMBER, NAME, ADDRESS])
@pytest.mark.parametrize("shift", range(4))
def test_every_form_of_every_value_is_found_wherever_it_begins(
    tmp_path: Path, form: str, value: str, shift: int
) -> None:
    """A value in any form is found at any place of a file, also where the search looks at four bytes at a time."""
    content = b"\xee" * (8 + shift) + FORMS[form](value.encode()) + b"\xee" * 9
    assert hits(tmp_path, content) == 1


@pytest.mark.parametrize("start", [65_529, 65_531, 65_536, 131_070])
def test_a_value_across_two_blocks_is_found_once(tmp_path: Path, start: int) -> None:
    """Where a file is cut for the search, a value is neither lost nor counted twice."""
    assert hits(tmp_path, b"." * start + NUMBER.encode() + b"." * 70_000) == 1


def test_other_values_are_not_found(tmp_path: Path) -> None:
    """What is nobody's value is no leak: another number, a part of a name, an empty file."""
    assert hits(tmp_path, b"999990020 oelbroek 6899ZX 21 ") == 0
    assert hits(tmp_path, b"") == 0


@pytest.mark.parametrize("length", [32, 64])
def test_nine_digits_inside_a_hash_are_chance(tmp_path: Path, length: int) -> None:
    """A number in the middle of an id or a hash is no leak, and beside one it is."""
    digest = "ab" + NUMBER + "c" * (length - 11)
    assert hits(tmp_path, f'"{digest}"'.encode()) == 0
    assert hits(tmp_path, f'"{"c" * length}{NUMBER}{"d" * length}"'.encode()) == 1


def test_hidden_files_and_write_ahead_logs_are_searched(tmp_path: Path) -> None:
    """No kind of file is left out, hidden or nested."""
    nested = tmp_path / "keys" / ".old"
    nested.mkdir(parents=True)
    for name in ("broker.sqlite-wal", ".secret"):
        (nested / name).write_text(f"row {NAME} row")
    report = LeakScan(VALUES).run(tmp_path, relative_to=tmp_path)
    assert (report.files, report.hits, report.found) == (2, 2, 1)
    assert set(report.places) == {"keys/.old/broker.sqlite-wal", "keys/.old/.secret"}


def test_a_pattern_of_the_empty_world_is_left_out_and_no_other(tmp_path: Path) -> None:
    """Leaving out one pattern leaves the other forms of its value in the search."""
    (tmp_path / "empty").write_text(NAME)
    scan = LeakScan(VALUES)
    known = scan.patterns_in(tmp_path)
    rest = scan.without(known)
    assert rest.patterns == scan.patterns - 1
    assert rest.values == scan.values
    (tmp_path / "later").write_text(NAME.encode().hex())
    assert list(rest.run(tmp_path, relative_to=tmp_path).places) == ["later"]


def test_no_pattern_is_shorter_than_chance_allows() -> None:
    """A short text gives only patterns that do not occur by chance; its own letters are too few to be one."""
    contents = [pattern.content for pattern in patterns_of("Mieke")]
    assert contents
    assert b"Mieke" not in contents
    assert min(map(len, contents)) >= MIN_BYTES


def test_what_is_sought_is_not_told() -> None:
    """Values and patterns have no representation that would put them into a log."""
    assert NUMBER not in repr(VALUES[0])
    assert NUMBER not in repr(next(patterns_of(NUMBER)))

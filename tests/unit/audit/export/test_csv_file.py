"""A spreadsheet opens an export as text: no cell is a formula, and none hides anything."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.export.csv_file import BYTE_ORDER_MARK, COLUMNS, cell, to_csv
from tests.unit.audit.export.opened_log import BUNDLE, EXPORTED, GI, OpenedLog


def lines_of(data: bytes) -> list[dict[str, str]]:
    """Return the lines of a CSV export by column name, as a spreadsheet reads them."""
    text = data.decode("utf-8")
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline="")))


def test_each_entry_is_one_line_in_dutch(world: OpenedLog) -> None:
    """What was asked, decided and shown, by whom, and where it stands in the log."""
    first, refused, failed, policy, swept, exception = lines_of(to_csv(world.content()))
    assert tuple(first) == COLUMNS
    assert first["soort"] == "controle van een gezin"
    assert (first["uitkomst"], first["besluit"], first["regel"]) == (
        "uitgevoerd, iets getoond", "toegestaan", "aa.check.1",
    )  # fmt: skip
    assert (first["naam"], first["rol"], first["personen"]) == ("Noor de Wit", "medewerker", "3")
    assert first["getoond"] == f"{GI} jb member niveau 2"
    assert (first["tijdstip_utc"], first["bundel"]) == ("2026-11-22T00:00:00Z", BUNDLE)
    assert (refused["uitkomst"], refused["reden"]) == ("geweigerd", "used-for-standing")
    assert (failed["uitkomst"], failed["medewerker"], failed["naam"]) == ("niet uitgevoerd", "'=1+1", "")
    assert (policy["soort"], policy["organisatie"], policy["uitkomst"]) == ("beleid", "", "")
    assert (swept["rol"], exception["soort"]) == ("onderhoud", "uitzondering")


def test_numbers_run_on_without_a_gap(world: OpenedLog) -> None:
    """An entry that is not for this reader leaves no number out: only its own place in the log is named."""
    lines = lines_of(to_csv(world.content()))
    assert [line["nr"] for line in lines] == [str(number) for number in range(1, len(EXPORTED) + 1)]
    assert [line["logboekregel"] for line in lines] == [str(index) for index in EXPORTED]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "'", "\uff1d", "\uff0b", "\uff0d", "\uff20", "  =", "\u00a0="])
def test_no_cell_starts_a_formula(start: str) -> None:
    """What a spreadsheet would calculate is marked as text; the mark can be taken away again."""
    assert cell(f"{start}1") == f"'{start}1"


@pytest.mark.parametrize("hidden", ["\t", "\r", "\n", "\x00", "\u202e", "\u2028", "\u200b", "\ufeff", "\x9b", "\x7f"])
def test_no_character_acts_in_a_cell(hidden: str) -> None:
    """Ends of lines, tabs, controls and what reorders text are written out: a cell is one visible line."""
    assert cell(f"{hidden}=1") == f"\\u{ord(hidden):04x}=1"


@given(st.lists(st.text(), min_size=1))
def test_whatever_stands_in_it_every_cell_is_harmless_text(values: list[str]) -> None:
    """For every text: one visible line, never a formula, and a reader of RFC 4180 gets the very cell back."""
    cells = [cell(value) for value in values]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(cells)
    (read,) = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert read == cells
    for one in cells:
        assert not one.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
        assert one.isprintable() or all(char.isprintable() or ord(char) > 0x9F for char in one)


def test_the_form_is_that_of_the_standard(world: OpenedLog) -> None:
    """RFC 4180: commas, every cell in quotes, lines ended by CR LF, and the byte order mark that Excel asks for."""
    data = to_csv(world.content())
    assert data.startswith(b'\xef\xbb\xbf"nr","tijdstip_utc",')
    assert data.count(b"\r\n") == data.count(b"\n") == len(EXPORTED) + 1

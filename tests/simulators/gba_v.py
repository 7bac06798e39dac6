"""Generated GBA-V files for tests, and persons written by hand where a test needs one exact shape."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from connectors.demo.gba_v_generator import HEADER, generate
from tests.simulators.odd_gba_v import generate_odd

__all__ = ["HEADER", "generate", "generate_odd", "official_number", "person_rows", "write_persons"]

_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def official_number(place: int) -> str:
    """Return the BSN at this place of the official test range 9999xxxxx."""
    numbers = (f"9999{tail:05}" for tail in range(100_000))
    fitting = (n for n in numbers if not sum(w * int(d) for w, d in zip(_WEIGHTS, n, strict=True)) % 11)
    return next(number for at, number in enumerate(fitting) if at == place)


def person_rows(label: str, *rows: Mapping[str, str]) -> list[list[str]]:
    """Return the rows of one person, each given by the cells that are filled."""
    table = []
    for number, cells in enumerate(rows):
        unknown = set(cells) - set(HEADER)
        assert not unknown, f"no such column: {unknown}"
        row = [cells.get(column, "") for column in HEADER]
        row[0] = label if number == 0 else ""
        table.append(row)
    return table


def write_persons(path: Path, *persons: Sequence[Sequence[str]]) -> Path:
    """Return the file that holds these persons."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    for rows in persons:
        writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
    return path

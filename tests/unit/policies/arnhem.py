"""The facts of the story of Mieke, and documents with one thing changed."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from policies import AskFacts, HitFacts
from policies.load import SHIPPED

WIJKTEAM = "00000099000000001000"
GI = "00000099000000002000"
VEILIG_THUIS = "00000099000000003000"
SCHOOL = "00000099000000004000"
CORPORATIE = "00000099000000005000"

DAY = date(2026, 11, 22)
VIRA = "regio/arnhem-achterhoek/verwijsindex.yaml"

REGISTER = AskFacts(
    day=DAY,
    operation="register",
    organisation=WIJKTEAM,
    org_class="wijkteam",
    role="worker",
    purpose="verwijsindex",
    grounds=("JW-7.1.4.1",),
    standing="none",
    approval="approved",
    families=frozenset({"nlbsn", "fam"}),
)
"""The wijkteam worker registers, after her leidinggevende approved."""

CHECK = AskFacts(
    day=DAY,
    operation="check",
    organisation=WIJKTEAM,
    org_class="wijkteam",
    role="worker",
    purpose="verwijsindex",
    grounds=("JW-7.1.4.1",),
    standing="own_signal",
    approval="none",
    families=frozenset({"nlbsn", "fam"}),
)
"""The wijkteam worker looks again, with her own signal."""

SIGNAL_OF_GI = HitFacts(
    holder=GI,
    holder_class="gi",
    kind="person",
    purpose="verwijsindex",
    ground="JW-7.1.4.1",
    shielded=False,
    excluded=False,
)
"""The signal of the gezinsvoogd in the other region."""

TRIAL = AskFacts(
    day=DAY,
    operation="check",
    organisation=CORPORATIE,
    org_class="woningcorporatie",
    role="worker",
    purpose="proefregio",
    grounds=("TEST-PROEFREGIO",),
    standing="own_signal",
    approval="none",
    families=frozenset({"addr"}),
)
"""Anyone checks in the trial region of the test bundle."""

TRIAL_SIGNAL = HitFacts(
    holder=GI,
    holder_class="gi",
    kind="address",
    purpose="proefregio",
    ground="TEST-PROEFREGIO",
    shielded=False,
    excluded=False,
)


def changed_documents(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """A copy of the shipped documents in which each (file, old, new) was replaced once."""
    target = folder / "documents"
    if not target.exists():
        shutil.copytree(SHIPPED, target)
    for file, old, new in changes:
        text = (target / file).read_text(encoding="utf-8")
        assert old in text, f"{file} has nothing to change"
        (target / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return target


class Citation(NamedTuple):
    """One quoted passage and where it was taken from."""

    id: str
    file: str
    sha256: str
    passage: str


def read_rows(file: str, table: str) -> list[dict[str, Any]]:
    """The rows of a shipped table, read without our own loader."""
    rows: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(SHIPPED / file)[table]
    return rows


def read_citations() -> list[Citation]:
    """The shipped quotations, read without our own loader."""
    rows = read_rows("lex/citaten.yaml", "citaten")
    return [Citation(row["id"], row["bestand"], row["sha256"], row["passage"]) for row in rows]


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of one test table beside this file."""
    path = Path(__file__).parent / "tables" / name
    rows: list[dict[str, str]] = YAML(typ="safe", pure=True).load(path)
    return rows

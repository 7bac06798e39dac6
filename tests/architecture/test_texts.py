"""Every sentence a user may read comes from a catalogue, and every text id that is used stands in one."""

import json
import re
import string

from tests.architecture.source_tree import ROOT, product_modules

PROTOCOL = ROOT / "broker" / "protocol"
CATALOGUE: dict[str, str] = json.loads((PROTOCOL / "texts_nl.json").read_text(encoding="utf-8"))
PROBLEMS: list[dict[str, str]] = json.loads((PROTOCOL / "problems.json").read_text(encoding="utf-8"))["problems"]
FAMILIES = sorted({text_id.partition(".")[0] for text_id in CATALOGUE if "." in text_id})
USED = re.compile(rf'"((?:{"|".join(FAMILIES)})\.[a-z0-9_.]+)"')


def test_every_problem_has_its_dutch_text() -> None:
    """A problem that has no sentence could not be shown to anyone."""
    assert [problem["id"] for problem in PROBLEMS if problem["text"] not in CATALOGUE] == []


def test_every_text_id_in_code_stands_in_the_catalogue() -> None:
    """A misspelt text id is found here and not by a user."""
    used = {text_id: module.path for module in product_modules() for text_id in USED.findall(module.text)}
    paths = {".json", ".toml", ".sqlite", ".yaml", ".db", ".log", ".md", ".py", ".txt"}
    ids = {text_id for text_id in used if not any(text_id.endswith(ending) for ending in paths)}
    assert {text_id: used[text_id] for text_id in ids - set(CATALOGUE)} == {}


def test_places_in_texts_are_plain_names() -> None:
    """A text is filled with named words only: no index, attribute or format that could reach into a value."""
    for text_id, text in CATALOGUE.items():
        for _, name, spec, conversion in string.Formatter().parse(text):
            assert name is None or (re.fullmatch(r"[a-z_A-Z]+", name) and not spec and not conversion), text_id


def test_problem_ids_are_unique_and_readable() -> None:
    """A problem type is one kebab-case word list, used once."""
    ids = [problem["id"] for problem in PROBLEMS]
    assert len(set(ids)) == len(ids)
    assert [each for each in ids if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", each)] == []

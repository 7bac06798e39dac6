"""A directory of documents to one bundle, or an error and nothing at all."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from policies.bundle import Bundle
from policies.catalogue import Content, Ground, OrgClass, Purpose
from policies.compile import compile_lines
from policies.convenant import Convenant, Party
from policies.document import Document, read_document
from policies.errors import (
    BundleError,
    ClauseError,
    ConflictError,
    EmptyBundleError,
    InsecureBundleError,
    InsecureTestBundleWarning,
)
from policies.explain import TEXT_IDS, allowed_places
from policies.fence import Tables
from policies.ruleset import Route
from policies.schema import check_schema
from policies.texts import Texts, places
from policies.vocabulary import OPERATIONS, build_vocabulary

SHIPPED = Path(__file__).parent / "documents"
TEST_FOLDER = "test"

Value = TypeVar("Value")
_BySchema = dict[str, list[Document]]


def load_bundle(directory: Path | None = None, *, insecure_test_bundle: bool = False) -> Bundle:
    """Every document of the directory was read, checked and compiled into one bundle.

    Args:
        directory: None for the documents we ship.
        insecure_test_bundle: also load ``test/``, whose grounds are not law; warns.

    Raises:
        ConvenantError: see ``policies/errors.py``; nothing is half loaded.
    """
    by_schema = _read(directory or SHIPPED, with_tests=insecure_test_bundle)
    convenants = tuple(Convenant.from_document(document) for document in by_schema.get("convenant/v1", []))
    _check_convenants(convenants, with_tests=insecure_test_bundle)
    for listed in by_schema.get("partijen/v1", []):
        convenants = _joined(convenants, listed)
    classes = _rows(by_schema, "organisaties", OrgClass.from_content)
    tables = Tables(
        classes=frozenset(classes),
        purposes=_rows(by_schema, "doelen", Purpose.from_content),
        grounds=_rows(by_schema, "gronden", Ground.from_content),
    )
    vocabulary = build_vocabulary(
        classes=tables.classes, purposes=frozenset(tables.purposes), grounds=frozenset(tables.grounds)
    )
    texts = _texts(by_schema, classes, tables)
    return Bundle(
        documents={document.file: document.content for found in by_schema.values() for document in found},
        convenants=convenants,
        purposes=tables.purposes,
        grounds=tables.grounds,
        classes=classes,
        carriers=_carriers(convenants, frozenset(tables.purposes)),
        clauses=_unique("rule", ((clause.rid, clause) for convenant in convenants for clause in convenant.clauses)),
        routes=_routes(by_schema, texts),
        texts=texts,
        vocabulary=vocabulary,
        lines=compile_lines(convenants, tables, vocabulary),
    )


def _read(directory: Path, *, with_tests: bool) -> _BySchema:
    """Documents by schema, each checked against it, in the order of their paths."""
    files = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*.yaml")}
    if not with_tests:
        files = {file: path for file, path in files.items() if not file.startswith(f"{TEST_FOLDER}/")}
    if not files:
        raise EmptyBundleError("there is no document: refusing to decide without any")
    found: _BySchema = {}
    for file, path in sorted(files.items()):
        document = read_document(path, file)
        found.setdefault(check_schema(document), []).append(document)
    if with_tests:
        warnings.warn("test documents are loaded: their grounds are not law", InsecureTestBundleWarning, stacklevel=3)
    return found


def _check_convenants(convenants: tuple[Convenant, ...], *, with_tests: bool) -> None:
    """Test documents stand apart, and every document a convenant builds on is here."""
    labels = {convenant.label for convenant in convenants}
    for convenant in convenants:
        in_test_folder = convenant.document.file.startswith(f"{TEST_FOLDER}/")
        if convenant.is_test and not (with_tests and in_test_folder):
            raise InsecureBundleError("a test document belongs in test/ and needs the insecure switch")
        if convenant.parties is None and not convenant.is_test:
            raise InsecureBundleError("only a test document may have every organisation as party")
        if not set(convenant.builds_on) <= labels:
            raise convenant.document.error(ClauseError, ("steunt_op",), "must name documents of this bundle")


def _joined(convenants: tuple[Convenant, ...], listed: Document) -> tuple[Convenant, ...]:
    """The convenants, one of them with the parties of this test document besides its own."""
    if not listed.file.startswith(f"{TEST_FOLDER}/"):
        raise InsecureBundleError("a list of parties beside a convenant belongs in test/: a real one names its own")
    content: Content = listed.content
    joined = {convenant.label: convenant for convenant in convenants}
    target = joined.get(content["bij"])
    if target is None or target.parties is None:
        raise listed.error(ClauseError, ("bij",), "must name a convenant of this bundle that lists its parties")
    parties = (*target.parties, *(Party.from_content(party) for party in content["partijen"]))
    _unique("party", ((party.oin, party) for party in parties))
    joined[target.label] = replace(target, parties=parties)
    return tuple(joined.values())


def _carriers(convenants: tuple[Convenant, ...], purposes: frozenset[str]) -> dict[str, Convenant]:
    """The one document that carries each purpose."""
    carriers = _unique("purpose", ((purpose, convenant) for convenant in convenants for purpose in convenant.purposes))
    if not carriers:
        raise EmptyBundleError("no document carries a purpose: refusing to decide")
    if frozenset(carriers) != purposes:
        raise BundleError("every purpose of the purposes table is carried by one document, and no other purpose is")
    return carriers


def _contents(by_schema: _BySchema, table: str) -> list[Content]:
    rows: list[Content] = []
    for document in by_schema.get(f"{table}/v1", []):
        content: Content = document.content
        rows += content[table]
    return rows


def _rows(by_schema: _BySchema, table: str, read: Callable[[Content], Value]) -> dict[str, Value]:
    return _unique(table, ((row["id"], read(row)) for row in _contents(by_schema, table)))


def _unique(kind: str, pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in pairs:
        if key in found:
            raise ConflictError(f"one {kind} is claimed twice")
        found[key] = value
    return found


def _texts(by_schema: _BySchema, classes: dict[str, OrgClass], tables: Tables) -> Texts:
    """All sentences, once each place of each sentence has a phrase for every word it can meet."""
    documents: list[Content] = [document.content for document in by_schema.get("teksten/v1", [])]
    names = {org_class.id: org_class.name_nl for org_class in classes.values()}
    texts = Texts(
        templates=_unique("text", (pair for content in documents for pair in content["teksten"].items())),
        words={
            **_unique("place", (pair for content in documents for pair in content["woorden"].items())),
            "klasse": names,
            "houder": names,
            "doel": {purpose.id: purpose.short_nl for purpose in tables.purposes.values()},
            "grondslag": {ground.id: ground.short_nl for ground in tables.grounds.values()},
        },
    )
    if not frozenset(texts.templates) >= TEXT_IDS:
        raise BundleError("every reason needs its sentence in a document of teksten/v1")
    unknown = any(set(places(texts.templates[text_id])) - allowed_places(text_id) for text_id in TEXT_IDS)
    complete = all(set(texts.words.get(place, ())) >= OPERATIONS for place in ("begin", "daad"))
    if unknown or not complete:
        raise BundleError("every place of a sentence needs its words in a document of teksten/v1")
    return texts


def _routes(by_schema: _BySchema, texts: Texts) -> tuple[Route, ...]:
    """All routes, once each of their sentences exists and asks for nothing but the asker's own facts."""
    routes = tuple(
        Route(
            purpose=row["doel"],
            classes=tuple(row["klassen"]),
            reasons=tuple(row["redenen"]),
            texts=tuple(row["teksten"]),
        )
        for row in _contents(by_schema, "routes")
    )
    if any(
        text_id not in texts.templates or places(texts.templates[text_id])
        for route in routes
        for text_id in route.texts
    ):
        raise BundleError("a route names existing sentences without places")
    return routes

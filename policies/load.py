"""A directory of documents to one bundle, or an error and nothing at all."""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from policies.agreements import (
    TEST_FOLDER,
    carriers_of,
    check_convenants,
    check_parties,
    check_regions,
    joined,
    unique,
)
from policies.bundle import Bundle
from policies.catalogue import Content, OrgClass, Proof, Purpose
from policies.compile import compile_lines
from policies.convenant import Convenant
from policies.disclosing import Tables
from policies.document import Document, read_document
from policies.errors import (
    BundleError,
    EmptyBundleError,
    InsecureBundleError,
    InsecureTestBundleWarning,
    YamlError,
)
from policies.explain import TEXT_IDS, allowed_places
from policies.facts import Json
from policies.fence import statutory_routes, statutory_tellings
from policies.follow_up import FollowUp
from policies.grounds import Ground
from policies.ruleset import Route
from policies.schema import check_schema
from policies.texts import Texts, places
from policies.vocabulary import OPERATIONS, WILDCARD, Vocabulary, build_vocabulary

BESIDE = (".tabel.yml", ".tabel.csv")
"""What may stand beside the documents: decision tables, which decide nothing."""
SHIPPED = Path(__file__).parent / "documents"

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
    return _assembled(_read(directory or SHIPPED, with_tests=insecure_test_bundle), with_tests=insecure_test_bundle)


def load_contents(contents: Mapping[str, dict[str, Json]]) -> Bundle:
    """A bundle out of document contents by relative path, as a bundle file holds them; never one of tests.

    Raises:
        ConvenantError: as ``load_bundle``; an error names the field, and no line.
    """
    by_schema: _BySchema = {}
    if any(file.startswith(f"{TEST_FOLDER}/") for file in contents):
        raise InsecureBundleError("a bundle file holds no test document")
    for file, content in sorted(contents.items()):
        document = Document(file=file, content=content, lines={(): 0})
        by_schema.setdefault(check_schema(document), []).append(document)
    if not by_schema:
        raise EmptyBundleError("there is no document: refusing to decide without any")
    return _assembled(by_schema, with_tests=False)


def _assembled(by_schema: _BySchema, *, with_tests: bool) -> Bundle:
    """One bundle of documents that each follow their schema."""
    convenants = tuple(Convenant.from_document(document) for document in by_schema.get("convenant/v1", []))
    check_convenants(convenants, with_tests=with_tests)
    for listed in by_schema.get("partijen/v1", []):
        convenants = joined(convenants, listed)
    classes = _rows(by_schema, "organisaties", OrgClass.from_content)
    check_parties(convenants, classes)
    grounds = _rows(by_schema, "gronden", Ground.from_content)
    tables = Tables(
        classes=classes,
        purposes=_rows(by_schema, "doelen", Purpose.from_content),
        grounds=grounds,
        proofs=_rows(by_schema, "bewijzen", Proof.from_content),
        passages={row["id"]: row["passage"] for row in _contents(by_schema, "citaten")},
        routes=statutory_routes(convenants),
        told=statutory_tellings(convenants, grounds),
    )
    vocabulary = _vocabulary(convenants, tables)
    texts = _texts(by_schema, classes, tables)
    carriers = carriers_of(convenants, tables.purposes)
    check_regions(convenants, [row["id"] for row in _contents(by_schema, "regios")])
    return Bundle(
        documents={document.file: document.content for found in by_schema.values() for document in found},
        convenants=convenants,
        purposes=tables.purposes,
        grounds=grounds,
        classes=classes,
        proofs=tables.proofs,
        carriers=carriers,
        clauses=unique("rule", ((clause.rid, clause) for convenant in convenants for clause in convenant.clauses)),
        routes=_routes(by_schema, texts),
        follow_up=FollowUp.from_documents(by_schema.get("opvolging/v1", []), tables.purposes),
        texts=texts,
        vocabulary=vocabulary,
        lines=compile_lines(convenants, tables, vocabulary),
    )


def _vocabulary(convenants: tuple[Convenant, ...], tables: Tables) -> Vocabulary:
    return build_vocabulary(
        classes=tables.classes,
        purposes=tables.purposes,
        grounds=tables.grounds,
        categories={category for convenant in convenants for category in convenant.categories},
        proofs=tables.proofs,
        documents=[convenant.label for convenant in convenants],
        duties={duty.id for one in convenants for clause in one.clauses for duty in clause.obligations},
    )


def _read(directory: Path, *, with_tests: bool) -> _BySchema:
    """Documents by schema, each checked against it, in the order of their paths."""
    found = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    for file in sorted(found):
        if not file.endswith((".yaml", *BESIDE)):
            raise YamlError(file=file, line=0, field="", rule="must be a document (.yaml) or a decision table")
    files = {file: path for file, path in found.items() if file.endswith(".yaml")}
    if not with_tests:
        files = {file: path for file, path in files.items() if not file.startswith(f"{TEST_FOLDER}/")}
    if not files:
        raise EmptyBundleError("there is no document: refusing to decide without any")
    by_schema: _BySchema = {}
    for file, path in sorted(files.items()):
        document = read_document(path, file)
        by_schema.setdefault(check_schema(document), []).append(document)
    if with_tests:
        warnings.warn("test documents are loaded: their grounds are not law", InsecureTestBundleWarning, stacklevel=3)
    return by_schema


def _contents(by_schema: _BySchema, table: str) -> list[Content]:
    rows: list[Content] = []
    for document in by_schema.get(f"{table}/v1", []):
        content: Content = document.content
        rows += content[table]
    return rows


def _rows(by_schema: _BySchema, table: str, read: Callable[[Content], Value]) -> dict[str, Value]:
    return unique(table, ((row["id"], read(row)) for row in _contents(by_schema, table)))


def _texts(by_schema: _BySchema, classes: dict[str, OrgClass], tables: Tables) -> Texts:
    """All sentences, once each place of each sentence has a phrase for every word it can meet."""
    documents: list[Content] = [document.content for document in by_schema.get("teksten/v1", [])]
    names = {org_class.id: org_class.name_nl for org_class in classes.values()}
    texts = Texts(
        templates=unique("text", (pair for content in documents for pair in content["teksten"].items())),
        words={
            **unique("place", (pair for content in documents for pair in content["woorden"].items())),
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
            recipients=tuple(row.get("ontvangers", (WILDCARD,))),
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

"""Everything that decides, immutable, named by the hash of its canonical bytes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import rfc8785

from policies.catalogue import Ground, OrgClass, Purpose
from policies.compile import COMPILER
from policies.convenant import Clause, Convenant
from policies.engine import MODEL
from policies.facts import Json
from policies.lines import LINE_COLUMNS, PolicyLine
from policies.texts import Texts
from policies.vocabulary import WILDCARD, Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is possible instead, for a purpose, a class and a reason; ``*`` matches any."""

    purpose: str
    classes: tuple[str, ...]
    reasons: tuple[str, ...]
    texts: tuple[str, ...]

    def speaks(self, *, purpose: str, org_class: str, reason: str) -> bool:
        """Whether this route is offered in this refusal."""
        return (
            self.purpose in (WILDCARD, purpose)
            and (WILDCARD in self.classes or org_class in self.classes)
            and (WILDCARD in self.reasons or reason in self.reasons)
        )


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """All documents, the lines compiled from them and the words they may use.

    Attributes:
        documents: relative path to content.
        purposes: purpose id to its row.
        carriers: purpose id to the convenant that carries it.
        clauses: rule id to clause.
    """

    documents: Mapping[str, Mapping[str, Json]]
    convenants: tuple[Convenant, ...]
    purposes: Mapping[str, Purpose]
    grounds: Mapping[str, Ground]
    classes: Mapping[str, OrgClass]
    carriers: Mapping[str, Convenant]
    clauses: Mapping[str, Clause]
    routes: tuple[Route, ...]
    texts: Texts
    vocabulary: Vocabulary
    lines: tuple[PolicyLine, ...]

    def canonical(self) -> bytes:
        """The RFC 8785 bytes of documents, lines, vocabulary, model and compiler version."""
        return rfc8785.dumps(
            {
                "schema": "bundle/v1",
                "compiler": COMPILER,
                "model": MODEL,
                "documents": {file: dict(content) for file, content in self.documents.items()},
                "columns": list(LINE_COLUMNS),
                "lines": [list(line.cells()) for line in self.lines],
                "vocabulary": {column: sorted(words) for column, words in self.vocabulary.items()},
            }
        )

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the canonical bytes: the name every decision record carries."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def is_party(self, *, purpose: str, oin: str, org_class: str, day: date) -> bool:
        """Whether this organisation was party, on that day, to the document that carries the purpose."""
        return self.carriers[purpose].is_party(oin=oin, org_class=org_class, day=day)

"""The problems a party can answer with (RFC 9457) and the Dutch texts that say them.

`problems.json` is the published list, `texts_nl.json` the catalogue; a problem never holds a value from the request.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

TYPE_PREFIX = "urn:sluis:problem:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemKind:
    """One published problem: its id, HTTP status, English title and the id of its Dutch text."""

    id: str
    status: int
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One occurrence of a problem, ready to be written as `application/problem+json`.

    `text` overrides the kind's text id (a refusal has its own); `detail` is then the rendered Dutch sentence.
    """

    kind: ProblemKind
    params: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    detail: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the RFC 9457 members, with ours: textId, params and what `extra` adds."""
        text_id = self.text or self.kind.text
        return {
            "type": TYPE_PREFIX + self.kind.id,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail if self.detail is not None else render(text_id, self.params),
            "textId": text_id,
            "params": dict(self.params),
            **self.extra,
        }


@cache
def problem_kinds() -> Mapping[str, ProblemKind]:
    """Return every published problem by id."""
    listed = json.loads(_resource("problems.json"))["problems"]
    return {item["id"]: ProblemKind(**item) for item in listed}


@cache
def texts() -> Mapping[str, str]:
    """Return the Dutch catalogue: text id to template."""
    return dict(json.loads(_resource("texts_nl.json")))


def render(text_id: str, params: Mapping[str, str]) -> str:
    """Return the Dutch sentence of a text id. A missing parameter or text is a programming error (KeyError)."""
    return texts()[text_id].format_map(dict(params))


def problem(kind_id: str, **params: str) -> Problem:
    """Return an occurrence of a published problem with its text's parameters."""
    return Problem(kind=problem_kinds()[kind_id], params=params)


def _resource(name: str) -> str:
    return resources.files("broker.protocol").joinpath(name).read_text(encoding="utf-8")

"""Questions about policy alone: every fact comes from the caller, and nobody's signals are looked at.

`/access/v1/evaluation` is the shape of the OpenID AuthZEN Authorization API 1.0.
"""

from typing import Any, Literal

from pydantic import Field

from broker.protocol.wire_types import Message


class Allowed(Message):
    """Who may do what for a purpose: the table that no document goes beyond; `level` is the highest it comes to."""

    purpose: str
    classes: list[str]
    operations: list[str]
    standings: list[str]
    proofs: list[str]
    grounds: list[str]
    level: int
    approval: bool


class Vocabulary(Message):
    """Every word of facts and rules, by column; Dutch names by id; and every term of a follow-up, by region."""

    bundle_sha256: str
    columns: dict[str, list[str]]
    classes: dict[str, str]
    purposes: dict[str, str]
    grounds: dict[str, str]
    categories: dict[str, str]
    proofs: dict[str, str]
    allowed: list[Allowed]
    documents: list[str]
    terms: list[dict[str, Any]]


class WhatIf(Message):
    """What would be decided on these facts, named as in `decision/v1`; with a member `hit` it is about one signal."""

    facts: dict[str, Any]


class AccessSubject(Message):
    """Who asks: an organisation by its OIN; its class, role and approval stand in `properties`, as in `decision/v1`."""

    type: Literal["organisation"]
    id: str
    properties: dict[str, Any] = Field(default_factory=dict)


class AccessAction(Message):
    """What is to be done: an operation of `decision/v1`."""

    name: str
    properties: dict[str, Any] = Field(default_factory=dict)


class AccessResource(Message):
    """What it is about: a `purpose` by its id, or a `signal` by the facts in `properties`; its id is not looked up."""

    type: Literal["purpose", "signal"]
    id: str
    properties: dict[str, Any] = Field(default_factory=dict)


class AccessEvaluation(Message):
    """An AuthZEN evaluation request; `context` holds every other fact of `decision/v1`."""

    subject: AccessSubject
    action: AccessAction
    resource: AccessResource
    context: dict[str, Any] = Field(default_factory=dict)

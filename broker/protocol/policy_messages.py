"""Questions about policy alone: every fact comes from the caller, and nobody's signals are looked at.

`/access/v1/evaluation` is the shape of the OpenID AuthZEN Authorization API 1.0.
"""

from typing import Any, Literal

from pydantic import Field

from broker.protocol.wire_types import Message


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

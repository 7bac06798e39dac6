"""The published description is the API that is served."""

import json
from pathlib import Path
from typing import Any

from starlette.routing import Route

from broker.api.app import ROUTERS, description
from broker.protocol.problems import problem_kinds
from tests.simulators.served_world import run_cli

PUBLISHED = Path(__file__).resolve().parents[4] / "docs" / "openapi.json"


def test_the_published_description_is_current() -> None:
    """`docs/openapi.json` is what `sluis-broker openapi` prints."""
    assert json.loads(run_cli("openapi")) == json.loads(PUBLISHED.read_text(encoding="utf-8"))


def test_every_route_that_is_served_is_described() -> None:
    """No route is served that the description does not have, and none is described that is not served."""
    served = {
        (route.path, method)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    described = {(path, method.upper()) for path, methods in description()["paths"].items() for method in methods}
    assert served == described


def test_the_description_follows_the_design_rules() -> None:
    """Paths are in kebab-case under `/v1`, members in camelCase, the version is stated (NL API Design Rules)."""
    document = description()
    outside = {"/health/live", "/health/ready", "/checkpoint", "/access/v1/evaluation"}
    fixed = [part for path in document["paths"] for part in path.split("/") if part and not part.startswith("{")]
    assert all(path.startswith("/v1/") or path in outside for path in document["paths"])
    assert all(part == part.lower() and "_" not in part for part in fixed)
    members = [name for schema in document["components"]["schemas"].values() for name in schema.get("properties", {})]
    assert all("_" not in name for name in members)
    assert document["info"]["version"] == "1.0.0"


def test_every_reference_is_there_and_every_problem_is_published() -> None:
    """A generator of clients finds each schema, and a reader each problem in problems.json."""
    document = description()
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document)) <= schemas
    told = {
        kind
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if int(status) >= 400
        for kind in answer["description"].split(", ")
    }
    assert told <= set(problem_kinds())
    assert {"refused", "ticket-spent", "request-token-replayed", "storage-unavailable"} <= told
    assert not told & {"budget-exhausted", "custodian-unreachable", "batch-reused"}


def _references(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return [
            *([value["$ref"]] if "$ref" in value else []),
            *(one for item in value.values() for one in _references(item)),
        ]
    if isinstance(value, list):
        return [one for item in value for one in _references(item)]
    return []

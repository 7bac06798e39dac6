"""Documents and records against their published JSON Schemas in ``policies/schemas``."""

import json
from functools import cache, lru_cache
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from policies.document import Document, FieldPath, dotted
from policies.errors import SchemaError

SCHEMAS = Path(__file__).parent / "schemas"
DOCUMENT_SCHEMAS = frozenset(
    f"{name}/v1"
    for name in (
        "convenant",
        "gronden",
        "doelen",
        "bewijzen",
        "citaten",
        "organisaties",
        "partijen",
        "regios",
        "opvolging",
        "routes",
        "teksten",
    )
)

_RULES = {
    "additionalProperties": "has a key this schema does not know",
    "required": "misses a required key",
    "enum": "must be one of the words of the schema",
    "const": "must be the word of the schema",
    "pattern": "must have the form of the schema",
    "format": "must be a day of the calendar",
    "type": "must have the type of the schema",
    "minItems": "must not be empty",
    "minLength": "must not be empty",
    "uniqueItems": "must not name one thing twice",
    "minimum": "lies below the smallest value",
    "maximum": "lies above the largest value",
    "not": "has a key that does not belong here",
}


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of one published schema, such as ``convenant/v1``."""
    text = (SCHEMAS / f"{name.replace('/', '-')}.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text), format_checker=Draft202012Validator.FORMAT_CHECKER)


@lru_cache(maxsize=64)
def check_schema(document: Document) -> str:
    """The schema name of a document that follows it.

    Raises:
        SchemaError: unknown schema, or the first field (in file order) that breaks it.
    """
    name = document.content.get("schema")
    if not isinstance(name, str) or name not in DOCUMENT_SCHEMAS:
        raise document.error(SchemaError, ("schema",), f"must be one of {', '.join(sorted(DOCUMENT_SCHEMAS))}")
    errors = [_deepest(error) for error in validator(name).iter_errors(document.content)]
    if errors:
        first = min(errors, key=lambda error: (document.line(_field(error)), dotted(_field(error)), _rule(error)))
        raise document.error(SchemaError, _field(first), _rule(first))
    return name


def _deepest(error: ValidationError) -> ValidationError:
    """The error inside an alternative that got furthest, which is the one its author meant."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return error


def _field(error: ValidationError) -> FieldPath:
    """Where the error is; a missing or unknown key counts as the field it names."""
    path = tuple(error.absolute_path)
    schema, instance = error.schema, error.instance
    if not isinstance(schema, dict) or not isinstance(instance, dict):
        return path
    if error.validator == "additionalProperties":
        return (*path, next(key for key in instance if key not in schema.get("properties", {})))
    if error.validator == "required":
        return (*path, next(key for key in schema["required"] if key not in instance))
    return path


def _rule(error: ValidationError) -> str:
    return _RULES.get(str(error.validator), "must follow the schema")

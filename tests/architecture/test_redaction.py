"""Values that identify a person or open a lock never print themselves, whoever logs, raises or inspects them."""

import ast
import importlib
import re
import typing
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from tests.architecture.source_tree import product_modules

# A class is sensitive by its name: keys that sign, open or index; shares, tokens, identifiers and who a person is.
SENSITIVE = re.compile(
    r"^_?(\w*(SigningKey|EncryptionKey|IndexKey|PrivateKey|PairwiseKey|PendingKey|SecretShare|SecretKey|SealKey)"
    r"|\w*(Bsn|Token|TokenIndex|Identifier|BlindState|Nonce|Address|BirthDate)|Blinded|Opening|Case|Person|Dossier)$"
)
# Sensitive by name only, each with the reason why what it prints is harmless.
HARMLESS = {
    "broker.protocol.ceremony.Opening": "a custodian's public share and proof, made to be published",
    "connectors.demo.gba_v_generator._Person": "an invented person of the generated test file",
    "connectors.demo.households.Person": "an invented person of the played household",
    "broker.protocol.messages.ParentToken": "prints its source mark; the token within is a WireToken",
}
# What a sensitive value may print of itself: which key or case it is, never what opens or names it.
SHOWN = {"epoch", "family", "kid", "label", "name", "place", "public", "role", "row", "signal", "source", "verifier"}
CANARY = b"canary-value-that-must-not-show"


def sensitive_classes() -> Iterator[type]:
    """Yield every class of our packages whose name marks it as sensitive."""
    for module in product_modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and SENSITIVE.match(node.name):
                dotted = module.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                if f"{dotted}.{node.name}" not in HARMLESS:
                    yield getattr(importlib.import_module(dotted), node.name)


class Shown:
    """Stands in a field that may be printed, whatever is asked of it."""

    def __getattr__(self, name: str) -> str:
        return f"shown-{name}"


def filled(cls: type) -> object:
    """Return an object of the class with the canary in every secret field, made without its constructor's checks."""
    types = _field_types(cls)

    def content(name: str) -> object:
        declared = types.get(name)
        if name in SHOWN:
            return Shown()
        inner = isinstance(declared, type) and SENSITIVE.match(declared.__name__)
        return filled(declared) if inner and isinstance(declared, type) else CANARY

    if issubclass(cls, BaseModel):
        return cls.model_construct(None, **{name: content(name) for name in cls.model_fields})
    made: object = object.__new__(cls)
    for name in {name for each in cls.__mro__ for name in _field_names(each)} - {"__weakref__", "__dict__"}:
        object.__setattr__(made, name, content(name))
    return made


@pytest.mark.parametrize("cls", list(sensitive_classes()), ids=lambda cls: f"{cls.__module__}.{cls.__qualname__}")
def test_a_sensitive_value_does_not_print_itself(cls: type) -> None:
    """`repr`, `str` and formatting of a sensitive value show the name of its class and nothing it holds."""
    made = filled(cls)
    assert CANARY.decode() not in f"{made!r} {made!s} {made}"


def test_the_rule_sees_a_value_that_prints_itself() -> None:
    """An ordinary class with the canary in its fields is caught by the same probe."""

    class Careless:
        __slots__ = ("value",)
        value: bytes

        def __repr__(self) -> str:
            return f"Careless({self.value!r})"

    assert CANARY.decode() in repr(filled(Careless))


def test_every_harmless_name_exists() -> None:
    """The list of exceptions names only classes that are there."""
    for name in HARMLESS:
        module, _, cls = name.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), cls), type)


def _field_types(cls: type) -> dict[str, object]:
    try:
        return typing.get_type_hints(cls)
    except NameError:  # a hint that only the type checker can resolve: its field gets the canary itself
        return {}


def _field_names(cls: type) -> list[str]:
    slots = cls.__dict__.get("__slots__", ())
    return [*([slots] if isinstance(slots, str) else slots), *getattr(cls, "__dataclass_fields__", {})]

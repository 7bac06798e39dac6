"""JSON with one reading only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.errors import MalformedJsonError
from broker.protocol.strict_json import MAX_DEPTH, load_object, loads


@pytest.mark.parametrize(
    ("text", "value"),
    [(b'{"a":[1,2.5,"\xc3\xa9",null,true]}', {"a": [1, 2.5, "é", None, True]}), ('"é"', "é"), (b" 1 ", 1)],
)
def test_a_plain_text_is_read(text: bytes | str, value: object) -> None:
    """What every JSON parser reads alike is read."""
    assert loads(text) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b'{"a":1,"a":1}', "has a duplicate key"),
        (b'{"x":{"a":1,"\\u0061":2}}', "has a duplicate key"),
        (b"[NaN]", "has a number that is not finite"),
        (b"[Infinity]", "has a number that is not finite"),
        (b"[-Infinity]", "has a number that is not finite"),
        (b"[1e999]", "has a number that is not finite"),
        (b"[" + b"9" * 5000 + b"]", "is not JSON"),
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"[1,]", "is not JSON"),
        (b"'a'", "is not JSON"),
        (b"[1] [2]", "is not JSON"),
        (b'"\xff"', "is not JSON"),
        ("[1]".encode("utf-16"), "is not JSON"),
        (b"\xef\xbb\xbf[1]", "begins with a byte order mark"),
        (b"[" * 100_000, "is not JSON"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "is nested too deeply"),
        (b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH, "is nested too deeply"),
    ],
)
def test_a_text_with_two_readings_is_refused(text: bytes, rule: str) -> None:
    """Duplicate keys, numbers that are not finite, other encodings and deep nesting are refused by name."""
    with pytest.raises(MalformedJsonError) as caught:
        loads(text, field="here")
    assert (caught.value.field, caught.value.rule) == ("here", rule)


def test_nesting_within_the_limit_is_read() -> None:
    """The deepest level allowed holds a value."""
    levels = MAX_DEPTH - 1
    assert loads(b"[" * levels + b"1" + b"]" * levels)


def test_a_text_over_its_limit_is_refused() -> None:
    """The limit counts bytes, before anything is parsed."""
    assert loads('"é"', max_bytes=4) == "é"
    with pytest.raises(MalformedJsonError, match="is too long"):
        loads('"é"', max_bytes=3)


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"{}"'])
def test_only_an_object_is_an_object(text: bytes) -> None:
    """A message is an object; any other value is refused."""
    assert load_object(b"{}") == {}
    with pytest.raises(MalformedJsonError, match="is not a JSON object"):
        load_object(text)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    """Whatever is sent, it is read or refused, with no other exception."""
    value: Any = None
    try:
        value = loads(raw)
    except MalformedJsonError as error:
        value = error.rule
    assert value is None or isinstance(value, dict | list | str | int | float)

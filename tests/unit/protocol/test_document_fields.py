"""Typed fields of signed documents: every failure names the field and the rule, never the value."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest

from broker.protocol.document_fields import Fields, parse_day
from broker.protocol.errors import MalformedError

CANARY = "canary 999990019"
Read = Callable[[Fields], object]


def field(value: object) -> Fields:
    """Return fields with one member, `x`."""
    return Fields.of({"x": value}, "doc", exactly={"x"})


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (lambda f: f.text("x", at_most=5), "a é", ["", "123456", 1, None, "a\nb", "\ud800"]),
        (lambda f: f.word("x"), "a-b", ["", CANARY, 1, None]),
        (lambda f: f.choice("x", ("a", "b")), "b", ["c", "", None, [], 1]),
        (lambda f: f.oin("x"), "0" * 20, ["1", CANARY, None]),
        (lambda f: f.number("x", least=1, most=3), 3, [0, 4, True, 1.0, "1", None]),
        (lambda f: f.flag("x"), True, [1, 0, "true", None]),
        (lambda f: f.items("x", at_most=2), [1, 2], [[1, 2, 3], {}, "ab", None]),
        (lambda f: list(f.words("x")), ["a", "b"], [["a", "a"], [CANARY], [1], "a", None]),
        (lambda f: list(f.words("x", ("a", "b"))), ["b"], [["c"], ["a", "c"]]),
    ],
)
def test_a_field_takes_its_rule_and_nothing_else(read: Read, good: object, bad: list[object]) -> None:
    """The good value comes back as it is; every other is refused by path and rule."""
    assert read(field(good)) == good
    for value in bad:
        with pytest.raises(MalformedError) as caught:
            read(field(value))
        assert caught.value.field == "doc.x"
        assert CANARY not in str(caught.value)


def test_a_day_has_one_form() -> None:
    """Only YYYY-MM-DD is a day: no week dates, no missing dashes, no times."""
    assert field("2026-11-22").day("x") == datetime.date(2026, 11, 22)
    wrong: list[Any] = ["20261122", "2026-W47-7", "2026-11-31", "2026-11-22T00:00", "26-11-22", "", 20261122, None]
    for value in wrong:
        assert parse_day(value) is None
        with pytest.raises(MalformedError, match="is not a day"):
            field(value).day("x")


def test_an_object_has_exactly_its_members() -> None:
    """An unknown member is refused without its name, a missing one with it, and another value is no object."""
    with pytest.raises(MalformedError, match="not known") as caught:
        Fields.of({"x": 1, CANARY: 1}, "doc", exactly={"x"})
    assert CANARY not in str(caught.value)
    with pytest.raises(MalformedError, match=r"doc\.x: is missing"):
        Fields.of({}, "doc", exactly={"x", "y"})
    with pytest.raises(MalformedError, match="is not an object"):
        Fields.of([], "doc", exactly=set())


def test_a_child_is_named_by_its_path() -> None:
    """Errors inside an inner object name the whole path."""
    with pytest.raises(MalformedError, match=r"doc\.x\.y: is not true or false"):
        field({"y": 1}).child("x", exactly={"y"}).flag("y")


def test_null_is_no_value() -> None:
    """An optional field is there unless it is null; false and zero are values."""
    assert [field(value).optional("x") for value in (None, 0, False, "")] == [False, True, True, True]

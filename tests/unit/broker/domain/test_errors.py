"""The error tree is drawn as it is, and errors hold facts and no values."""

import re

from broker.domain import errors
from broker.domain.errors import BrokerError


def tree(root: type[BrokerError], depth: int = 0) -> list[tuple[int, str]]:
    """Return the names below an error with their depth, as the module defines them."""
    found = [(depth, root.__name__)]
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            found += tree(child, depth + 1)
    return found


def test_the_drawing_is_the_tree() -> None:
    """Every error stands in the drawing at the top of its module, under its parent."""
    drawn = [
        (len(match[1]) // 4, match[2])
        for line in str(errors.__doc__).splitlines()
        if (match := re.match(r"((?:[│ ] {3})*(?:[├└]── )?)(\w+Error)\b", line))
    ]
    assert sorted(drawn) == sorted(tree(BrokerError))

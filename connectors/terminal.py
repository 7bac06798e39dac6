"""What is printed for a person: texts of other organisations are shown, and never obeyed by a terminal.

A letter, a name or a card may hold signs that clear a screen, set a title or turn the order of a line around. Here
each of them is printed as its own number, so that nobody's text changes what stands above or beside it.
"""

import json
import re

from rich.console import Console

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters but tab and newline (ECMA-48), and those that turn or break a line (Unicode UAX 9, UAX 14)."""


def printable(text: str) -> str:
    """Return the text with every sign that a terminal obeys written out as its number in hexadecimal."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def quoted(text: str) -> list[str]:
    """Return the lines of another organisation's text, each marked as such: none passes for a line of ours."""
    return [f"| {line}" for line in printable(text).split("\n")]


def json_text(document: object) -> str:
    """Return a document as JSON that is the same document, and that a terminal only shows."""
    return printable(json.dumps(document, ensure_ascii=False, indent=1))


class Terminal(Console):
    """A console that shows texts and obeys none."""

    def print(self, *objects: object, **how: object) -> None:
        """Print as `Console.print`; of texts only what can be seen."""
        shown = (printable(one) if isinstance(one, str) else one for one in objects)
        super().print(*shown, **how)  # type: ignore[arg-type]  # what `Console.print` takes, as it came

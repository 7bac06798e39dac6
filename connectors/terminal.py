"""The two streams that people read: texts of other organisations are shown, and never obeyed by a terminal.

A letter, a name or a card may hold signs that clear a screen, set a title or turn the order of a line around. Here
each of them is printed as its own number, so that nobody's text changes what stands above or beside it. What draws is
loaded with the first line, so JSON does not wait for it.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

# The library is loaded where it draws (PLC0415): it takes a tenth of the time of a command.

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters but tab and newline (ECMA-48), and those that turn or break a line (Unicode UAX 9, UAX 14)."""


_QUOTED = "| "
_STRESS = re.compile(r"\*\*(.+?)\*\*")


def printable(text: str) -> str:
    """Return the text with every sign that a terminal obeys written out as its number in hexadecimal."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def quoted(text: str) -> list[str]:
    """Return the lines of another organisation's text, each marked as such: none passes for a line of ours."""
    return [f"{_QUOTED}{line}" for line in printable(text).split("\n")]


def _stressed(line: str) -> "Text":
    """Return a line with what stands between two pairs of asterisks in bold, without them."""
    from rich.text import Text  # noqa: PLC0415 - see above

    drawn = Text()
    for at, part in enumerate(_STRESS.split(line)):
        drawn.append(part, style="bold" if at % 2 else "")
    return drawn


def json_text(document: object) -> str:
    """Return a document as JSON that is the same document, and that a terminal only shows."""
    return printable(json.dumps(document, ensure_ascii=False, indent=1))


class Terminal:
    """Standard output, or standard error, as a person sees it: it shows texts and obeys none."""

    def __init__(self, *, stderr: bool = False, drawn: "Console | None" = None) -> None:
        """Write to standard output unless it is said otherwise, or to what somebody brings."""
        self._stderr = stderr
        self._drawn = drawn

    def print(self, line: str, *, markup: bool = True) -> None:
        """The line stands there; without markup, brackets in it are brackets.

        Who sees it at a terminal sees the words that our sentences stress in bold; what others wrote is left as it is.
        """
        if not markup and self._is_watched() and not line.startswith(_QUOTED):
            self._drawing().print(_stressed(printable(line)))
        else:
            self._drawing().print(printable(line), markup=markup)

    @contextmanager
    def bar(self, what: str, *, total: int) -> Iterator[Callable[[], None]]:
        """Hold a bar that somebody at a terminal sees, and give what moves it by one."""
        if not self._is_watched():
            yield lambda: None
            return
        from rich.progress import (  # noqa: PLC0415 - see above
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._drawing(), transient=True) as progress:
            task = progress.add_task(what, total=total)
            yield lambda: progress.advance(task)

    def _is_watched(self) -> bool:
        if self._drawn is not None:
            return self._drawn.is_terminal
        return (sys.stderr if self._stderr else sys.stdout).isatty()

    def _drawing(self) -> "Console":
        if self._drawn is None:
            from rich.console import Console  # noqa: PLC0415 - see above

            self._drawn = Console(stderr=self._stderr, highlight=False, soft_wrap=True)
        return self._drawn

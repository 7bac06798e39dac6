"""The two streams that people read. What draws on them is loaded with the first line, so JSON does not wait for it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# The library is loaded where it draws (PLC0415): it takes a tenth of the time of a command.


class Terminal:
    """Standard output, or standard error, as a person sees it."""

    def __init__(self, *, stderr: bool = False, drawn: "Console | None" = None) -> None:
        """Write to standard output unless it is said otherwise, or to what somebody brings."""
        self._stderr = stderr
        self._drawn = drawn

    def print(self, line: str, *, markup: bool = True) -> None:
        """The line stands there; without markup, brackets in it are brackets."""
        self._drawing().print(line, markup=markup)

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

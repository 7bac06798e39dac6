"""Command lines that name the option and the rule, and never repeat what was typed: it may be somebody's number.

Who writes agreements pastes a value in a wrong place as easily as anybody. The library's own errors print it, and from
there it goes into terminals' histories and tickets. The packages stand alone, so `audit` has its own.
"""

import sys
from collections.abc import Sequence
from typing import Any, Final

import typer
from typer.core import TyperGroup

BAD_INPUT: Final = 2
_AS_IN_HELP = "must be given as --help says"


class Commands(TyperGroup):
    """A command line whose errors repeat nothing of what was typed."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002 - as the library calls it
        windows_expand_args: bool = True,  # noqa: FBT001, FBT002 - as above
        **extra: Any,  # noqa: ANN401 - as above
    ) -> Any:  # noqa: ANN401 - as above
        """Carry out what was typed, and end with its exit code; not understood is bad input."""
        try:
            code = super().main(
                args, prog_name, complete_var, standalone_mode=False, windows_expand_args=windows_expand_args, **extra
            )
        except typer.TyperException as error:
            if not standalone_mode:
                raise
            sys.stderr.write(f"{said_of(error)}\n")
            sys.exit(BAD_INPUT)
        except typer.Abort:
            if not standalone_mode:
                raise
            sys.exit(1)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def said_of(error: typer.TyperException) -> str:
    """Return what is wrong with what was typed: which option or argument, and no value."""
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        return str(error)
    if kind == "NoSuchOption":
        return "Error: this command has no such option: see --help"
    if kind == "BadOptionUsage":
        return f"Error: {getattr(error, 'option_name', 'an option')}: {_AS_IN_HELP}"
    param = getattr(error, "param", None)
    if param is None:
        return "Error: this command, or something after it, is not known here: see --help"
    name = max(param.opts, key=len) if param.param_type_name == "option" else (param.metavar or param.name).upper()
    return f"Error: {name}: {'must be given' if kind == 'MissingParameter' else _AS_IN_HELP}"

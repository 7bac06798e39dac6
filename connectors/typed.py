"""What a person typed on a command line, read: an error names the option and the rule in Dutch, never what was typed.

Somebody may type a number where a day belongs, or in no place at all. The library's own errors repeat it on the screen,
and from there it goes into histories, tickets and photographs; and they are English, and have no translation.
"""

import datetime
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import typer
from typer.core import TyperGroup

from broker.protocol.document_fields import parse_day
from connectors.terminal import Terminal

BAD_INPUT: Final = 2
DAY: Final = "YYYY-MM-DD"
"""How help shows a day."""
_DAY_RULE = "geef een dag (JJJJ-MM-DD)"
_NOT_UNDERSTOOD = (
    "deze opdracht, of iets erachter, bestaat hier niet: zie --help. Nummers van personen staan in bestanden."
)
_AS_IN_HELP = "geef dit op zoals --help het zegt"


def typed_day(text: str) -> datetime.date:
    """Return the day that was typed, for every option that is one. Raises BadParameter: it is none."""
    found = parse_day(text)
    if found is None:
        raise typer.BadParameter(_DAY_RULE)
    return found


def no_file(text: str | None) -> str | None:
    """Return the reference of a case that was typed. Raises BadParameter: it is a file, as `--case` of others takes.

    An HMAC of a file's name would stand in the log, and nobody who reviews finds the case by it.
    """
    if text is not None and Path(text).exists():
        raise typer.BadParameter(_AS_IN_HELP)
    return text


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
            Terminal(stderr=True).print(said_of(error), markup=False)
            sys.exit(BAD_INPUT)
        except typer.Abort:
            if not standalone_mode:
                raise
            sys.exit(1)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def said_of(error: typer.TyperException) -> str:
    """Return what is wrong with what was typed: which option, and which rule it breaks."""
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        return str(error)
    if kind == "NoSuchOption":
        known = list(getattr(error, "possibilities", None) or ())[:1]
        return "Fout: deze optie bestaat hier niet: " + (f"bedoel je {known[0]}?" if known else "zie --help")
    if kind == "BadOptionUsage":
        return f"Fout: {getattr(error, 'option_name', 'een optie')}: {_AS_IN_HELP}"
    param = getattr(error, "param", None)
    if param is None:
        return f"Fout: {_NOT_UNDERSTOOD}"
    name = max(param.opts, key=len) if param.param_type_name == "option" else (param.metavar or param.name).upper()
    return f"Fout: {name}: {'geef dit op' if kind == 'MissingParameter' else rule_of(param)}"


def rule_of(param: Any) -> str:  # noqa: ANN401 - a parameter of the library, which publishes no name for its class
    """Return which rule the values of this parameter follow, in words that hold nothing of a value."""
    typed = getattr(getattr(param, "type_descriptor", None), "annotation", None)
    typed = (get_args(typed) or (typed,))[0] if get_origin(typed) is list else typed
    if get_origin(typed) is Literal:
        return f"kies uit: {', '.join(get_args(typed))}"
    if isinstance(typed, type) and issubclass(typed, Enum):
        return f"kies uit: {', '.join(str(one.value) for one in typed)}"
    if typed is datetime.date:
        return _DAY_RULE
    if typed in (int, float):
        least, most = param.min, param.max
        bounds = [f"minstens {least}"] * (least is not None) + [f"hoogstens {most}"] * (most is not None)
        return ", ".join(["geef een getal", *bounds])
    return _AS_IN_HELP

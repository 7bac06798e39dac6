"""`sluis-connect`: what a partner does, from setting up its folder to looking who is involved.

Exit codes: 0 what was asked is done, 1 it is not (refused, not done, or a receipt does not hold), 2 bad input,
3 done, but some rows were rejected. Identifiers are read from files, never from the command line.
"""

import gc
import importlib
import sys
from collections.abc import Sequence

import typer

from connectors.typed import Commands

# Which module holds a command. Only what was asked for is loaded: most commands need no network library.
_PARTS = {
    **dict.fromkeys(("init", "organisation", "worker", "roster", "trust"), "connectors.setup_commands"),
    **dict.fromkeys(("register", "check", "oproep"), "connectors.case_commands"),
    "oproepen": "connectors.call_commands",
    "bel": "connectors.phone_commands",
    "grant": "connectors.grant_commands",
    **dict.fromkeys(("custodian-reports", "probe"), "connectors.watch_commands"),
    "inbox": "connectors.inbox_command",
    "matches": "connectors.follow_up_commands",
    "tasks": "connectors.task_commands",
    **dict.fromkeys(("night-card", "ownerless", "handover", "coordinated"), "connectors.contact_commands"),
    "consent": "connectors.consent_commands",
    **dict.fromkeys(("exception", "advice"), "connectors.exception_commands"),
    "review": "connectors.review_commands",
    **dict.fromkeys(("request", "answer", "tell"), "connectors.request_commands"),
    **dict.fromkeys(("vocabulary", "organisations"), "connectors.directory_commands"),
    "keys": "connectors.key_commands",
    "webhook": "connectors.webhook_commands",
    **dict.fromkeys(("list", "renew", "withdraw", "resume", "drafts", "receipt"), "connectors.signal_commands"),
}


def command_line(words: Sequence[str]) -> typer.Typer:
    """Return the command line for these words: the part that holds the first of them, or all of it."""
    app = typer.Typer(
        cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
    )
    # With a callback a single command keeps its name.
    app.callback()(partner)
    wanted = [_PARTS[word] for word in words[:1] if word in _PARTS]
    for part in wanted or dict.fromkeys(_PARTS.values()):
        importlib.import_module(part).add_to(app)
    app.command(
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    )(demo)
    return app


def partner() -> None:
    """Hold the commands together; each says itself what it does."""


def demo(context: typer.Context) -> None:
    """Play the demonstration on real processes; `demo --help` tells its options."""
    # Imported when it is asked for: no other command needs it.
    from connectors.demo.cli import app as demo_app  # noqa: PLC0415 - the reason stands above

    demo_app(args=list(context.args), prog_name="sluis-connect demo")


def main() -> None:
    """Run the command line of a partner."""
    # httpx looks for its own command line, and with it a highlighter of five hundred languages; ours needs neither.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # so Python is told
    # Nothing that is loaded is ever freed, so nobody has to look for what could be.
    gc.disable()
    app = command_line(sys.argv[1:])
    gc.freeze()
    gc.enable()
    app()

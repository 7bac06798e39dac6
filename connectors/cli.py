"""`sluis-connect`: what a partner does, from setting up its folder to looking who is involved.

Exit codes: 0 what was asked is done, 1 it is not (refused, not done, or a receipt does not hold), 2 bad input,
3 done, but some rows were rejected. Identifiers are read from files, never from the command line.
"""

import typer

from connectors import case_commands, setup_commands, signal_commands

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
setup_commands.add_to(app)
case_commands.add_to(app)
signal_commands.add_to(app)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def demo(context: typer.Context) -> None:
    """Play the demonstration on real processes; `demo --help` tells its options."""
    # Imported when it is asked for: no other command needs it.
    from connectors.demo.cli import app as demo_app  # noqa: PLC0415 - the reason stands above

    demo_app(args=list(context.args), prog_name="sluis-connect demo")


def main() -> None:
    """Run the command line of a partner."""
    app()

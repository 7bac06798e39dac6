"""How a custodian's command says that something is wrong: one line on standard error, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from audit.errors import NotDurableError
from broker.custodian.errors import CustodianError, StoreError
from broker.protocol.ceremony import CeremonyError
from broker.protocol.errors import ProtocolError, SignatureError
from broker.protocol.refresh import RefreshError

DOES_NOT_HOLD = 1
BAD_INPUT = 2


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what is wrong into one line on standard error and an exit code."""
    try:
        yield
    except SignatureError:
        typer.echo("sluis-custodian: the signatures do not hold; nothing was changed", err=True)
        raise typer.Exit(DOES_NOT_HOLD) from None
    except StoreError:
        typer.echo("sluis-custodian: the store is not available; nothing was changed", err=True)
        raise typer.Exit(DOES_NOT_HOLD) from None
    except (CeremonyError, RefreshError, CustodianError, NotDurableError) as error:
        typer.echo(f"sluis-custodian: {error}", err=True)
        raise typer.Exit(DOES_NOT_HOLD) from None
    except ProtocolError as error:
        typer.echo(f"sluis-custodian: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as error:
        typer.echo(f"sluis-custodian: {error.filename}: {error.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None

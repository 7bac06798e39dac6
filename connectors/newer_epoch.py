"""A refresh of the custodians' shares reaches a partner by itself: an answer under unknown shares makes it look.

The new document counts only when every custodian pinned here has signed it, it is the same epoch, and the key of every
family is the one that is here (`PartnerFolder.import_refresh`), so that who hands it out cannot change what a token is.
A new epoch is a person's to import. Only `complete` is put again, so a batch is paid for once.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeVar

from broker.protocol.epochs import EpochDocument
from broker.protocol.tokens import Identifier
from connectors import evaluation
from connectors.blinding import prepare
from connectors.errors import FolderError, NotDoneError
from connectors.evaluation import Evaluated
from connectors.exchange import Exchange
from connectors.folder import PartnerFolder

PATH = "/v1/epochs"
_UNKNOWN_SHARES = "custodian-wrong-key"
_P = ParamSpec("_P")
_T = TypeVar("_T")
_Asking = Callable[Concatenate[Exchange, PartnerFolder, _P], Awaitable[_T]]


def under_newest_epoch(asking: _Asking[_P, _T]) -> _Asking[_P, _T]:
    """Return the same question, put once more when its answers were under shares that a newer document explains.

    When no newer document holds, the first failure is told.
    """

    async def asked(exchange: Exchange, folder: PartnerFolder, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        under = folder.epoch
        try:
            return await asking(exchange, folder, *args, **kwargs)
        except NotDoneError as failure:
            if failure.problem_id != _UNKNOWN_SHARES or not await take_newer_epoch(exchange, folder, under=under):
                raise
        return await asking(exchange, folder, *args, **kwargs)

    return asked


async def take_newer_epoch(exchange: Exchange, folder: PartnerFolder, *, under: EpochDocument) -> bool:
    """Return whether another document holds here now than the one an answer was verified under.

    Another question, or another process, may have taken it over meanwhile: that is as good.
    """
    for custodian in folder.settings.custodians:
        if folder.epoch != under:
            break
        text = await exchange.fetch(custodian, f"{PATH}/{under.epoch}")
        with suppress(FolderError):
            folder.import_refresh(text or b"")
    return folder.epoch != under


complete = under_newest_epoch(evaluation.complete)
"""What `connectors.evaluation` does, also on the day on which the custodians refreshed their shares."""


async def evaluate(
    exchange: Exchange,
    folder: PartnerFolder,
    identifiers: Sequence[Identifier],
    *,
    operation: str,
    budget_class: str,
    purpose: str,
    worker: str,
) -> Evaluated:
    """Return the tokens of these identifiers with the tickets that cover them. Raises as `prepare` and `complete`."""
    prepared = prepare(
        folder,
        identifiers,
        surroundings=exchange.surroundings,
        operation=operation,
        budget_class=budget_class,
        purpose=purpose,
    )
    return await complete(exchange, folder, prepared, worker=worker)

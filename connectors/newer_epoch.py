"""A refresh of the custodians' shares reaches a partner by itself: an answer under unknown shares makes it look.

The new document counts only when every custodian pinned here has signed it and the key of every family is the one that
is here (`PartnerFolder.import_epoch`), so that who hands it out cannot change what a token is.
"""

from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

from connectors import evaluation
from connectors.errors import FolderError, NotDoneError
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
        try:
            return await asking(exchange, folder, *args, **kwargs)
        except NotDoneError as failure:
            if failure.problem_id != _UNKNOWN_SHARES or not await take_newer_epoch(exchange, folder):
                raise
        return await asking(exchange, folder, *args, **kwargs)

    return asked


async def take_newer_epoch(exchange: Exchange, folder: PartnerFolder) -> bool:
    """Return whether a custodian handed out a document that now holds here."""
    for custodian in folder.settings.custodians:
        text = await exchange.fetch(custodian, PATH)
        if text is None:
            continue
        try:
            folder.import_epoch(text)
        except FolderError:
            continue
        return True
    return False


evaluate = under_newest_epoch(evaluation.evaluate)
complete = under_newest_epoch(evaluation.complete)
"""What `connectors.evaluation` does, also on the day on which the custodians refreshed their shares."""

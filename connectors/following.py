"""Following up what was found: the inbox, own matches, and how far one is with them."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from broker.protocol.inbox_messages import FetchInbox, InboxResult
from broker.protocol.match_messages import (
    AppointCasusregisseur,
    ChangeMatchState,
    MatchesResult,
    ShownMatch,
    TeamRef,
    TellNewReport,
)
from broker.protocol.messages import Command
from broker.protocol.register import Register
from broker.protocol.request_signing import is_id
from connectors.answers import Outcome
from connectors.contacts import Contacts
from connectors.desk import Desk
from connectors.directory import directory
from connectors.errors import CaseError, NotDoneError, ReceiptError
from connectors.match_book import MatchBook
from connectors.notice_book import KeptNotice, NoticeBook
from connectors.stated_proof import StatedProof
from connectors.told_requests import name_of

_MATCHES = "/v1/matches"
_OURS = "wij"
_SIDES = frozenset({_OURS, "zij"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The own team of a match, and the other one."""

    team: str
    to: str
    to_team: str


class Following:
    """What one worker does with notices and matches; `SluisClient.desk` is what it works with."""

    def __init__(self, desk: Desk, *, role: str = "worker") -> None:
        """Work at this desk; `role` is whose notices are fetched, a worker's or the matchcoordinator's."""
        self._desk = desk
        self._role = role
        self._notices = NoticeBook(desk.book, role=role)
        self._shown = MatchBook(desk.book)

    async def fetch(self) -> Outcome:
        """Return one page of what waits, which is kept here before the broker is told so. Call it on a fixed clock.

        It is one page whatever waits: who asks on at once tells everybody who counts entries that something did.

        Raises:
            RefusedError, NotDoneError, ReceiptError: nothing was fetched, and nothing is lost.
        """
        had = self._notices.unconfirmed()
        command = self._desk.composer.statement(FetchInbox, {"had": had}, kind="inbox", path="/v1/inbox", local={})
        outcome = await self._desk.delivery.send(replace(command, role=self._role))
        if isinstance(outcome.details, InboxResult):
            self._notices.keep(outcome.details.notices, confirmed=had, at=self._desk.surroundings.now())
        await self._refresh_cards()
        return outcome

    async def _refresh_cards(self) -> None:
        """The newest signed contact cards are kept; without them those that are here go on.

        On this clock and not when something is shown: whoever watches the line sees the same either way.
        """
        with suppress(NotDoneError):
            Contacts(self._desk.book, self._desk.folder).keep(
                await directory(self._desk), at=self._desk.surroundings.now()
            )

    def unread(self) -> list[KeptNotice]:
        """Return the notices that nobody here has read yet."""
        return self._notices.unread()

    def read(self, *ids: str) -> None:
        """Somebody has read these notices."""
        self._notices.read(ids)

    async def matches(self, *, after: str | None = None) -> Outcome:
        """Return a page of the own matches. Raises RefusedError, NotDoneError, ReceiptError."""
        return await self._read(_MATCHES if after is None else f"{_MATCHES}?after={_checked(after)}")

    async def pages(self, *, after: str | None = None) -> AsyncIterator[Outcome]:
        """Yield every page of the own matches, one at least. Raises as `matches`."""
        page = await self.matches(after=after)
        yield page
        while isinstance(page.details, MatchesResult) and page.details.more_after is not None:
            page = await self.matches(after=page.details.more_after)
            yield page

    async def open(self, match_id: str) -> Outcome:
        """Return one own match, which is read from then on. Raises RefusedError: there is none for us."""
        return await self._read(f"{_MATCHES}/{_checked(match_id)}")

    async def sides(self, match_id: str) -> Sides:
        """Return between which two teams a letter about this own match goes; it is read from then on.

        Raises:
            CaseError: no worker here was shown this match, so that nobody knows to whom it goes.
            RefusedError: there is none for us. ReceiptError: the broker tells of another one, or of another team.
        """
        self._shown.check_shown(_checked(match_id))
        match = await self._opened(match_id)
        return Sides(team=match.team, to=match.involved.holder.oin, to_team=match.involved.holder.team)

    async def change(self, match_id: str, state: str) -> Outcome:
        """Return once the own side is so far.

        Args:
            state: `contact_gehad`, `werken_al_samen` (no more notices of that team on this household),
                `afspraken_gemaakt`, or after one of these `klaar`.

        Raises:
            RefusedError: another team's match, a closed one, or `klaar` before any contact. NotDoneError.
        """
        return await self._state(match_id, "state", ChangeMatchState, {"state": state})

    async def shown(self, match_id: str) -> ShownMatch:
        """Return one own match with who leads the plan, if anybody does; it is read from then on.

        Raises:
            RefusedError: there is none for us. ReceiptError: the broker tells of another one.
        """
        return await self._opened(match_id)

    def side(self, match: ShownMatch, who: str, *, team: str | None) -> TeamRef:
        """Return the team that is meant.

        Args:
            who: `wij` or `zij`, of the two teams of the match; else an organisation's number, with `team`.

        Raises:
            CaseError: a team beside `wij` or `zij`, or a number without one.
        """
        if (who in _SIDES) != (team is None):
            raise CaseError("team", "must follow an organisation's number, and nothing else")
        if team is not None:
            return TeamRef.model_construct(organisation=who, team=team)
        if who == _OURS:
            return TeamRef(organisation=self._desk.folder.settings.oin, team=match.team)
        return TeamRef(organisation=match.involved.holder.oin, team=match.involved.holder.team)

    async def appoint(self, match_id: str, *, organisation: str, team: str, was: TeamRef | None) -> Outcome:
        """Return once this team of the match is casusregisseur; its team has a notice, and so has the one it replaces.

        Args:
            was: who led the plan where the worker looked (`shown`), None when nobody did.

        Raises:
            RefusedError: it is not one of the two, or somebody else leads the plan meanwhile.
        """
        replaced = None if was is None else {"organisation": was.organisation, "team": was.team}
        members = {"organisation": organisation, "team": team, "was": replaced}
        return await self._state(match_id, "casusregisseur", AppointCasusregisseur, members)

    async def tell_new_report(self, match_id: str, *, proof: StatedProof) -> Outcome:
        """Return once the casusregisseur's team has notice that a new police report came in.

        Args:
            proof: the report, a `melding`; of its number only an HMAC under the own key leaves.

        Raises:
            RefusedError: not allowed here, or no other team leads the plan. NotDoneError.
        """
        members = proof.members(self._desk.folder.case_ref_key.mac)
        return await self._state(match_id, "new-reports", TellNewReport, {"proof": members})

    async def _read(self, path: str) -> Outcome:
        """Return what is told of own matches, with the names that the own register has, and between whom they stay."""
        outcome = await self._desk.delivery.read(path, worker=self._desk.composer.worker)
        if not isinstance(outcome.details, MatchesResult):
            return outcome
        self._shown.keep(outcome.details.found)
        register = self._desk.folder.register
        return replace(outcome, details=outcome.details.model_copy(
            update={"found": [_named(one, register) for one in outcome.details.found]}
        ))  # fmt: skip

    async def _opened(self, match_id: str) -> ShownMatch:
        details = (await self.open(match_id)).details
        found = details.found if isinstance(details, MatchesResult) else []
        if [match.match_id for match in found] != [match_id]:
            raise ReceiptError("one match")
        return found[0]

    async def _state(self, match_id: str, act: str, model: type[Command], members: dict[str, Any]) -> Outcome:
        command = self._desk.composer.statement(
            model, members, kind="match", path=f"{_MATCHES}/{_checked(match_id)}/{act}", local={}
        )
        return await self._desk.delivery.send(command)


def _named(one: ShownMatch, register: Register) -> ShownMatch:
    """Return a match with the name that the own register has of the other side, whatever it was called."""
    holder = one.involved.holder
    holder = holder.model_copy(update={"name": name_of(holder.oin, register)})
    return one.model_copy(update={"involved": one.involved.model_copy(update={"holder": holder})})


def _checked(match_id: str) -> str:
    if not is_id(match_id):
        raise CaseError("match", "must be 32 lower-case hex characters")
    return match_id

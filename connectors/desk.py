"""What a worker's client works with, and the two ways in which tokens come into a command."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from broker.protocol.grant import Grant
from broker.protocol.own_ids import CHANCE_BYTES, own_id
from connectors.answers import Outcome
from connectors.blinding import prepare
from connectors.casebook import Casebook
from connectors.cases import Case
from connectors.composing import Asking, Composer
from connectors.delivery import Delivery
from connectors.errors import CaseMismatchError
from connectors.exchange import Exchange, Surroundings
from connectors.folder import PartnerFolder
from connectors.household import Asked, to_check, without_tokens
from connectors.look_later import note_to_look
from connectors.newer_epoch import evaluate

_BUDGETS = {"oproep": "check"}
"""Which budget an operation takes from, where it has none of its own name (D2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The open folder of one worker: what composes, what sends, and where it is kept."""

    folder: PartnerFolder
    exchange: Exchange
    surroundings: Surroundings
    composer: Composer
    delivery: Delivery
    book: Casebook
    urgent: bool

    def new_own_id(self) -> str:
        """Return an unused id of this organisation's making, for what it shares with another."""
        chance = bytes.fromhex(self.surroundings.new_id())[:CHANCE_BYTES]
        return own_id(self.folder.settings.oin, chance)

    async def import_row(
        self,
        case: Case,
        asked: Asked,
        asking: Asking,
        grant: Grant,
        *,
        ends_on: datetime.date | None,
        families: Sequence[str],
    ) -> Outcome:
        """Return the outcome of an import; the whole command is durable before a custodian is asked and charges."""
        command = self.composer.registration(case, without_tokens(asked), asking, ends_on=ends_on)
        batch = prepare(
            self.folder,
            asked.identifiers,
            surroundings=self.surroundings,
            operation="register",
            budget_class="import",
            purpose=asking.purpose,
            grant=grant.id,
        )
        team = command.body["team"]
        note = note_to_look(case, purpose=asking.purpose, grounds=asking.grounds, team=team, families=families)
        prepared = replace(command, evaluation=batch.body, blinding=batch.blinding, grant=grant.id)
        return await self.delivery.send(replace(prepared, local={**command.local, "look": note}))

    async def check(self, case: Case, asking: Asking, *, families: Sequence[str], look: str | None = None) -> Outcome:
        """Return who else is involved, asked in as many messages as it takes. Raises as `SluisClient.check`."""
        self.check_same_person(case)
        questions = to_check(case, families, exclusion=self.folder.without_excluded)
        # Every part has its tokens before any of them leaves; together they are one group.
        evaluated = [await self.evaluated(asked, "check", asking.purpose) for asked in questions]
        group, parts = self.surroundings.new_id(), []
        for place, (household, body, tickets) in enumerate(evaluated, start=1):
            command = self.composer.question(case, household, asking)
            local = command.local if look is None else {**command.local, "look": look}
            part = replace(command, group=group, part=place, parts=len(evaluated), local=local)
            parts.append(replace(part, evaluation=body, tickets=tickets))
        return await self.delivery.send(*parts)

    async def evaluated(
        self, asked: Asked, operation: str, purpose: str
    ) -> tuple[dict[str, Any], str, tuple[str, ...]]:
        """Return the household with its tokens, the body the custodians got, and their tickets. Raises NotDoneError."""
        evaluated = await evaluate(
            self.exchange,
            self.folder,
            asked.identifiers,
            operation=operation,
            budget_class="urgent" if self.urgent else _BUDGETS.get(operation, operation),
            purpose=purpose,
            worker=self.composer.worker,
        )
        return asked.placed(evaluated.tokens), evaluated.body, evaluated.tickets

    def check_same_person(self, case: Case) -> None:
        """Stop a wrong number before anything leaves: the case record says whom the case is about (T27)."""
        known = None if case.case_ref is None else self.book.person_of(case.case_ref)
        mac = self.composer.person_mac(case)
        if known is not None and mac is not None and known.hex() != mac:
            raise CaseMismatchError("bsn", "must be that of the organisation's own case")

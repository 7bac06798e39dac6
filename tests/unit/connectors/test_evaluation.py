import datetime
import secrets
from dataclasses import replace

import pytest

from broker.protocol.epochs import EpochDocument
from broker.protocol.families import Family
from broker.protocol.identifiers import Bsn, nlbsn
from connectors.casebook import Casebook
from connectors.cases import MAX_RELATIVES, Case, Parent
from connectors.dates import PartialDate, age_quarter
from connectors.errors import CaseError, NotDoneError
from connectors.exchange import Exchange, Surroundings
from connectors.newer_epoch import evaluate
from tests.simulators.custodian import BROKER, CUSTODIANS
from tests.simulators.gba_v import official_number
from tests.simulators.partner_world import PartnerWorld, altered, down, signed_epoch
from tests.unit.connectors.cases_by_hand import ASKED, CHILD, MOTHER, child


async def test_a_word_that_breaks_a_rule_never_leaves(world: PartnerWorld) -> None:
    """A purpose that is no word is named before anything is sent."""
    async with world.client("gi") as gi:
        with pytest.raises(CaseError, match="purpose"):
            await gi.check(child(), purpose="twee woorden", grounds=["G"], team="team-1")
    assert world.network.sent == []


async def test_a_batch_holds_at_most_32_of_a_kind(world: PartnerWorld) -> None:
    """More identifiers of one kind than the largest batch are refused, not cut off."""
    numbers = [nlbsn(Bsn.parse(official_number(place))) for place in range(33)]
    async with Exchange(world.folders["gi"], world.surroundings) as exchange:
        with pytest.raises(CaseError, match="at most 32"):
            await evaluate(
                exchange,
                world.folders["gi"],
                numbers,
                operation="check",
                budget_class="check",
                purpose="proefregio",
                worker="anna",
            )
    assert world.network.sent == []


async def test_a_family_without_a_key_is_not_asked_for(world: PartnerWorld) -> None:
    """Where an epoch has no key for a family the case is refused before anything is sent."""
    folder = world.folders["gi"]
    kept = tuple(one for one in folder.epoch.descriptors if one.family is not Family.ADDR)
    folder.path.joinpath("epochs.json").write_bytes(
        signed_epoch(EpochDocument(epoch=folder.epoch.epoch, descriptors=kept))
    )
    async with world.client("gi") as gi:
        with pytest.raises(CaseError, match="no key in this epoch"):
            await gi.check(child(), **ASKED)
    assert world.network.sent == []


@pytest.mark.parametrize("ticket", ["", "a.b", "a.!.c"])
async def test_a_ticket_that_is_none_is_noticed_here(world: PartnerWorld, ticket: str) -> None:
    """A malformed ticket stops the command before the broker hears of it."""
    world.network.faults[CUSTODIANS[0]] = [altered(lambda members: members.update(ticket=ticket))]
    async with world.client("gi") as gi:
        with pytest.raises(NotDoneError, match="custodian-wrong-key"):
            await gi.check(child(), **ASKED)
    assert world.broker.bodies == []


async def test_each_family_is_answered_once(world: PartnerWorld) -> None:
    """A family answered twice, or not at all, is not used."""
    for change in (lambda m: m["families"].append(m["families"][0]), lambda m: m["families"].clear()):
        world.network.faults[CUSTODIANS[0]] = [altered(change)]
        async with world.client("gi") as gi:
            with pytest.raises(NotDoneError, match="custodian-wrong-key"):
                await gi.check(child(), **ASKED)


async def test_a_command_without_tokens_is_resumed_too(world: PartnerWorld) -> None:
    """A withdrawal that never arrived is sent again as it was."""
    async with world.client("gi") as gi:
        signal_id = (await gi.register(child(), **ASKED)).signal_id or ""
        world.network.faults[BROKER] = [down]
        with pytest.raises(NotDoneError):
            await gi.withdraw(signal_id, reason="mistake")
        assert [outcome.outcome for outcome in (await gi.resume()).outcomes] == ["done"]
    assert world.broker.signals[0].state == "withdrawn"


def test_the_casebook_keeps_all_of_a_change_or_nothing(world: PartnerWorld) -> None:
    """A change that breaks off half-way leaves the book as it was."""
    with world.folders["gi"].casebook() as book:
        before = book.workers()
        with pytest.raises(LookupError):
            _break_off(book)
        assert book.workers() == before
        assert isinstance(book, Casebook)


def test_a_case_has_no_more_relatives_than_a_person(world: PartnerWorld) -> None:
    """More than two parents, or a hundred members, is a mistake in the source, and is said."""
    del world
    bsns = [Bsn.parse(official_number(place)) for place in range(MAX_RELATIVES + 1)]
    for change in ({"parents": tuple(Parent(bsn=bsn, source="brp") for bsn in bsns[:3])}, {"members": tuple(bsns)}):
        with pytest.raises(CaseError, match="at most"):
            replace(Case(row="1", subject=CHILD), **change)
    assert repr(Case(row="7", subject=MOTHER)) == "Case(row='7', redacted)"


@pytest.mark.parametrize(
    ("birth", "quarter"),
    [
        ("20040229", datetime.date(2027, 1, 1)),
        ("20040401", datetime.date(2027, 4, 1)),
        ("20041231", datetime.date(2027, 10, 1)),
        ("20040000", datetime.date(2027, 1, 1)),
        ("20040700", datetime.date(2027, 7, 1)),
        ("00000000", None),
    ],
)
def test_unknown_parts_of_a_birth_date_never_lengthen_a_signal(birth: str, quarter: datetime.date | None) -> None:
    """The quarter of the 23rd birthday is that of the earliest day it can be; without a year there is none."""
    date = PartialDate.parse(birth, field="birth_date")
    assert age_quarter(date) == quarter
    assert birth[:4] not in repr(date)


def test_surroundings_give_fresh_ids() -> None:
    """Ids are 32 hexadecimal characters from sixteen random bytes, and never the same."""
    surroundings = Surroundings(random=secrets.token_bytes)
    assert len({surroundings.new_id() for _ in range(100)}) == 100


def _break_off(book: Casebook) -> None:
    """Change the book and fail before the end."""
    with book.transaction() as database:
        database.execute("DELETE FROM worker")
        raise LookupError

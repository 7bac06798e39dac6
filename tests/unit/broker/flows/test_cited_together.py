"""An act that cites a consent and an exception has both, each the own organisation's, of one worker at one moment."""

import pytest

from broker.domain.errors import FieldRuleError, NotFoundError
from broker.flows.citing import Cited, cited_by
from broker.flows.policy import PolicyInForce
from broker.ports import OwnSignal
from tests.property.broker.test_consents import HOLDER, OTHER
from tests.simulators.proposals import a_signal, an_index
from tests.unit.broker.flows.test_citing_facts import CONSENTS, EXCEPTION, EXCEPTIONS, GIVEN, ON_EXCEPTION, OWN


async def cites(
    policy: PolicyInForce, consent_id: str | None, exception_id: str | None, *, grounds: tuple[str, ...] = ("TOEST",),
    by: str = OWN,
) -> Cited:  # fmt: skip
    """Return what an act of this organisation cites."""
    return await cited_by(
        consent_id, exception_id, organisation=by, worker="x", at=9, grounds=grounds, policy=policy, consents=CONSENTS,
        exceptions=EXCEPTIONS,
    )  # fmt: skip


async def test_both_are_what_stands_under_their_ids(policy: PolicyInForce) -> None:
    """The record and the exception themselves, by this worker at this moment; nothing where nothing is cited."""
    both = await cites(policy, "c", "e")
    assert both.consent is not None
    assert both.exception is not None
    assert (both.consent.own.consent, both.consent.alone) == (GIVEN, True)
    assert (both.exception.own.record, both.exception.worker, both.exception.at) == (EXCEPTION, "x", 9)
    assert await cites(policy, None, None) == Cited()
    assert (await cites(policy, "c", None)).exception is None
    assert (await cites(policy, None, "e")).consent is None


async def test_an_exception_opens_nothing_before_it_is_said_about_whom(policy: PolicyInForce) -> None:
    """What a letter names is said of what it cites: its own signal, those of its match, or none; a consent stays."""
    both = await cites(policy, "c", "e")
    assert both.known(ON_EXCEPTION, other=HOLDER).dossier == "none"
    signal = OwnSignal(signal=a_signal("s"), stamps=(), subject=an_index("trudy"))
    for about, signals in (
        (both.about(["a", "b"]), frozenset({"a", "b"})),
        (both.about_own(signal), frozenset({signal.signal.id})),
        (both.about_own(None), frozenset()),
    ):
        assert about.exception is not None
        assert about.exception.signals == signals
        assert about.consent == both.consent
        assert (about.exception.own, about.exception.worker, about.exception.at) == (
            both.exception and both.exception.own, "x", 9,
        )  # fmt: skip
    alone = await cites(policy, "c", None)
    assert alone.about(["a"]) == alone.about_own(None) == alone


async def test_either_that_is_not_there_is_not_there(policy: PolicyInForce) -> None:
    """Another organisation's, or a consent beside grounds without it: refused as by itself."""
    for consent_id, exception_id in (("c", None), (None, "e")):
        with pytest.raises(NotFoundError):
            await cites(policy, consent_id, exception_id, by=OTHER)
    with pytest.raises(FieldRuleError):
        await cites(policy, "c", "e", grounds=("CVP",))

"""The register of organisations and the rosters of their workers."""

import json
from typing import Any

import pytest

from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.register import BUDGET_CLASSES, Register
from broker.protocol.signed_document import SignedDocument
from tests.simulators.custodian import REGISTRARS, SimulatedPartner, budget_classes, register_text, seeded_key

PINNED = {key.public.kid: key.public for key in REGISTRARS}
FIRST = SimulatedPartner()
SMALL, NEGATIVE = {"capacity": 1, "perDay": 1}, {"capacity": -1, "perDay": 1}
ENDLESS = {"capacity": 1, "perDay": 10**8}
SECOND = SimulatedPartner(oin="00000001001234560002", parent_org=FIRST.oin, budgets=budget_classes(worker=7))


def document(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any wrong value
    """Return the document of a register that holds, but for the changes."""
    made: dict[str, Any] = json.loads(register_text([FIRST, SECOND]))["document"]
    return {**made, **changes}


def organisation(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any wrong value
    """Return a register whose first organisation has other members."""
    made = document()
    made["organisations"][0] |= changes
    return made


def draft(members: dict[str, Any]) -> Register:
    """Return the register of this document, its signatures not checked."""
    return Register.draft(SignedDocument(document=members, signatures=()))


def test_a_register_holds_with_two_registrars() -> None:
    """Two pinned registrars make it valid, one does not."""
    register = Register.read(register_text([FIRST, SECOND], number=4), registrars=PINNED)
    assert (register.number, set(register.organisations)) == (4, {FIRST.oin, SECOND.oin})
    with pytest.raises(SignatureError):
        Register.read(register_text([FIRST], signers=REGISTRARS[:1]), registrars=PINNED)
    with pytest.raises(SignatureError):
        Register.read(register_text([FIRST], signers=[REGISTRARS[0], seeded_key("x")]), registrars=PINNED)


def test_an_organisation_comes_back_as_it_was_stated() -> None:
    """Parsing and writing an organisation change nothing, sealing keys and budgets included."""
    sealing = [{"kid": "s1", "x25519": "A" * 43}]
    members = organisation(sealingKeys=sealing, simulatedBsnRight=True, status="suspended")
    register = draft(members)
    stated = [item.document() for item in register.organisations.values()]
    assert stated == members["organisations"]
    assert not register.organisations[FIRST.oin].active
    assert register.organisations[SECOND.oin].active


def test_an_organisation_uses_its_own_sizes_or_the_registers() -> None:
    """Budgets of its own replace the register's, class by class as written."""
    register = draft(document())
    assert register.budget(FIRST.oin, "check").worker.capacity == 60
    assert register.budget(SECOND.oin, "check").worker.capacity == 7


def test_a_key_belongs_to_its_organisation() -> None:
    """A signing key is found under its organisation and kid only; a suspended organisation keeps its own."""
    register = draft(organisation(status="suspended"))
    kid = FIRST.key.public.kid
    assert register.signing_key(FIRST.oin, kid) == FIRST.key.public
    assert register.signing_key(SECOND.oin, kid) is None
    assert register.signing_key("0" * 20, kid) is None


@pytest.mark.parametrize(
    "members",
    [
        document(number=0),
        document(number=True),
        document(more=1),
        document(schema="register/v1", organisations={}),
        document(organisations=[1]),
        document(organisations=document()["organisations"] * 2),
        document(budgetClasses={}),
        document(budgetClasses={**document()["budgetClasses"], "unlimited": {}}),
        document(budgetClasses={name: {"worker": None, "organisation": None} for name in BUDGET_CLASSES}),
        document(budgetClasses={name: {"worker": SMALL, "organisation": ENDLESS} for name in BUDGET_CLASSES}),
        document(budgetClasses={name: {"worker": NEGATIVE, "organisation": SMALL} for name in BUDGET_CLASSES}),
        organisation(oin="1"),
        organisation(name=""),
        organisation(orgClass="bank"),
        organisation(status="gone"),
        organisation(parentOrg="x"),
        organisation(signingKeys=[{}]),
        organisation(signingKeys=[SECOND.key.public.jwk()]),
        organisation(sealingKeys=[{"kid": "a", "x25519": "AA"}]),
        organisation(sealingKeys=["a"]),
        organisation(families=["iban"]),
        organisation(families=["nlbsn", "nlbsn"]),
        organisation(simulatedBsnRight=1),
        organisation(workerCap=0),
        organisation(budgets={}),
        organisation(more=1),
    ],
)
def test_a_register_that_breaks_a_rule_is_refused(members: dict[str, Any]) -> None:
    """Every organisation once, every key of one organisation, no budget without a limit, nothing unknown."""
    with pytest.raises(MalformedError):
        draft(members)

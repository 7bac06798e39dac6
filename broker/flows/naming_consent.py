"""What a record of consent may name: known data, other organisations, an age, and what the resident gets of it (D5)."""

from datetime import date, timedelta

from broker.domain.consent_rules import check_age, check_stated
from broker.domain.errors import FieldRuleError
from broker.flows.policy import PolicyInForce
from broker.protocol.consent_messages import RecordConsent
from broker.protocol.register import Organisation, Register
from broker.protocol.request_signing import SKEW_S

LONGEST_UNSAFE_DAYS = 90


def check_named(
    command: RecordConsent, organisation: Organisation, register: Register, policy: PolicyInForce, *, today: date,
    now: int,
) -> None:  # fmt: skip
    """Hold only for known data, known other organisations, and a confirmation that is given or put off for a while.

    Nor for what was stated later than now.

    Raises:
        FieldRuleError
    """
    check_stated(command.stated_at, latest=now + SKEW_S)
    if not set(command.categories) <= policy.bundle.vocabulary["cat"]:
        raise FieldRuleError("categories", "name data that no document knows")
    if organisation.oin in command.parties:
        raise FieldRuleError("parties", "name the organisation itself")
    if not set(command.parties) <= set(register.organisations):
        raise FieldRuleError("parties", "name an organisation that is not in the register")
    if command.subject is not None and command.signal_id is not None:
        raise FieldRuleError("signalId", "stands beside a token")
    check_age(command.age, command.age_ends_on, today=today)
    latest = today + timedelta(days=LONGEST_UNSAFE_DAYS)
    put_off = command.review_on is not None and today <= command.review_on <= latest
    if put_off is not (command.confirmation == "unsafe"):
        raise FieldRuleError("reviewOn", "is there exactly where a confirmation is unsafe, within 90 days")

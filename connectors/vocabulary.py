"""The words that a worker types, as the policy in force has them: what each means, and who may use it for what."""

from collections.abc import Iterator, Sequence

from broker.protocol.policy_messages import Allowed, Vocabulary
from connectors.desk import Desk
from connectors.errors import CaseError
from connectors.handed_out import handed_out

ANYBODY = "*"
OPERATIONS_NL = {
    "register": "een signaal afgeven (register)",
    "check": "kijken wie betrokken is (check)",
    "call": "een oproep versturen (oproep)",
    "request": "vragen (request send, bel nu)",
    "share": "vertellen of antwoorden (tell, answer, bel nu --tell)",
    "shield": "een signaal afschermen (register --shield)",
}
STANDINGS_NL = {
    "own_signal": "met een eigen signaal",
    "consent": "met toestemming",
    "statutory_reference": "met een bewijs",
}
APPROVED_NL = "een collega keurt het goed (--approver)"
LEVELS_NL = {1: "dat er iemand betrokken is", 2: "wie en hoe te bereiken", 3: "aard en periode", 4: "inhoud"}


async def vocabulary(desk: Desk, *, role: str) -> Vocabulary:
    """Return the words of the policy in force. Raises NotDoneError: they could not be had."""
    return await handed_out(desk, "/v1/vocabulary", Vocabulary, role=role)


def own_rows(words: Vocabulary, org_class: str, purpose: str | None = None) -> list[Allowed]:
    """Return what the table lets organisations of this class do, for one purpose where one is named."""
    return [
        row
        for row in words.allowed
        if (org_class in row.classes or ANYBODY in row.classes) and purpose in (None, row.purpose)
    ]


def purposes_of(words: Vocabulary, org_class: str) -> Iterator[str]:
    """Give every purpose for which such an organisation may do something, with what it is."""
    usable = {row.purpose for row in own_rows(words, org_class)}
    return (f"{one}  {meant}" for one, meant in words.purposes.items() if one in usable)


def one_purpose(words: Vocabulary, rows: Sequence[Allowed], purpose: str) -> list[str]:
    """Return what these rows let one do for a purpose, and on what, in lines. Raises CaseError: none such."""
    if purpose not in words.purposes:
        raise CaseError("purpose", f"must be one of {', '.join(words.purposes)}")
    lines = [f"{purpose}  {words.purposes[purpose]}"]
    for row in rows:
        lines += [line for operation in row.operations for line in _told(row, operation, words)]
    return lines if rows else [*lines, "Hiervoor mag jouw organisatie niets: alleen antwoorden als een ander vraagt."]


def others(words: Vocabulary) -> Iterator[str]:
    """Give the words that go with every purpose: kinds of data, levels and kinds of proof."""
    yield "Soorten gegevens (--category):"
    yield from (f"  {one}  {meant}" for one, meant in words.categories.items())
    yield "Niveaus (--level):"
    yield from (f"  {level}  {meant}" for level, meant in LEVELS_NL.items())
    yield "Bewijzen (--proof):"
    yield from (f"  {one}  {meant}" for one, meant in words.proofs.items())


def _told(row: Allowed, operation: str, words: Vocabulary) -> Sequence[str]:
    """Return what one row says of one thing to do: on what proof, and on which grounds."""
    needs = [STANDINGS_NL[one] for one in row.standings if one in STANDINGS_NL]
    proofs = [one for one in row.proofs if one in words.proofs]
    needs = [f"{one}: {' of '.join(proofs)}" if one == STANDINGS_NL["statutory_reference"] else one for one in needs]
    parts = [OPERATIONS_NL.get(operation, operation), " of ".join(needs), APPROVED_NL if row.approval else ""]
    cited = [f"    --ground {one}  {words.grounds.get(one, '').partition('. ')[0]}" for one in row.grounds]
    return [f"  {'; '.join(part for part in parts if part)}", *cited]

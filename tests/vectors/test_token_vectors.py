"""The published token vectors, run against both libraries; another implementation may run the same file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.protocol import errors, ristretto, voprf
from broker.protocol.ceremony import Commitment, Opening, Place, finish
from broker.protocol.epochs import EpochDescriptor, SecretShare
from broker.protocol.families import Family
from broker.protocol.ristretto import Group, Point, Scalar
from broker.protocol.tokens import (
    Blinded,
    BlindState,
    Evaluation,
    Identifier,
    blind,
    evaluate_batch,
    verify_and_combine,
)
from broker.protocol.voprf import Mode, Statement

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("tokens.json").read_text("utf-8"))
ERRORS = {
    error.__name__: error
    for error in (voprf.ProofError, voprf.BatchError, ristretto.InvalidPointError, ristretto.InvalidScalarError)
}
UNHEX = bytes.fromhex


def named(section: str) -> pytest.MarkDecorator:
    """Return a parametrisation over the cases of one section."""
    cases = VECTORS[section]
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


def fixed(value: bytes) -> Callable[[int], bytes]:
    """Return a source whose 64 bytes reduce to the given scalar."""
    return lambda size: value.ljust(size, b"\x00")


@pytest.fixture(params=["system", "bundled"], autouse=True)
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every vector on the system's libsodium and on the one in rbcl."""
    opened: Group = {"system": ristretto.system_group, "bundled": ristretto.bundled_group}[request.param]()
    for module in ("ceremony", "epochs", "ristretto", "tokens", "voprf"):
        monkeypatch.setattr(f"broker.protocol.{module}.group", lambda: opened)


def statement_of(case: dict[str, Any]) -> Statement:
    """Return the statement of a vector."""
    return Statement(
        public=Point(UNHEX(case["publicKey"])),
        points=[Point(UNHEX(point)) for point in case["points"]],
        answers=[Point(UNHEX(answer)) for answer in case["answers"]],
    )


@named("rfc9497")
def test_rfc_vectors_come_out_byte_for_byte(case: dict[str, Any]) -> None:
    """Key, blinded points, answers and outputs of RFC 9497 modes 0 and 1 come out as published."""
    mode = Mode(case["mode"])
    key = voprf.derive_key(UNHEX(case["seed"]), UNHEX(case["keyInfo"]), mode)
    factors = [Scalar(UNHEX(factor)) for factor in case["blinds"]]
    inputs = [UNHEX(message) for message in case["inputs"]]

    blinded = [voprf.blind(message, factor, mode) for message, factor in zip(inputs, factors, strict=True)]
    answers = voprf.evaluate(key, blinded)
    points = [voprf.unblind(factor, answer) for factor, answer in zip(factors, answers, strict=True)]
    outputs = [voprf.finalize(message, point) for message, point in zip(inputs, points, strict=True)]

    assert key.hex() == case["secretKey"]
    assert [point.hex() for point in blinded] == case["blinded"]
    assert [answer.hex() for answer in answers] == case["evaluated"]
    assert [output.hex() for output in outputs] == case["outputs"]


@pytest.mark.parametrize(
    "case", [case for case in VECTORS["rfc9497"] if case["mode"] == 1], ids=lambda case: case["name"]
)
def test_rfc_proofs_come_out_byte_for_byte(case: dict[str, Any]) -> None:
    """The proofs of RFC 9497 mode 1 are made as published, by the custodian's own code, and verify."""
    share = SecretShare(UNHEX(case["secretKey"]))
    made = evaluate_batch(share, [UNHEX(point) for point in case["blinded"]], fixed(UNHEX(case["proofNonce"])))

    assert share.public.hex() == case["publicKey"]
    assert [answer.hex() for answer in made.answers] == case["evaluated"]
    assert made.proof.hex() == case["proof"]
    voprf.verify(made.proof, statement_of({**case, "points": case["blinded"], "answers": case["evaluated"]}))


@named("statements")
def test_proofs_hold_only_for_their_statement(case: dict[str, Any]) -> None:
    """A proof holds for its own key, points, answers and order, and for nothing else."""
    if case["expect"] == "valid":
        voprf.verify(UNHEX(case["proof"]), statement_of(case))
        return
    with pytest.raises(ERRORS[case["expect"]]):
        voprf.verify(UNHEX(case["proof"]), statement_of(case))


@named("points")
def test_only_canonical_points_are_read(case: dict[str, Any]) -> None:
    """One point has one serialisation, and the identity is no point on the wire."""
    raw = UNHEX(case["point"])
    if case["expect"] == "valid":
        assert ristretto.group().parse_point(raw) == raw
        return
    with pytest.raises(ERRORS[case["expect"]]):
        ristretto.group().parse_point(raw)


@named("scalars")
def test_only_canonical_scalars_are_read(case: dict[str, Any]) -> None:
    """A key or half of a proof is 1 to the order less one, in one serialisation."""
    raw = UNHEX(case["scalar"])
    if case["expect"] == "valid":
        assert ristretto.group().parse_scalar(raw) == raw
        return
    with pytest.raises(ERRORS[case["expect"]]):
        ristretto.group().parse_scalar(raw)


@named("split")
def test_a_split_key_gives_the_published_tokens(case: dict[str, Any]) -> None:
    """Blinding, both custodians' answers and proofs, and the tokens come out as published."""
    family = Family(case["family"])
    descriptor = EpochDescriptor.from_mapping(case["descriptor"])
    blinds = [
        blind(Identifier(family, UNHEX(identifier)), fixed(UNHEX(factor)))
        for identifier, factor in zip(case["identifiers"], case["blinds"], strict=True)
    ]
    points = [Point(UNHEX(point)) for point in case["points"]]
    evaluations = {
        name: evaluate_batch(SecretShare(UNHEX(party["share"])), points, fixed(UNHEX(party["proofRandom"])))
        for name, party in case["custodians"].items()
    }
    tokens = verify_and_combine(blinds, evaluations, descriptor, padding=points[len(blinds) :])

    assert [item.point for item in blinds] == points[: len(blinds)]
    for name, party in case["custodians"].items():
        assert [answer.hex() for answer in evaluations[name].answers] == party["answers"]
        assert evaluations[name].proof.hex() == party["proof"]
    assert [token.reveal().hex() for token in tokens] == case["tokens"]


@named("split")
def test_published_answers_verify_without_the_shares(case: dict[str, Any]) -> None:
    """A client that knows only what travels, and its own blinding factors, gets the published tokens."""
    family = Family(case["family"])
    points = [Point(UNHEX(point)) for point in case["points"]]
    blinds = [
        Blinded(family=family, point=point, state=BlindState(UNHEX(factor)))
        for point, factor in zip(points, case["blinds"], strict=False)
    ]
    evaluations = {
        name: Evaluation(
            answers=tuple(Point(UNHEX(answer)) for answer in party["answers"]), proof=UNHEX(party["proof"])
        )
        for name, party in case["custodians"].items()
    }
    tokens = verify_and_combine(
        blinds, evaluations, EpochDescriptor.from_mapping(case["descriptor"]), padding=points[len(blinds) :]
    )
    assert [token.reveal().hex() for token in tokens] == case["tokens"]


@named("descriptors")
def test_descriptors_are_read_strictly(case: dict[str, Any]) -> None:
    """A descriptor that breaks one rule is refused whole; a good one gives the published public key."""
    if case["expect"] == "refused":
        with pytest.raises(errors.MalformedError):
            EpochDescriptor.from_mapping(case["descriptor"])
        return
    descriptor = EpochDescriptor.from_mapping(case["descriptor"])
    assert descriptor.public_key.hex() == case["publicKey"]
    assert descriptor.to_mapping() == case["descriptor"]
    assert descriptor.canonical().decode() == case.get("canonical", descriptor.canonical().decode())
    assert EpochDescriptor.parse(descriptor.canonical()) == descriptor


@named("ceremonies")
def test_a_ceremony_makes_the_published_descriptor(case: dict[str, Any]) -> None:
    """The commitments and openings of a ceremony make one descriptor, and belong to the shares."""
    commitments = [Commitment.parse(item) for item in case["commitments"]]
    openings = [Opening.parse(item) for item in case["openings"]]

    assert finish(commitments, openings).to_mapping() == case["descriptor"]
    assert [item.to_mapping() for item in commitments] == case["commitments"]
    assert [item.to_mapping() for item in openings] == case["openings"]
    for opening in openings:
        assert SecretShare(UNHEX(case["shares"][opening.place.custodian])).public == opening.public_share
        assert opening.place == Place(custodian=opening.place.custodian, epoch=1, family=Family.NLBSN)


def test_every_error_class_of_the_vectors_is_used() -> None:
    """The vectors hold at least one case for every refusal they can name."""
    named_errors = {case["expect"] for section in ("statements", "points", "scalars") for case in VECTORS[section]}
    assert named_errors == {"valid", *ERRORS}

"""Documents that several people sign."""

import json
from typing import Any

import pytest

from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey

A, B, C = (SigningKey.from_seed(bytes([at]) * 32) for at in range(3))
DOCUMENT = {"schema": "register/v1", "b": [1, None], "a": "é"}
PINNED = {"a": A.public, "b": B.public}


def signed(*signers: tuple[str, SigningKey], document: dict[str, Any] | None = None) -> SignedDocument:
    """Return a document with these signatures."""
    made = SignedDocument(document=document or DOCUMENT, signatures=())
    for name, key in signers:
        made = made.with_signature(name, key)
    return made


def test_a_document_comes_back_with_its_signatures() -> None:
    """Encoding and parsing change nothing, whatever the order of members was."""
    made = signed(("a", A), ("b", B))
    assert SignedDocument.parse(made.encode(), schema="register/v1") == made
    shuffled = json.dumps(dict(reversed(json.loads(made.encode()).items())), indent=3)
    SignedDocument.parse(shuffled, schema="register/v1").require(PINNED, at_least=2)


def test_two_different_signers_are_two() -> None:
    """Signatures count by key: two of those pinned, whoever else signed."""
    signed(("a", A), ("b", B)).require(PINNED, at_least=2)
    signed(("a", A), ("b", B), ("stranger", C)).require(PINNED, at_least=2)


@pytest.mark.parametrize(
    "signers",
    [
        (),
        (("a", A),),
        (("a", A), ("a", A)),
        (("a", A), ("stranger", C)),
        (("a", A), ("b", A)),
        (("a", A), ("b", C)),
        (("a", B), ("b", A)),
    ],
)
def test_fewer_than_two_are_refused(signers: tuple[tuple[str, SigningKey], ...]) -> None:
    """One signer, the same twice, a stranger, or a signature in another's name do not make two."""
    with pytest.raises(SignatureError):
        signed(*signers).require(PINNED, at_least=2)


def test_one_key_under_two_names_is_one() -> None:
    """Pinning one key twice does not let one person sign twice."""
    with pytest.raises(SignatureError):
        signed(("a", A), ("b", A)).require({"a": A.public, "b": A.public}, at_least=2)


def test_a_changed_document_is_refused() -> None:
    """A signature is over every member."""
    made = signed(("a", A), ("b", B))
    changed = SignedDocument(document={**DOCUMENT, "b": [2]}, signatures=made.signatures)
    with pytest.raises(SignatureError):
        changed.require(PINNED, at_least=1)


def test_a_signature_under_one_schema_is_none_under_another() -> None:
    """The signed bytes begin with the schema, so no document passes for one of another kind."""
    made = signed(("a", A))
    assert made.signed_bytes().startswith(b"sluis signed-document/v1\nregister/v1\n{")
    with pytest.raises(MalformedError, match="another schema"):
        SignedDocument.parse(made.encode(), schema="roster/v1")


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"document": None},
        {"document": []},
        {"document": {"schema": "x"}},
        {"signatures": {}},
        {"signatures": [1]},
        {"signatures": [{"signer": "a", "kid": "k"}]},
        {"signatures": [{"signer": "a", "kid": "k", "signature": 1}]},
        {"signatures": [{"signer": "a", "kid": "k", "signature": "AAAA"}]},
        {"signatures": [{"signer": "a", "kid": "k", "signature": "AAAA", "more": ""}]},
    ],
)
def test_another_form_is_refused(changes: dict[str, Any]) -> None:
    """An envelope has a document of the schema and a list of whole signatures, and nothing else."""
    with pytest.raises(MalformedError):
        SignedDocument.parse(json.dumps({**json.loads(signed().encode()), **changes}), schema="register/v1")


def test_an_envelope_without_signatures_is_refused() -> None:
    """The list of signatures may be empty but not absent."""
    with pytest.raises(MalformedError, match="other members"):
        SignedDocument.parse(json.dumps({"document": DOCUMENT}), schema="register/v1")


@pytest.mark.parametrize("value", ["\\ud800", "1e30", "123456789012345678901234567890"])
def test_what_has_no_canonical_form_is_refused(value: str) -> None:
    """A lone surrogate, or a number beyond RFC 8785, is a malformed document and no crash."""
    member = f'"{value}"' if value.startswith("\\") else value
    text = f'{{"document":{{"schema":"register/v1","a":{member}}},"signatures":[]}}'
    document = SignedDocument.parse(text, schema="register/v1")
    if value == "1e30":
        assert b"1e+30" in document.signed_bytes()
        return
    with pytest.raises(MalformedError, match="canonical form"):
        document.require(PINNED, at_least=1)

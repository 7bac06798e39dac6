"""Makes `grants.json`: import grants, good and bad, with the outcome every party must reach.

`python -m tests.vectors.grant_cases` writes the file again. Keys come from fixed seeds and protect nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rfc8785

from broker.protocol.signing_keys import SigningKey

FILE = Path(__file__).with_name("grants.json")
OIN = "00000001001234560001"
OTHER_OIN = "00000001001234560002"
OLD = SigningKey.from_seed(b"sluis vector: partner key".ljust(32, b"\x01"))
NEW = SigningKey.from_seed(b"sluis vector: next partner key".ljust(32, b"\x01"))
STRANGER = SigningKey.from_seed(b"sluis vector: stranger key".ljust(32, b"\x01"))
ISSUED = 1_795_000_000

Members = dict[str, Any]


def grant(**changed: Any) -> Members:  # noqa: ANN401 - any wrong member
    """Return a grant's document, with other members where a case says so; None leaves a member out."""
    made = {
        "schema": "import-grant/v1",
        "id": "00112233445566778899aabbccddeeff",
        "oin": OIN,
        "custodians": ["custodian-a.demo.sluis.test", "custodian-b.demo.sluis.test"],
        "purpose": "verwijsindex",
        "elements": {"nlbsn": 120, "fam": 214},
        "issuedOn": "2026-11-18",
        "expiresOn": "2026-12-19",
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def statement(document: Members, person: str, *, key: SigningKey = OLD, **claims: Any) -> str:  # noqa: ANN401 - any wrong claim
    """Return one person's statement about a document."""
    typ = claims.pop("typ", "sluis-grant+jwt")
    stated = {
        "iss": OIN,
        "sub": person,
        "role": "worker",
        "iat": ISSUED,
        "grant_sha256": hashlib.sha256(rfc8785.dumps(document)).hexdigest(),
        **claims,
    }
    return key.encode_jwt({name: value for name, value in stated.items() if value is not None}, typ=typ)


def envelope(document: Members, *statements: str) -> str:
    """Return the text of a grant."""
    return json.dumps({"document": document, "statements": list(statements)})


def both(document: Members) -> str:
    """Return a grant that two people stated."""
    return envelope(document, statement(document, "anna"), statement(document, "carla", role="approver"))


def document_cases() -> Iterator[tuple[str, str, str]]:
    """Yield what may be wrong with the document itself."""
    wrong: dict[str, list[object]] = {
        "schema": ["import-grant/v2", 1, None],
        "id": ["", "short", "A" * 32, 1, None],
        "oin": ["1234", 1, None],
        "custodians": [[], "custodian-a.demo.sluis.test", ["b", "a"], ["a", "a"], ["a b"], list("abcdefghi"), None],
        "purpose": ["", "twee woorden", 1, None],
        "elements": [{}, [], {"iban": 1}, *({"nlbsn": count} for count in (0, -1, 1.0, "1", True, 1_000_001)), None],
        "issuedOn": ["18-11-2026", "2026-W47-3", 20261118, None],
        "expiresOn": ["2026-11-17", "2026-12-20", "2026-02-30", None],
    }
    for member, values in wrong.items():
        for value in values:
            yield f"{member} is {json.dumps(value)[:40]}", both(grant(**{member: value})), "malformed"
    yield "one member more", both(grant(unlimited=True)), "malformed"


def statement_cases() -> Iterator[tuple[str, str, str]]:
    """Yield what may be wrong with the two statements."""
    good = grant()
    anna, carla = statement(good, "anna"), statement(good, "carla", role="approver")
    yield "nobody", envelope(good), "signature"
    yield "one person", envelope(good, anna), "signature"
    yield "one person twice", envelope(good, anna, statement(good, "anna", role="approver")), "signature"
    yield "the same statement twice", envelope(good, anna, anna), "signature"
    yield "three people", envelope(good, anna, carla, statement(good, "bram")), "signature"
    yield "a bad statement beside two good ones", envelope(good, anna, carla, "x"), "signature"
    yield "signed by a stranger", envelope(good, anna, statement(good, "carla", key=STRANGER)), "signature"
    yield "about another grant", envelope(good, anna, statement(grant(id="f" * 32), "carla")), "signature"
    yield "one element more than stated", envelope(grant(elements={"nlbsn": 121, "fam": 214}), anna, carla), "signature"
    yield "a longer life than stated", envelope(grant(expiresOn="2026-12-18"), anna, carla), "signature"
    yield "in the name of another organisation", envelope(good, anna, statement(good, "c", iss=OTHER_OIN)), "signature"
    for role in ("fg", "privacyfunctionaris", "", None):
        yield f"in the role {role!r}", envelope(good, anna, statement(good, "carla", role=role)), "signature"
    for sub in ("", "a b", 1, None):
        yield f"by {sub!r}", envelope(good, anna, statement(good, "carla", sub=sub)), "signature"
    claims: list[Members] = [{"iat": "now"}, {"iat": None}, {"grant_sha256": 1}, {"more": 1}]
    for claim in claims:
        yield f"with {claim}", envelope(good, anna, statement(good, "carla", **claim)), "signature"
    first, end = 1_794_960_000, 1_797_724_800  # midnight (UTC) before issuedOn, and after expiresOn
    for at, outcome in ((first - 60, "accepted"), (first - 61, "malformed"), (end - 1, "accepted"), (end, "malformed")):
        yield f"stated at {at}", envelope(good, anna, statement(good, "carla", iat=at)), outcome
    for at in (0, 2**40 - 1):
        yield f"stated at {at}", envelope(good, anna, statement(good, "carla", iat=at)), "malformed"
    for typ in ("sluis-request+jwt", "sluis-approval+jwt", "sluis-ticket+jwt", "JWT"):
        yield f"a token of type {typ}", envelope(good, anna, statement(good, "carla", typ=typ)), "signature"


def grant_cases() -> Iterator[tuple[str, str, str]]:
    """Yield (name, text, outcome)."""
    good = grant()
    anna = statement(good, "anna")
    yield "good", both(good), "accepted"
    yield "two workers", envelope(good, anna, statement(good, "bram")), "accepted"
    yield "under a key that is being replaced", envelope(good, anna, statement(good, "bram", key=NEW)), "accepted"
    yield "one day", both(grant(expiresOn="2026-11-18")), "accepted"
    yield "one family", both(grant(elements={"addr": 1_000_000})), "accepted"
    other = grant(oin=OTHER_OIN)
    stated = [statement(other, name, iss=OTHER_OIN) for name in ("anna", "carla")]
    yield "another organisation's", envelope(other, *stated), "malformed"
    yield from document_cases()
    yield from statement_cases()
    text = both(good)
    yield "empty", "", "malformed"
    yield "a list", "[]", "malformed"
    yield "cut off", text[:-1], "malformed"
    yield "a member twice", text[:-1] + ',"statements":[]}', "malformed"
    yield "one member more beside it", text[:-1] + ',"more":1}', "malformed"
    yield "statements that are no list", json.dumps({"document": good, "statements": anna}), "malformed"
    yield "statements that are no texts", json.dumps({"document": good, "statements": [anna, 1]}), "malformed"
    yield "a document that is none", json.dumps({"document": [], "statements": [anna]}), "malformed"
    yield "too long", text + " " * 65_536, "malformed"


def document() -> Members:
    """Return the published vectors."""
    return {
        "schema": "sluis-vectors/grants/v1",
        "organisation": {"oin": OIN, "signingKeys": [OLD.public.jwk(), NEW.public.jwk()]},
        "cases": [{"name": name, "grant": text, "outcome": outcome} for name, text, outcome in grant_cases()],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")

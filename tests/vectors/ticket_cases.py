"""Makes `tickets.json`: request tokens and tickets, good and bad, with the outcome each party must reach.

`python -m tests.vectors.ticket_cases` writes the file again. Keys come from fixed seeds and protect nothing.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from broker.protocol.signing_keys import SigningKey, b64url

FILE = Path(__file__).with_name("tickets.json")
NOW = 1_795_000_000
BODY = b'{"fixture":true}'
ISSUER = "00000001001234560001"
AUDIENCE = "custodian-a.demo.sluis.test"
BROKER = "broker.demo.sluis.test"
URL = f"https://{AUDIENCE}/v1/evaluations"
PARTNER = SigningKey.from_seed(b"sluis vector: partner key".ljust(32, b"\x01"))
CUSTODIAN = SigningKey.from_seed(b"sluis vector: custodian key".ljust(32, b"\x01"))
STRANGER = SigningKey.from_seed(b"sluis vector: stranger key".ljust(32, b"\x01"))

Members = dict[str, Any]
Signer = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A JWT before it is put together; `claims` may also be raw JSON text."""

    header: Members | str
    claims: Members | str
    sign: Signer

    def text(self) -> str:
        """Return the compact form."""
        signed = f"{_part(self.header)}.{_part(self.claims)}"
        return f"{signed}.{b64url(self.sign(signed.encode()))}"

    def header_with(self, **members: Any) -> "Parts":  # noqa: ANN401 - any wrong member
        """Return the same with other header members."""
        assert isinstance(self.header, dict)
        return replace(self, header={**self.header, **members})

    def claims_with(self, **members: Any) -> "Parts":  # noqa: ANN401 - any wrong member
        """Return the same with other claims."""
        assert isinstance(self.claims, dict)
        return replace(self, claims={**self.claims, **members})

    def claims_without(self, name: str) -> "Parts":
        """Return the same without a claim."""
        assert isinstance(self.claims, dict)
        return replace(self, claims={key: value for key, value in self.claims.items() if key != name})


def _part(value: Members | str) -> str:
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return b64url(text.encode())


def request_parts() -> Parts:
    """Return a request token that holds."""
    claims = {
        "iss": ISSUER,
        "sub": "worker-at-custodian-a",
        "role": "worker",
        "parent_org": None,
        "aud": AUDIENCE,
        "jti": "00112233445566778899aabbccddeeff",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 300,
        "htm": "POST",
        "htu": URL,
        "body_sha256": hashlib.sha256(BODY).hexdigest(),
        "acr": "substantieel",
    }
    header = {"alg": "EdDSA", "typ": "sluis-request+jwt", "kid": PARTNER.public.kid}
    return Parts(header=header, claims=claims, sign=PARTNER.sign)


def ticket_parts() -> Parts:
    """Return a ticket that holds."""
    claims = {
        "iss": AUDIENCE,
        "aud": BROKER,
        "org": ISSUER,
        "sub": "worker-at-broker",
        "op": "check",
        "purpose": "verwijsindex",
        "epoch": 1,
        "fam": {"nlbsn": {"real": 2, "answers_sha256": hashlib.sha256(b"answers").hexdigest()}},
        "batch": "ffeeddccbbaa99887766554433221100",
        "jti": "00112233445566778899aabbccddeeff",
        "iat": NOW,
        "exp": NOW + 600,
        "grant": None,
    }
    header = {"alg": "EdDSA", "typ": "sluis-ticket+jwt", "kid": CUSTODIAN.public.kid}
    return Parts(header=header, claims=claims, sign=CUSTODIAN.sign)


def hmac_signers(key: SigningKey) -> Iterator[tuple[str, Signer]]:
    """Yield the forgeries that use a public key as an HMAC secret: raw, PEM and DER (RFC 8410)."""
    der = bytes.fromhex("302a300506032b6570032100") + key.public.public
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der) + b"\n-----END PUBLIC KEY-----\n"
    for name, secret in (("raw", key.public.public), ("PEM", pem), ("DER", der)):
        yield name, partial(_hmac, secret)


def _hmac(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, "sha256")


def _twice(sign: Signer, message: bytes) -> bytes:
    """Return the tag twice, so that it is as long as a signature."""
    return sign(message) * 2


def header_cases(good: Parts, malformed: str, unsigned: str, key_unknown: str) -> Iterator[tuple[str, str, str]]:
    """Yield what may be wrong with header, form and signature, alike for both kinds of token."""
    for algorithm in ("none", "None", "HS256", "HS512", "RS256", "ES256", "Ed25519", "eddsa", "", None, 1, ["EdDSA"]):
        yield f"algorithm {algorithm!r}", good.header_with(alg=algorithm).text(), malformed
    for kind, sign in hmac_signers(PARTNER if good.sign == PARTNER.sign else CUSTODIAN):
        yield f"HS256 with the {kind} public key", replace(good.header_with(alg="HS256"), sign=sign).text(), malformed
        yield f"HMAC of the {kind} public key as EdDSA", replace(good, sign=partial(_twice, sign)).text(), unsigned
    for kid in (
        "../../keys/signing",
        "' OR 1=1 --",
        "https://evil.test/key",
        "",
        PARTNER.public.kid[:-1],
        STRANGER.public.kid,
    ):
        yield f"kid {kid!r}", good.header_with(kid=kid).text(), key_unknown
    yield "kid is a number", good.header_with(kid=1).text(), malformed
    for name in ("jku", "jwk", "x5u", "x5c", "crit", "b64", "cty", "zip", "enc"):
        yield f"header parameter {name}", good.header_with(**{name: STRANGER.public.jwk()}).text(), malformed
    for typ in ("JWT", "sluis-approval+jwt", "Sluis-Request+JWT", "", None):
        yield f"typ {typ!r}", good.header_with(typ=typ).text(), malformed
    assert isinstance(good.header, dict)
    double = json.dumps(good.header)[:-1] + ',"alg":"none"}'
    yield "a header member twice", replace(good, header=double).text(), malformed
    yield "header is a list", replace(good, header="[]").text(), malformed
    yield "signed by a stranger", replace(good, sign=STRANGER.sign).text(), unsigned
    text = good.text()
    head, body, signature = text.split(".")
    yield "no signature", f"{head}.{body}.", malformed
    yield "signature of another length", f"{head}.{body}.{signature[:-4]}", malformed
    yield "signature all zero", f"{head}.{body}.{b64url(bytes(64))}", unsigned
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    yield "one bit of the signature", f"{head}.{body}.{flipped}", unsigned
    yield "two parts", f"{head}.{body}", malformed
    yield "four parts", f"{text}.{signature}", malformed
    yield "padding", f"{head}=.{body}.{signature}", malformed
    yield "a space before", f" {text}", malformed
    yield "a newline after", f"{text}\n", malformed
    yield "the other base64 alphabet", f"{head}.{body}.{'+' + signature[1:]}", malformed
    yield "text beyond ASCII", f"{head}.{body}.é", malformed
    yield "empty", "", malformed
    yield "too long", f"{head}.{body}{'A' * 8192}.{signature}", malformed
    yield "claims are a list", replace(good, claims="[]").text(), malformed
    yield "claims are no JSON", replace(good, claims="{").text(), malformed
    yield "one claim more", good.claims_with(admin=True).text(), malformed
    assert isinstance(good.claims, dict)
    for name in good.claims:
        yield f"without {name}", good.claims_without(name).text(), malformed
        doubled = json.dumps(good.claims)[:-1] + f',"{name}":{json.dumps(good.claims[name])}}}'
        yield f"{name} twice", replace(good, claims=doubled).text(), malformed


def request_cases() -> Iterator[tuple[str, str, str]]:
    """Yield (name, token, outcome) of request tokens."""
    good = request_parts()
    yield "good", good.text(), "accepted"
    yield from header_cases(good, "request-token-malformed", "request-token-signature", "request-token-key-unknown")
    yield "parent organisation", good.claims_with(parent_org=ISSUER[:-1] + "2").text(), "accepted"
    wrong: dict[str, list[object]] = {
        "iss": ["1234", 1, None, ISSUER + "\n"],
        "sub": ["", "a b", 5, None, "x" * 65],
        "role": ["", None],
        "parent_org": ["", 1],
        "aud": [[AUDIENCE], [AUDIENCE, BROKER], None],
        "jti": ["", "short", "G" * 32, "A" * 32],
        "iat": ["1795000000", True, 1795000000.0, -1, None, 2**40],
        "exp": ["1795000300", 1e3, None],
        "nbf": [None],
        "htm": [None, ""],
        "htu": [None, "x" * 2049],
        "body_sha256": ["", "A" * 64],
        "acr": [None, ""],
    }
    for claim, values in wrong.items():
        for value in values:
            shown = str(value)[-24:]
            yield f"{claim} is {shown!r}", good.claims_with(**{claim: value}).text(), "request-token-malformed"
    yield "for another party", good.claims_with(aud=BROKER).text(), "request-token-audience"
    yield "of an unknown organisation", good.claims_with(iss=ISSUER[:-1] + "9").text(), "request-token-key-unknown"
    yield "another method", good.claims_with(htm="GET").text(), "request-token-target"
    yield "another address", good.claims_with(htu=URL + "/").text(), "request-token-target"
    yield "another query", good.claims_with(htu=URL + "?a=1").text(), "request-token-target"
    yield "another body", good.claims_with(body_sha256=hashlib.sha256(b"").hexdigest()).text(), "request-token-body"
    for name, iat, nbf, exp, outcome in (
        ("59 s early", 59, 59, 300, "accepted"),
        ("60 s early", 60, 60, 300, "accepted"),
        ("61 s early", 61, 61, 300, "request-token-early"),
        ("valid from 61 s on", 0, 61, 300, "request-token-early"),
        ("expired for 59 s", -300, -300, -59, "accepted"),
        ("expired for 60 s", -300, -300, -60, "request-token-expired"),
        ("expired for 61 s", -300, -300, -61, "request-token-expired"),
        ("ten minutes", 0, 0, 600, "accepted"),
        ("ten minutes and a second", 0, 0, 601, "request-token-lifetime"),
        ("ten years", 0, 0, 315_360_000, "request-token-lifetime"),
        ("ends when it begins", 0, 0, 0, "request-token-lifetime"),
        ("ends before it begins", 0, 0, -1, "request-token-lifetime"),
        ("valid before it was made", 0, -1, 300, "request-token-lifetime"),
    ):
        yield name, good.claims_with(iat=NOW + iat, nbf=NOW + nbf, exp=NOW + exp).text(), outcome


def ticket_cases() -> Iterator[tuple[str, str, str]]:
    """Yield (name, token, outcome) of tickets, for a check of two persons."""
    good = ticket_parts()
    count = {"real": 2, "answers_sha256": "0" * 64}
    yield "good", good.text(), "accepted"
    yield from header_cases(good, "ticket-malformed", "ticket-signature", "ticket-signature")
    yield "more tokens counted than used", good.claims_with(fam={"nlbsn": {**count, "real": 9}}).text(), "accepted"
    yield "fewer tokens counted than used", good.claims_with(fam={"nlbsn": {**count, "real": 1}}).text(), "ticket-count"
    yield "another family counted", good.claims_with(fam={"fam": count}).text(), "ticket-count"
    families: list[object] = [{}, [], None, {"iban": count}, {"nlbsn": 2}, {"nlbsn": {"real": 2}}]
    for value in [*families, {"nlbsn": {**count, "more": 1}}]:
        yield f"fam is {value!r}", good.claims_with(fam=value).text(), "ticket-malformed"
    for real in (-1, 1.0, "2", True, None):
        yield (
            f"a count of {real!r}",
            good.claims_with(fam={"nlbsn": {**count, "real": real}}).text(),
            "ticket-malformed",
        )
    for digest in ("", "0" * 63, "A" * 64, None):
        wrong = {"nlbsn": {**count, "answers_sha256": digest}}
        yield f"answers hash {str(digest)[:8]!r}", good.claims_with(fam=wrong).text(), "ticket-malformed"
    yield "of an unknown custodian", good.claims_with(iss="custodian-c.demo.sluis.test").text(), "ticket-foreign"
    yield "for another broker", good.claims_with(aud="broker.elsewhere.test").text(), "ticket-foreign"
    yield "of another organisation", good.claims_with(org=ISSUER[:-1] + "2").text(), "ticket-foreign"
    yield "of another worker", good.claims_with(sub="another-worker").text(), "ticket-foreign"
    yield "for another operation", good.claims_with(op="register").text(), "ticket-foreign"
    yield "for an unknown operation", good.claims_with(op="export").text(), "ticket-malformed"
    yield "for another purpose", good.claims_with(purpose="iets-anders").text(), "ticket-foreign"
    yield "of another epoch", good.claims_with(epoch=2).text(), "ticket-epoch"
    yield "of a grant, for a check", good.claims_with(grant="0" * 32).text(), "ticket-of-grant"
    yield "of a long grant, for a check", good.claims_with(grant="0" * 32, exp=NOW + 10**6).text(), "ticket-of-grant"
    registering = good.claims_with(grant="0" * 32, op="register")
    yield "of a grant to register, for a check", registering.text(), "ticket-of-grant"
    yield "grant is no id", good.claims_with(grant="yes").text(), "ticket-malformed"
    for name, iat, exp, outcome in (
        ("just made", 60, 660, "accepted"),
        ("made 61 s from now", 61, 600, "ticket-expired"),
        ("a second left", -599, 1, "accepted"),
        ("expired now", -600, 0, "ticket-expired"),
        ("expired a second ago", -600, -1, "ticket-expired"),
        ("longer than ten minutes", 0, 601, "ticket-lifetime"),
    ):
        yield name, good.claims_with(iat=NOW + iat, exp=NOW + exp).text(), outcome


def document() -> dict[str, Any]:
    """Return the published vectors."""
    return {
        "schema": "sluis-vectors/tickets/v1",
        "now": NOW,
        "keys": {
            name: {"seed": key.seed.hex(), **key.public.jwk()}
            for name, key in (("partner", PARTNER), ("custodian", CUSTODIAN), ("stranger", STRANGER))
        },
        "request": {"issuer": ISSUER, "audience": AUDIENCE, "method": "POST", "url": URL, "bodyHex": BODY.hex()},
        "use": {
            "custodian": AUDIENCE,
            "broker": BROKER,
            "organisation": ISSUER,
            "worker": "worker-at-broker",
            "operation": "check",
            "purpose": "verwijsindex",
            "epoch": 1,
            "counts": {"nlbsn": 2},
        },
        "requests": [{"name": name, "token": token, "outcome": outcome} for name, token, outcome in request_cases()],
        "tickets": [{"name": name, "token": token, "outcome": outcome} for name, token, outcome in ticket_cases()],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")

"""Makes `sealed_letter.json`: boxes, good and bad, with the outcome a receiver must reach. It imports nothing of ours.

`python -m tests.vectors.sealed_letter_cases` writes the file again. Keys and ephemeral keys come from fixed seeds and
protect nothing; the sealed box is put together here from its parts (libsodium, `crypto_box_seal`).
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nacl import bindings
from nacl.public import PrivateKey
from nacl.signing import SigningKey

FILE = Path(__file__).with_name("sealed_letter.json")
RECEIVER, OLDER, OTHER = (PrivateKey(hashlib.sha256(f"vector {who}".encode()).digest()) for who in ("r", "o", "x"))
SENDER, STRANGER = (SigningKey(hashlib.sha256(f"vector {who}".encode()).digest()) for who in ("sender", "stranger"))
BOUND = {
    "label": "answer-all",
    "request": "0123456789abcdef0123456789abcdef",
    "sender": "00000099000000001000",
    "receiver": "00000099000000003000",
    "purpose": "vt-melding",
    "grounds": ["WMO-5.2.6"],
    "bundle": "ab" * 32,
    "expiresOn": "2026-06-15",
}
TODAY = "2026-06-01"
LETTER = {
    "schema": "letter/v1",
    "categories": ["hulp", "veiligheid"],
    "level": 3,
    "steps": ["onderzoek"],
    "text": "Wij zijn sinds maart bij het gezin betrokken; er is één keer per week contact.",
    "attachments": [
        {
            "id": "f" * 32,
            "name": "verslag.pdf",
            "size": 12,
            "key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "chunks": ["cd" * 32],
            "sha256": "ef" * 32,
        }
    ],
}
Members = dict[str, Any]


def jcs(value: object) -> bytes:
    """Return the canonical JSON of what these vectors hold: ASCII keys, whole numbers, texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def thumbprint(key: SigningKey) -> str:
    """Return the RFC 7638 thumbprint of the public key."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": b64(bytes(key.verify_key))}
    return b64(hashlib.sha256(jcs(members)).digest())


def envelope(letter: Members, bound: Members, *, signer: SigningKey = SENDER, signed: Members | None = None) -> Members:
    """Return the signed envelope; `signed` is what the signature is over, where it differs from what it states."""
    content = hashlib.sha256(jcs(letter)).hexdigest()
    message = b"sluis sealed-letter/v2\n" + jcs({**(signed or bound), "contentSha256": content})
    signature = b64(signer.sign(message).signature)
    stated = {"schema": "sealed-letter/v2", "kid": thumbprint(SENDER if signer is SENDER else signer)}
    return {**stated, **bound, "signature": signature, "content": letter}


def seal(message: bytes, *, size: int = 0, to: PrivateKey = RECEIVER, mark: bytes = b"\x80") -> bytes:
    """Return the sealed box of a padded message, with an ephemeral key from the message; of the least size if none."""
    size = size or next(one for one in (4096, 16_384, 65_536) if len(message) + 49 <= one)
    padded = (message + mark).ljust(size - 48, b"\x00")
    public = bytes(to.public_key)
    ephemeral = PrivateKey(hashlib.sha256(b"ephemeral" + padded).digest())
    nonce = hashlib.blake2b(bytes(ephemeral.public_key) + public, digest_size=24).digest()
    return bytes(ephemeral.public_key) + bindings.crypto_box(padded, nonce, public, bytes(ephemeral))


def _boxes() -> Iterator[tuple[str, str, bytes]]:
    good = envelope(LETTER, BOUND)
    yield "good", "opened", seal(jcs(good))
    yield "good in a larger size", "opened", seal(jcs(good), size=16_384)
    plain = {**LETTER, "attachments": [], "text": ""}
    yield "smallest", "opened", seal(jcs(envelope(plain, BOUND)), size=1024)
    yield "sealed to an older key", "opened", seal(jcs(good), to=OLDER)
    yield "sealed to another", "seal", seal(jcs(good), to=OTHER)
    whole = seal(jcs(good))
    yield "one bit flipped", "seal", whole[:-1] + bytes([whole[-1] ^ 1])
    yield "cut short", "size", whole[:-1]
    yield "of no size", "size", whole + b"\x00"
    yield "empty", "size", b""
    for name, value in (
        ("label", "request"), ("request", "1" * 32), ("sender", "0" * 20), ("receiver", "1" * 20),
        ("bundle", "cd" * 32), ("expiresOn", "2026-06-16"), ("purpose", "nood"), ("grounds", ["TOEST"]),
    ):  # fmt: skip
        other: Members = {**BOUND, name: value}
        yield f"of another {name}", "bound", seal(jcs(envelope(LETTER, other)))
        yield f"signed for another {name}", "signature", seal(jcs(envelope(LETTER, BOUND, signed=other)))
    part = {**BOUND, "label": "answer-part"}
    yield "an answer to a part", "bound", seal(jcs(envelope(LETTER, part)))
    more: tuple[Members, ...] = (
        {"categories": ["hulp"]}, {"categories": ["gezondheid", "hulp", "veiligheid"]}, {"level": 4},
    )  # fmt: skip
    for changed in more:
        yield f"with {changed}", "bound", seal(jcs(envelope({**LETTER, **changed}, BOUND)))
    turned = {**LETTER, "categories": ["veiligheid", "hulp"]}
    yield "with its categories in another order", "opened", seal(jcs(envelope(turned, BOUND)))
    yield "signed by a stranger", "sender", seal(jcs(envelope(LETTER, BOUND, signer=STRANGER)))
    forged = {**envelope(LETTER, BOUND, signer=STRANGER), "kid": good["kid"]}
    yield "signed by a stranger in the sender's name", "signature", seal(jcs(forged))
    yield "with another text", "signature", seal(jcs({**good, "content": {**LETTER, "text": "anders"}}))
    yield "without a signature", "signature", seal(jcs({**good, "signature": ""}))
    yield "with a number for a signature", "signature", seal(jcs({**good, "signature": 1}))
    yield from _malformed(good)


def _malformed(good: Members) -> Iterator[tuple[str, str, bytes]]:
    yield "without an end", "form", seal(jcs(good), mark=b"\x81")
    yield "no JSON", "form", seal(b"no")
    yield "a list", "form", seal(b"[]")
    yield "not canonical", "form", seal(json.dumps(good).encode())
    yield "a key twice", "form", seal(jcs(good)[:-1] + b',"kid":"x"}')
    yield "a lone surrogate", "form", seal(jcs(good).replace(b"maart", b"\\ud800"))
    yield "with a member more", "form", seal(jcs({**good, "more": 1}))
    yield "with a member less", "form", seal(jcs({name: good[name] for name in good if name != "kid"}))
    yield "of another schema", "form", seal(jcs({**good, "schema": "sealed-letter/v1"}))
    yield "with grounds that are no list", "form", seal(jcs({**good, "grounds": "WMO-5.2.6"}))
    yield "with a number for a kid", "form", seal(jcs({**good, "kid": 7}))
    for name, value in (
        ("schema", "letter/v2"), ("categories", []), ("categories", ["hulp", "hulp"]), ("level", 0), ("level", 5),
        ("level", 2), ("text", 5), ("text", "a" * 20_001), ("text", "\x00"), ("steps", ["a", "a"]),
        ("steps", [f"s{number}" for number in range(9)]), ("attachments", [{}]), ("attachments", "x"),
    ):  # fmt: skip
        content = {**LETTER, name: value}
        shown = json.dumps(value)[:12]
        yield f"with {name} {shown}", "form", seal(jcs(envelope(content, BOUND)))
    for name, value in (
        ("id", "x"), ("name", ""), ("size", 10_485_761), ("key", "AA"), ("chunks", []), ("chunks", ["x"]),
        ("chunks", ["cd" * 32] * 11), ("sha256", "EF" * 32),
    ):  # fmt: skip
        content = {**LETTER, "attachments": [{**LETTER["attachments"][0], name: value}]}  # type: ignore[index]  # a list of one object
        shown = json.dumps(value)[:12]
        yield f"with attachment {name} {shown}", "form", seal(jcs(envelope(content, BOUND)))


def document() -> Members:
    """Return the whole file."""
    box = b64(seal(jcs(envelope(LETTER, BOUND))))
    days = [
        {"name": "on its last day", "today": "2026-06-15", "outcome": "opened", "box": box},
        {"name": "past its last day", "today": "2026-06-16", "outcome": "expired", "box": box},
    ]
    cases = [{"name": name, "today": TODAY, "outcome": outcome, "box": b64(made)} for name, outcome, made in _boxes()]
    return {
        "schema": "sealed-letter-vectors/v1",
        "bound": BOUND,
        "senderKey": b64(bytes(SENDER.verify_key)),
        "openingKeys": [b64(bytes(RECEIVER)), b64(bytes(OLDER))],
        "letter": LETTER,
        "cases": [*cases, *days],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

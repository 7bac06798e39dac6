"""Documents that several people sign: the register, rosters, epoch descriptors.

Each signature is over `sluis signed-document/v1`, the document's schema, and its canonical JSON (RFC 8785), so that a
signature under one kind of document never counts for another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import rfc8785

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError, SignatureError
from broker.protocol.signing_keys import SigningKey, VerifyKey, b64url, b64url_bytes

_CONTEXT = b"sluis signed-document/v1\n"
_MAX_BYTES = 4_194_304


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSignature:
    """One signer's signature; `signer` is a name, `kid` the thumbprint of the key."""

    signer: str
    kid: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDocument:
    """A document and the signatures that came with it, none of them believed yet."""

    document: Mapping[str, Any]
    signatures: tuple[DocumentSignature, ...]

    @classmethod
    def parse(cls, text: bytes | str, *, schema: str) -> Self:
        """Return the document of this schema in `text`. Raises MalformedError."""
        envelope = strict_json.load_object(text, field=schema, max_bytes=_MAX_BYTES)
        if set(envelope) != {"document", "signatures"}:
            raise MalformedError(schema, "has other members than document and signatures")
        document, signatures = envelope["document"], envelope["signatures"]
        if not isinstance(document, dict) or document.get("schema") != schema:
            raise MalformedError(schema, "has another schema")
        if not isinstance(signatures, list):
            raise MalformedError(schema, "has no list of signatures")
        return cls(document=document, signatures=tuple(_signature(item, schema) for item in signatures))

    def signed_bytes(self) -> bytes:
        """Return the bytes that every signer signs."""
        try:
            canonical = rfc8785.dumps(dict(self.document))
        except ValueError:
            raise MalformedError("document", "has a number or text without a canonical form (RFC 8785)") from None
        return _CONTEXT + str(self.document["schema"]).encode() + b"\n" + canonical

    def with_signature(self, signer: str, key: SigningKey) -> Self:
        """Return the same document with one signature more; an earlier one of this signer is replaced."""
        made = DocumentSignature(signer=signer, kid=key.public.kid, signature=key.sign(self.signed_bytes()))
        kept = tuple(item for item in self.signatures if item.signer != signer)
        return type(self)(document=self.document, signatures=(*kept, made))

    def require(self, signers: Mapping[str, VerifyKey], *, at_least: int) -> None:
        """Hold only if `at_least` different keys of `signers` signed this document.

        Raises:
            SignatureError: too few, or a signature in the name of one of `signers` that is not by its key.
        """
        good: set[bytes] = set()
        message = self.signed_bytes()
        for item in self.signatures:
            key = signers.get(item.signer)
            if key is None:
                continue
            if item.kid != key.kid or not key.verify(message, item.signature):
                raise SignatureError
            good.add(key.public)
        if len(good) < at_least:
            raise SignatureError

    def encode(self) -> bytes:
        """Return the envelope as JSON, one line."""
        signatures = [
            {"signer": item.signer, "kid": item.kid, "signature": b64url(item.signature)} for item in self.signatures
        ]
        return rfc8785.dumps({"document": dict(self.document), "signatures": signatures}) + b"\n"


def _signature(item: object, schema: str) -> DocumentSignature:
    if not isinstance(item, dict) or set(item) != {"signer", "kid", "signature"}:
        raise MalformedError(schema, "has a malformed signature")
    if not all(isinstance(value, str) for value in item.values()):
        raise MalformedError(schema, "has a malformed signature")
    return DocumentSignature(
        signer=item["signer"],
        kid=item["kid"],
        signature=b64url_bytes(item["signature"], field=f"{schema}.signature", length=64),
    )

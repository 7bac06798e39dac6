"""What a calling organisation signs of a phone call, so that the broker alone vouches for no caller.

The belcode is the broker's to make and to tell. Who calls is not: the called party's connector believes it only with
this statement, by the key that its own copy of the register has of that organisation.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from broker.protocol.compact_jwt import JwtMalformedError, JwtSignatureError, parse
from broker.protocol.errors import SignatureError
from broker.protocol.register import Organisation
from broker.protocol.request_signing import is_id, is_instant, is_oin, is_word
from broker.protocol.signing_keys import SigningKey

CALL_TYP = "sluis-call+jwt"
_CLAIMS: Mapping[str, Callable[[object], bool]] = {
    "iss": is_oin,
    "iat": is_instant,
    "call_id": is_id,
    "caller_team": is_word,
    "receiver": is_oin,
    "receiver_team": is_word,
    "purpose": is_word,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCall:
    """A call as it was announced: which one, which team of whom calls which team of whom, for what."""

    call_id: str
    caller_team: str
    receiver: str
    receiver_team: str
    purpose: str

    def signed(self, key: SigningKey, *, organisation: str, at: int) -> str:
        """Return the statement of the calling organisation; `at` in unix seconds."""
        return key.encode_jwt({"iss": organisation, "iat": at, **asdict(self)}, typ=CALL_TYP)

    def stated_at(self, text: str, organisation: Organisation) -> int:
        """Return when exactly this call was stated by this organisation, in unix seconds.

        Raises:
            SignatureError: another call, another organisation's, or not signed by a key of it.
        """
        try:
            statement = parse(text, typ=CALL_TYP, claims=_CLAIMS)
            statement.verify(organisation.signing_keys[statement.kid])
        except (JwtMalformedError, JwtSignatureError, KeyError):
            raise SignatureError from None
        at = int(statement.claims["iat"])
        if dict(statement.claims) != {"iss": organisation.oin, "iat": at, **asdict(self)}:
            raise SignatureError
        return at

"""The published matrix of sealed letters: every box reaches exactly its outcome."""

import datetime
import json
from typing import Any

import pytest

from broker.protocol.letter import Letter
from broker.protocol.sealed_letter import Bound, LetterError, OpeningKey, open_letter
from broker.protocol.signing_keys import VerifyKey, b64url_bytes
from tests.vectors.sealed_letter_cases import FILE, document

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def _bound() -> Bound:
    stated, letter = dict(VECTORS["bound"]), VECTORS["letter"]
    expires_on, grounds = datetime.date.fromisoformat(stated.pop("expiresOn")), tuple(stated.pop("grounds"))
    categories, level = tuple(letter["categories"]), letter["level"]
    return Bound(expires_on=expires_on, grounds=grounds, categories=categories, level=level, **stated)


def _opened(case: dict[str, str]) -> Letter:
    sender = VerifyKey(b64url_bytes(VECTORS["senderKey"], field="key"))
    return open_letter(
        b64url_bytes(case["box"], field="box"),
        bound=_bound(),
        sender_keys={sender.kid: sender},
        opening_keys=[OpeningKey(b64url_bytes(key, field="key")) for key in VECTORS["openingKeys"]],
        today=datetime.date.fromisoformat(case["today"]),
    )


@pytest.mark.parametrize("case", VECTORS["cases"], ids=[case["name"] for case in VECTORS["cases"]])
def test_letters(case: dict[str, str]) -> None:
    """A box opens exactly where signature, request, both organisations, what it is for, bundle and expiry hold."""
    if case["outcome"] != "opened":
        with pytest.raises(LetterError) as refused:
            _opened(case)
        assert refused.value.step == case["outcome"]
        return
    letter = _opened(case)
    assert set(letter.categories) == set(VECTORS["letter"]["categories"])
    if letter.text and letter.categories == tuple(VECTORS["letter"]["categories"]):
        assert letter.document() == VECTORS["letter"]


def test_the_vectors_are_those_their_maker_makes() -> None:
    """The published file is what the fixed seeds give, so nobody can change one case by hand."""
    assert document() == VECTORS
    names = [case["name"] for case in VECTORS["cases"]]
    assert len(set(names)) == len(names) >= 50

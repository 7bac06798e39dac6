"""The published vectors of the log's formats, failures included: leaf, note, checkpoint, keys and tree proofs."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet

from audit import errors
from audit.checkpoint import Checkpoint
from audit.entry import Leaf, Opening, commit, pad, parse_payload, unpad
from audit.errors import AuditError, ProofError
from audit.merkle import TreeHead, verify_consistency, verify_inclusion
from audit.note import Algorithm, NoteSigningKey, VerifierKey, parse_note, verify_note
from audit.seal import open_group, seal_entry

HERE = Path(__file__).parent
REFUSED_FOR_ITS_12_BYTE_ROOTS = "additional/sizes-are-equal-one-and-proof-is-empty"


def load(name: str) -> dict[str, Any]:
    """Return the content of a vector file."""
    vectors: dict[str, Any] = json.loads((HERE / name).read_text("utf-8"))
    return vectors


def named(vectors: list[dict[str, Any]]) -> list[ParameterSet]:
    """Return the vectors as test parameters under their names."""
    return [pytest.param(vector, id=vector["name"]) for vector in vectors]


LEAF, NOTE, PROOFS = load("leaf.json"), load("note.json"), load("rfc6962_proofs.json")


def error_of(vector: dict[str, Any]) -> type[AuditError]:
    """Return the error class that a vector names."""
    found = getattr(errors, vector["error"])
    assert issubclass(found, AuditError)
    return found  # type: ignore[no-any-return]  # narrowed by the assertion above, which mypy does not follow


@pytest.mark.parametrize("vector", named(LEAF["entries"]))
def test_sealing_gives_the_published_leaf(vector: dict[str, Any]) -> None:
    """The same keys, nonces and payloads give the same commitments, ciphertexts, leaf and leaf hash, byte for byte."""
    groups = vector["groups"]
    randomness = iter([bytes.fromhex(g[part]) for g in groups.values() for part in ("key", "nonce")])
    payloads = {name: json.loads(group["payload"]) for name, group in groups.items() if group["payload"] != "{}"}
    sealed = seal_entry(vector["kind"], payloads, lambda size: next(randomness)[:size])
    for name, group in groups.items():
        assert sealed.groups[name].commitment.hex() == group["commitment"]
        assert hashlib.sha256(sealed.groups[name].ciphertext).hexdigest() == group["ciphertext_sha256"]
    leaf = sealed.leaf(vector["time"])
    assert leaf.encode().decode() == vector["leaf"]
    assert leaf.leaf_hash.hex() == vector["leaf_hash"]
    assert Leaf.parse(vector["leaf"].encode()) == leaf


@pytest.mark.parametrize("vector", named(LEAF["entries"]))
def test_openings_give_the_published_commitments(vector: dict[str, Any]) -> None:
    """An opening recomputes exactly its own group's commitment, and the ciphertext opens to it."""
    for name, group in vector["groups"].items():
        key, payload = bytes.fromhex(group["key"]), group["payload"].encode()
        assert commit(key, name, pad(payload, group["size"])).hex() == group["commitment"]
        assert Opening(key=key, payload=payload).commitment(vector["kind"], name).hex() == group["commitment"]
    sealed = seal_entry(vector["kind"], {}).groups["hits"]
    opened = open_group(group="hits", key=sealed.key, nonce=sealed.nonce, ciphertext=sealed.ciphertext)
    assert opened.payload == b"{}"


@pytest.mark.parametrize("vector", named(LEAF["malformed_leaves"]))
def test_malformed_leaves_are_refused(vector: dict[str, Any]) -> None:
    """No text but the canonical one is a leaf."""
    with pytest.raises(error_of(vector)):
        Leaf.parse(vector["leaf"].encode())


@pytest.mark.parametrize("vector", named(LEAF["padding"]))
def test_padding(vector: dict[str, Any]) -> None:
    """A payload is padded to its size with 0x80 and zeros, and too large a payload is refused."""
    payload = bytes.fromhex(vector["payload"])
    if "error" in vector:
        with pytest.raises(error_of(vector)):
            pad(payload, vector["size"])
    else:
        assert pad(payload, vector["size"]).hex() == vector["padded"]
        assert unpad(bytes.fromhex(vector["padded"])) == payload


@pytest.mark.parametrize("vector", named(LEAF["malformed_padding"]))
def test_malformed_padding_is_refused(vector: dict[str, Any]) -> None:
    """Bytes without the mark are no padded payload."""
    with pytest.raises(error_of(vector)):
        unpad(bytes.fromhex(vector["padded"]))


@pytest.mark.parametrize("vector", named(LEAF["malformed_payloads"]))
def test_malformed_payloads_are_refused(vector: dict[str, Any]) -> None:
    """A payload reads one way only: canonical JSON, an object, no key twice, finite numbers."""
    with pytest.raises(error_of(vector)):
        parse_payload(vector["payload"].encode())


@pytest.mark.parametrize("vector", named(NOTE["notes"]))
def test_notes(vector: dict[str, Any]) -> None:
    """A note holds by its known keys only; unknown ones are ignored and a bad known one spoils it."""
    keys = [VerifierKey.parse(vkey) for vkey in vector["keys"]]
    if "error" in vector:
        with pytest.raises(error_of(vector)) as raised:
            verify_note(parse_note(vector["note"].encode()), keys)
        assert type(raised.value) is error_of(vector)
        return
    good = verify_note(parse_note(vector["note"].encode()), keys)
    assert [signature.key.name for signature in good] == vector["good"]
    times = {s.key.name: s.time for s in good if s.time is not None}
    assert times == vector.get("times", {})


@pytest.mark.parametrize("vector", named(NOTE["checkpoints"]))
def test_checkpoints(vector: dict[str, Any]) -> None:
    """A checkpoint is three lines in their one canonical form."""
    if "error" in vector:
        with pytest.raises(error_of(vector)):
            Checkpoint.parse(vector["text"])
        return
    checkpoint = Checkpoint.parse(vector["text"])
    assert (checkpoint.origin, checkpoint.head.size, checkpoint.head.root.hex()) == (
        vector["origin"], vector["size"], vector["root"],
    )  # fmt: skip
    assert checkpoint.encode() == vector["text"]


@pytest.mark.parametrize("vector", named(NOTE["vkeys"]))
def test_vkeys(vector: dict[str, Any]) -> None:
    """A vkey is read and written in one form, and its key id must fit."""
    if "error" in vector:
        with pytest.raises(error_of(vector)):
            VerifierKey.parse(vector["vkey"])
        return
    key = VerifierKey.parse(vector["vkey"])
    assert (key.name, int(key.algorithm), key.encode()) == (vector["key_name"], vector["type"], vector["vkey"])


@pytest.mark.parametrize("vector", named(NOTE["keys"]))
def test_signing_keys(vector: dict[str, Any], tmp_path: Path) -> None:
    """A signing key is kept in Go's form and gives the published public key."""
    path = tmp_path / "key"
    made = NoteSigningKey(
        name=vector["name"], algorithm=Algorithm(vector["type"]), seed=bytes.fromhex(vector["seed"])
    )  # fmt: skip
    made.save(path)
    assert path.read_text() == vector["signing_key"] + "\n"
    assert NoteSigningKey.load(path).verifier.encode() == vector["vkey"]


@pytest.mark.parametrize("vector", NOTE["signatures"])
def test_signature_lines(vector: dict[str, Any]) -> None:
    """Signing is deterministic and gives the published line."""
    (key,) = (k for k in NOTE["keys"] if k["name"] == vector["key"])
    signer = NoteSigningKey(name=key["name"], algorithm=Algorithm(key["type"]), seed=bytes.fromhex(key["seed"]))
    assert signer.sign(vector["text"], time=vector["time"]) == vector["line"]


@pytest.mark.parametrize("vector", named(PROOFS["inclusion"]))
def test_inclusion_proofs(vector: dict[str, Any]) -> None:
    """Every inclusion vector of transparency-dev has its expected outcome."""

    def check() -> None:
        verify_inclusion(
            leaf=base64.b64decode(vector["leafHash"] or ""),
            index=vector["leafIdx"],
            size=vector["treeSize"],
            proof=[base64.b64decode(value) for value in vector["proof"] or []],
            root=base64.b64decode(vector["root"] or ""),
        )

    if vector["wantErr"]:
        with pytest.raises(ProofError):
            check()
    else:
        check()


@pytest.mark.parametrize("vector", named(PROOFS["consistency"]))
def test_consistency_proofs(vector: dict[str, Any]) -> None:
    """Every consistency vector has its expected outcome, but the one with 12-byte roots, which is refused."""

    def check() -> None:
        verify_consistency(
            old=TreeHead(size=vector["size1"], root=base64.b64decode(vector["root1"] or "")),
            new=TreeHead(size=vector["size2"], root=base64.b64decode(vector["root2"] or "")),
            proof=[base64.b64decode(value) for value in vector["proof"] or []],
        )

    if vector["wantErr"] or vector["name"] == REFUSED_FOR_ITS_12_BYTE_ROOTS:
        with pytest.raises(ProofError):
            check()
    else:
        check()


def test_all_proof_vectors_are_there() -> None:
    """The whole published set is run, not a part of it."""
    assert (len(PROOFS["inclusion"]), len(PROOFS["consistency"])) == (98, 98)

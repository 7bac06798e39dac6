"""The key ceremony in a custodian's folder: commit, open, finish; each step only when the one before it allows it.

    commit ─► A.commit ─► peer      the pending shares and nonces wait in keys/, mode 0600
    open   ◄─ B.commit              stores the peer's commitment, and only then shows the own shares
    finish ◄─ B.open                verifies both, stores the shares, signs the epoch document
    join   ◄─ both documents        one document with two signatures; it must be the same document

What is exchanged is public. Compare the document's SHA-256 by telephone: it is equal at both custodians.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from broker.custodian import ceremony_files, refresh_files
from broker.custodian.ceremony_files import (
    Pending,
    PendingKey,
    commitments_text,
    load_pending,
    openings_text,
    pending_path,
    read_commitments,
    read_openings,
    store_pending,
)
from broker.custodian.errors import CeremonyStepError
from broker.custodian.keyring import epoch_path, erase_private, write_private, write_share
from broker.protocol import ceremony
from broker.protocol.ceremony import Commitment, Place
from broker.protocol.epochs import SCHEMA, EpochDocument, SecretShare
from broker.protocol.families import Family
from broker.protocol.ristretto import RandomBytes
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey


def commit(
    folder: Path,
    *,
    custodian: str,
    epoch: int,
    families: Iterable[Family],
    random: RandomBytes = secrets.token_bytes,
) -> bytes:
    """Return the commitments to publish; the secrets wait in `keys/`.

    Raises:
        CeremonyStepError: a ceremony or a refresh has begun, or this epoch has a key; none is ever overwritten.
        MalformedError: no such epoch.
    """
    if ceremony_files.has_begun(folder):
        raise CeremonyStepError("a ceremony has begun: finish it, or remove keys/ceremony.pending to give it up")
    if refresh_files.has_begun(folder):
        raise CeremonyStepError("a refresh has begun: put it in use, or remove keys/refresh.pending to give it up")
    if epoch_path(folder, epoch).exists():
        raise CeremonyStepError("this epoch has a key already")
    ordered = sorted(set(families), key=lambda family: family.code)
    if not ordered or Family.DMK in ordered:
        raise CeremonyStepError("name one or more of the families nlbsn, fam and addr")
    keys: list[PendingKey] = []
    commitments: list[Commitment] = []
    for family in ordered:
        place = Place(custodian=custodian, epoch=epoch, family=family)
        share = SecretShare.generate(random)
        commitment, nonce = ceremony.commit(place, share, random)
        keys.append(PendingKey(place=place, share=share, nonce=nonce))
        commitments.append(commitment)
    store_pending(folder, Pending(epoch=epoch, keys=tuple(keys), commitments=tuple(commitments), peer=()))
    return commitments_text(commitments)


def open_shares(folder: Path, *, peer_commitments: bytes, random: RandomBytes = secrets.token_bytes) -> bytes:
    """Return the openings to publish, once the peer's commitments are stored and can no longer change.

    Raises:
        CeremonyStepError: no ceremony has begun, the peer's commitments are not for the same epoch and families, are
            our own, or differ from those stored at an earlier `open`. MalformedError: they are malformed.
    """
    pending = load_pending(folder)
    peer = read_commitments(peer_commitments)
    # (1) The peer committed to the same families of the same epoch, and is not us.
    _check_peer(pending, peer)
    # (2) Its commitments are stored durably before the first own share is shown.
    if not pending.peer:
        store_pending(folder, replace(pending, peer=peer))
    elif pending.peer != peer:
        raise CeremonyStepError("the peer's commitments are not those it made before: stop, and start anew")
    # (3) Only now: public shares, nonces, and proofs that we know the shares.
    opened = [ceremony.open_share(key.place, key.share, key.nonce, random) for key in pending.keys]
    return openings_text(opened)


def finish(
    folder: Path,
    *,
    peer_commitments: bytes,
    peer_openings: bytes,
    key: SigningKey,
    random: RandomBytes = secrets.token_bytes,
) -> bytes:
    """Return the epoch document, signed by this custodian; the shares are in use from the next start.

    Raises:
        CeremonyStepError: `open` was not done, or the peer's commitments are not those stored then.
        CeremonyError, MalformedError: an opening does not hold; nothing was stored.
    """
    pending = load_pending(folder)
    # (1) The peer's commitments are those that were stored before our shares were shown.
    if not pending.peer:
        raise CeremonyStepError("open comes first")
    if read_commitments(peer_commitments) != pending.peer:
        raise CeremonyStepError("the peer's commitments are not those it made before: stop, and start anew")
    # (2) Every opening, ours and the peer's, matches its commitment and proves possession; family by family.
    opened = [ceremony.open_share(held.place, held.share, held.nonce, random) for held in pending.keys]
    opened += read_openings(peer_openings)
    promised = [*pending.commitments, *pending.peer]
    families = {item.place.family for item in promised} | {item.place.family for item in opened}
    descriptors = tuple(
        ceremony.finish(
            [item for item in promised if item.place.family is family],
            [item for item in opened if item.place.family is family],
        )
        for family in sorted(families, key=lambda family: family.code)
    )
    document = EpochDocument(epoch=pending.epoch, descriptors=descriptors)
    custodian = pending.keys[0].place.custodian
    # (3) Shares first, then the document that says they are there; repeating this after a crash gives the same.
    for held in pending.keys:
        write_share(folder, document, held.place.family, held.share)
    signed = SignedDocument(document=document.to_mapping(), signatures=()).with_signature(custodian, key).encode()
    write_private(epoch_path(folder, pending.epoch), signed)
    erase_private(pending_path(folder))
    return signed


def join(texts: Sequence[bytes]) -> bytes:
    """Return one epoch document with the signatures of all; every custodian must have signed the same document.

    The signatures themselves are judged by those who pin the keys. Raises CeremonyStepError, MalformedError.
    """
    first, *others = [SignedDocument.parse(text, schema=SCHEMA) for text in texts]
    document = EpochDocument.from_mapping(first.document)
    if any(other.signed_bytes() != first.signed_bytes() for other in others):
        raise CeremonyStepError("the custodians signed different documents: no key was made, start anew")
    signatures = [signature for item in (first, *others) for signature in item.signatures]
    expected = {held.id for held in document.descriptors[0].custodians}
    if len(signatures) != len(expected) or {item.signer for item in signatures} != expected:
        raise CeremonyStepError("the signatures are not one of each custodian")
    ordered = tuple(sorted(signatures, key=lambda item: item.signer))
    return SignedDocument(document=first.document, signatures=ordered).encode()


def fingerprint(text: bytes) -> str:
    """Return the SHA-256 of the document without its signatures, in hex: what custodians and partners compare."""
    return hashlib.sha256(SignedDocument.parse(text, schema=SCHEMA).signed_bytes()).hexdigest()


def _check_peer(pending: Pending, peer: Sequence[Commitment]) -> None:
    own = pending.keys[0].place.custodian
    if own in {item.place.custodian for item in peer}:
        raise CeremonyStepError("these are our own commitments, not the peer's")
    wanted = [(pending.epoch, held.place.family) for held in pending.keys]
    if [(item.place.epoch, item.place.family) for item in peer] != wanted:
        raise CeremonyStepError("the peer's commitments are not for the same epoch and families")

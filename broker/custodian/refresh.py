"""A refresh of the shares in a custodian's folder: commit, open, finish, use; each step only after the one before it.

    commit ─► A.commit ─► peer      a secret for this refresh waits in keys/, mode 0600
    open   ◄─ B.commit              stores the peer's commitments, and only then shows the own part
    finish ◄─ B.open                verifies both, stores the new shares beside the old, signs the new document
    (join  ◄─ both documents        as after a key ceremony: one document, two signatures)
    use    ◄─ the joined document   the new shares are in use, the old ones and the secret are erased

A custodian signs only when its new share is durable, and lets the old one go only when both have signed and a backup
has the new one. So whatever breaks off, both can still answer: by the old shares, or by the new.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from broker.custodian import ceremony_files, refresh_files
from broker.custodian.backup_stamp import backed_up_shares
from broker.custodian.errors import CeremonyStepError
from broker.custodian.keyring import (
    documents_in_force,
    epoch_path,
    erase_private,
    erase_replaced_shares,
    newest_document,
    share_names,
    shares_of,
    write_private,
    write_share,
)
from broker.custodian.refresh_files import (
    PendingRefresh,
    commitments_text,
    load_pending,
    openings_text,
    pending_path,
    read_commitments,
    read_openings,
    store_pending,
)
from broker.protocol import refresh as exchange
from broker.protocol.ceremony import Place
from broker.protocol.epochs import SCHEMA, EpochDocument
from broker.protocol.refresh import RefreshCommitment, RefreshPlace
from broker.protocol.ristretto import RandomBytes
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import SigningKey, VerifyKey


def commit(folder: Path, *, custodian: str, key: VerifyKey, random: RandomBytes = secrets.token_bytes) -> bytes:
    """Return the commitments to publish; the secrets wait in `keys/`.

    Raises:
        CeremonyStepError: a ceremony or a refresh has begun; it is never overwritten.
        FolderError: there is no key yet.
    """
    if refresh_files.has_begun(folder) or ceremony_files.has_begun(folder):
        raise CeremonyStepError("one has begun: finish it, or remove keys/refresh.pending to give it up")
    document = newest_document(folder, custodian=custodian, key=key)
    begun = [
        exchange.begin(
            RefreshPlace(
                place=Place(custodian=custodian, epoch=document.epoch, family=descriptor.family),
                refresh=document.refresh + 1,
                basis=_basis(document),
            ),
            random,
        )
        for descriptor in document.descriptors
    ]
    commitments = tuple(commitment for commitment, _ in begun)
    store_pending(folder, PendingRefresh(begun=tuple(held for _, held in begun), commitments=commitments, peer=()))
    return commitments_text(commitments)


def open_exchange(
    folder: Path, *, key: VerifyKey, peer_commitments: bytes, random: RandomBytes = secrets.token_bytes
) -> bytes:
    """Return the openings to publish, once the peer's commitments are stored and can no longer change.

    Raises:
        CeremonyStepError: no refresh has begun, or the peer's commitments are not for it, are our own, or differ from
            those stored at an earlier `open`. MalformedError: they are malformed.
    """
    pending = load_pending(folder)
    peer = read_commitments(peer_commitments)
    # (1) The peer committed to the same refresh of the same families, and is not us.
    _check_peer(pending, peer)
    # (2) Its commitments are stored durably before our part is shown.
    if not pending.peer:
        store_pending(folder, replace(pending, peer=peer))
    elif pending.peer != peer:
        raise CeremonyStepError("the peer's commitments are not those it made before: stop, and start anew")
    # (3) Only now: our part, and proofs that we know it and hold the share in force.
    document = _document_in_force(folder, pending, key)
    shares = shares_of(folder, document, custodian=pending.custodian)
    return openings_text([exchange.open_exchange(held, shares[held.key], random) for held in pending.begun])


def finish(
    folder: Path,
    *,
    key: SigningKey,
    peer_commitments: bytes,
    peer_openings: bytes,
    random: RandomBytes = secrets.token_bytes,
) -> bytes:
    """Return the new epoch document, signed by this custodian, whose new shares are stored and not yet in use.

    Raises:
        CeremonyStepError: `open` was not done, or the peer's commitments are not those stored then.
        RefreshError, MalformedError: what was exchanged does not hold; nothing was stored.
    """
    pending = load_pending(folder)
    # (1) The peer's commitments are those that were stored before our part was shown.
    if not pending.peer:
        raise CeremonyStepError("open comes first")
    if read_commitments(peer_commitments) != pending.peer:
        raise CeremonyStepError("the peer's commitments are not those it made before: stop, and start anew")
    document = _document_in_force(folder, pending, key.public)
    shares = shares_of(folder, document, custodian=pending.custodian)
    # (2) Every opening, ours and the peer's, is checked; family by family the same amount moves.
    openings = read_openings(peer_openings)
    openings += [exchange.open_exchange(held, shares[held.key], random) for held in pending.begun]
    promised = [*pending.commitments, *pending.peer]
    refreshed = [
        exchange.conclude(
            held,
            shares[held.key],
            document.descriptor(held.place.place.family),
            commitments=[item for item in promised if item.place.place.family is held.place.place.family],
            openings=[item for item in openings if item.place.place.family is held.place.place.family],
        )
        for held in pending.begun
    ]
    new = EpochDocument(
        epoch=document.epoch, descriptors=tuple(item.descriptor for item in refreshed), refresh=document.refresh + 1
    )
    # (3) The shares are durable before the signature that says so; repeating this after a crash gives the same.
    for item in refreshed:
        write_share(folder, new, item.descriptor.family, item.share)
    return SignedDocument(document=new.to_mapping(), signatures=()).with_signature(pending.custodian, key).encode()


def use(
    folder: Path, text: bytes, *, custodian: str, key: VerifyKey, peer_key: VerifyKey, without_backup: bool = False
) -> EpochDocument:
    """Return the document in force: its shares answer from the next request on, and the old ones are erased.

    Repeating it after a crash ends what was left to do.

    Args:
        without_backup: go on although no backup has the new shares; a broken disk then loses the key.

    Raises:
        SignatureError: this custodian or its peer did not sign it, each with its own key.
        CeremonyStepError, MalformedError: it is no refresh of the document in force, or no backup has its shares.
        FolderError: a share is missing.
    """
    # (1) Both signed, so both hold their new shares durably.
    signed = SignedDocument.parse(text, schema=SCHEMA)
    document = EpochDocument.from_mapping(signed.document)
    others = [held.id for held in document.descriptors[0].custodians if held.id != custodian]
    signed.require({custodian: key} | dict.fromkeys(others, peer_key), at_least=1 + len(others))
    # (2) It keeps the key of every family of the same epoch, and our new shares are those it names.
    in_force = documents_in_force(folder, custodian=custodian, key=key).get(document.epoch)
    if in_force is None or (document != in_force and not document.replaces(in_force)):
        raise CeremonyStepError("this is no refresh of the epoch in force")
    shares_of(folder, document, custodian=custodian)
    # (3) Once the old shares are gone, only a backup of the new ones brings a lost custodian back.
    unsaved = share_names(folder, document) - backed_up_shares(folder)
    if document != in_force and unsaved and not without_backup:
        raise CeremonyStepError("no backup has the new shares: make one since `finish`, then use them")
    # (4) One rename puts all families to the new shares. (5) What could undo it is erased.
    write_private(epoch_path(folder, document.epoch), text)
    _erase_replaced(folder, document)
    return document


def clear_up(folder: Path, *, custodian: str, key: VerifyKey) -> None:
    """Nothing is left of refreshes that are in use: for a start after a crash in the middle of `use`."""
    for document in documents_in_force(folder, custodian=custodian, key=key).values():
        _erase_replaced(folder, document)


def _erase_replaced(folder: Path, document: EpochDocument) -> None:
    """Nothing is left that a document in force has replaced: shares, and the secrets of a refresh that led to it."""
    erase_replaced_shares(folder, document)
    if refresh_files.has_begun(folder):
        begun = load_pending(folder).begun[0].place
        if begun.place.epoch == document.epoch and begun.refresh <= document.refresh:
            erase_private(pending_path(folder))


def _basis(document: EpochDocument) -> bytes:
    return hashlib.sha256(document.canonical()).digest()


def _document_in_force(folder: Path, pending: PendingRefresh, key: VerifyKey) -> EpochDocument:
    """Return the document that the refresh starts from. Raises CeremonyStepError: another one is in force now."""
    document = newest_document(folder, custodian=pending.custodian, key=key)
    if any(held.place.basis != _basis(document) for held in pending.begun):
        raise CeremonyStepError("the epoch in force is not the one this refresh began with: start anew")
    return document


def _check_peer(pending: PendingRefresh, peer: Sequence[RefreshCommitment]) -> None:
    if pending.custodian in {item.place.place.custodian for item in peer}:
        raise CeremonyStepError("these are our own commitments, not the peer's")
    if [item.place.common for item in peer] != [held.place.common for held in pending.begun]:
        raise CeremonyStepError("the peer's commitments are not for this refresh")

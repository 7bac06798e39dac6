import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.protocol.roster import Roster
from broker.protocol.signed_document import SignedDocument
from connectors.errors import FolderError
from connectors.folder import PartnerFolder, Pins, read_jwk
from connectors.settings import FILE, Settings
from connectors.workers import add_worker, pairwise_id, read_teams, roles_of, sign_roster
from tests.simulators.custodian import BROKER, CUSTODIANS, REGISTRARS, register_text, seeded_key
from tests.simulators.partner_world import TEAM, FolderPartner, PartnerWorld, new_folder, oin_of
from tests.unit.audit.log_simulator import policy_text, witness_key
from tests.unit.connectors.cases_by_hand import OTHER_LOG


@pytest.fixture
def folder(tmp_path: Path) -> PartnerFolder:
    """Give a folder that has no register and no epoch yet."""
    policy = policy_text(OTHER_LOG, quorum="none")
    return new_folder(tmp_path / "gi", oin=oin_of(0), name="gi", log_policy=policy)


def test_everything_of_a_partner_is_its_own(folder: PartnerFolder) -> None:
    """The folder is mode 0700, every file in it 0600, and keys never show themselves."""
    assert folder.path.stat().st_mode & 0o777 == 0o700
    for path in folder.path.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert path.name == FILE or path.stat().st_mode & 0o777 == wanted, path
    for key in (folder.signing_key, folder.sealing_key, folder.pairwise_key, folder.case_ref_key, folder.outbox_key):
        assert "seed" not in repr(key)
        assert "b'" not in repr(key) or key is folder.signing_key  # that one shows its public half
    assert len(folder.sealing_key.public) == 32


def test_a_folder_open_to_others_is_refused(folder: PartnerFolder) -> None:
    """A folder or key that others can read is no place for identifiers."""
    key = folder.path / "keys" / "outbox.key"
    key.chmod(0o640)
    with pytest.raises(FolderError, match="0600"):
        _ = PartnerFolder(folder.path).outbox_key
    folder.path.chmod(0o750)
    with pytest.raises(FolderError, match="0700"):
        PartnerFolder(folder.path)


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    """Without a folder, settings or key the error names the command that makes them."""
    with pytest.raises(FolderError, match="init first"):
        PartnerFolder(tmp_path / "none")
    tmp_path.chmod(0o700)
    with pytest.raises(FolderError, match="init first"):
        PartnerFolder(tmp_path)


@pytest.mark.parametrize("name", ["signing.jwk", "sealing.key", "pairwise.key", "outbox.key", "case-reference.key"])
@pytest.mark.parametrize("content", [None, b"", b"AAAA\n", b"not base64!"])
def test_a_damaged_key_is_named_and_never_shown(folder: PartnerFolder, name: str, content: bytes | None) -> None:
    """A missing or damaged key stops the connector with the file's name only."""
    path = folder.path / "keys" / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    keys = {
        "signing.jwk": "signing_key",
        "sealing.key": "sealing_key",
        "pairwise.key": "pairwise_key",
        "outbox.key": "outbox_key",
        "case-reference.key": "case_ref_key",
    }
    with pytest.raises(FolderError) as caught:
        getattr(PartnerFolder(folder.path), keys[name])
    assert name in str(caught.value)


def test_a_second_init_changes_nothing(folder: PartnerFolder) -> None:
    """An existing partner's keys are never made anew."""
    before = folder.signing_key.public
    pins = folder.pins
    with pytest.raises(FolderError, match="already"):
        PartnerFolder.create(folder.path, folder.settings, pins=pins, log_policy=policy_text(OTHER_LOG))
    assert PartnerFolder(folder.path).signing_key.public == before


def test_pins_are_needed_for_every_party(tmp_path: Path, folder: PartnerFolder) -> None:
    """One registrar, or a custodian without a key, or no log policy, is no trust to start with."""
    registrar = {REGISTRARS[0].public.kid: REGISTRARS[0].public}
    policy = policy_text(OTHER_LOG)
    for pins, text in (
        (Pins(registrars=registrar, custodians=folder.pins.custodians), policy),
        (Pins(registrars=folder.pins.registrars, custodians={}), policy),
        (folder.pins, "log nothing"),
    ):
        with pytest.raises(FolderError):
            PartnerFolder.create(tmp_path / "new", folder.settings, pins=pins, log_policy=text)
    assert not (tmp_path / "new").exists()


def test_only_a_register_of_two_pinned_registrars_is_taken(folder: PartnerFolder) -> None:
    """One signature, or a stranger's, or no higher number, leaves the register as it was."""
    partner = FolderPartner(oin=oin_of(0), name="gi", folder=folder)
    with pytest.raises(FolderError, match="import it first"):
        _ = folder.register
    strangers = (seeded_key("stranger 1"), seeded_key("stranger 2"))
    for signers in (REGISTRARS[:1], strangers, (REGISTRARS[0], strangers[0])):
        with pytest.raises(FolderError, match="two registrars"):
            folder.import_register(register_text([partner], signers=signers))
    assert folder.import_register(register_text([partner], number=2)).number == 2
    for number in (1, 2):
        with pytest.raises(FolderError, match="no higher number"):
            folder.import_register(register_text([partner], number=number))
    assert folder.organisation.oin == oin_of(0)


def test_a_register_changed_on_disk_is_refused_at_the_next_load(folder: PartnerFolder) -> None:
    """Documents are verified at every load, not only when they were imported."""
    partner = FolderPartner(oin=oin_of(0), name="gi", folder=folder)
    folder.import_register(register_text([partner]))
    path = folder.path / "register.json"
    path.write_bytes(path.read_bytes().replace(b'"active"', b'"suspended"'))
    with pytest.raises(FolderError, match="two registrars"):
        _ = PartnerFolder(folder.path).register


def test_an_organisation_outside_the_register_cannot_work(folder: PartnerFolder) -> None:
    """A register that does not name this organisation gives it nothing to sign for."""
    folder.import_register(register_text([]))
    with pytest.raises(FolderError, match="does not name"):
        _ = folder.organisation


def test_only_an_epoch_that_every_custodian_signed_is_taken(world: PartnerWorld, tmp_path: Path) -> None:
    """Descriptors count with all signatures, of the custodians pinned here, and never go back."""
    gi = world.folders["gi"]
    signed = SignedDocument.parse((gi.path / "epochs.json").read_bytes(), schema="epoch/v1")
    fresh = new_folder(tmp_path / "new", oin=oin_of(5), name="new", log_policy=policy_text(OTHER_LOG))
    one = SignedDocument(document=signed.document, signatures=signed.signatures[:1])
    with pytest.raises(FolderError, match="every custodian"):
        fresh.import_epoch(one.encode())
    stranger = seeded_key("stranger")
    with pytest.raises(FolderError, match="every custodian"):
        fresh.import_epoch(one.with_signature(CUSTODIANS[1], stranger).encode())
    assert fresh.import_epoch(signed.encode()).epoch == 1
    with pytest.raises(FolderError, match="no later"):
        fresh.import_epoch(signed.encode())


def test_an_epoch_of_other_custodians_is_refused(world: PartnerWorld, tmp_path: Path) -> None:
    """Signatures of the pinned custodians do not make somebody else's shares theirs."""
    document = SignedDocument.parse((world.folders["gi"].path / "epochs.json").read_bytes(), schema="epoch/v1").document
    text = str(SignedDocument(document=document, signatures=()).encode(), "utf-8")
    renamed = SignedDocument.parse(text.replace("custodian-b", "custodian-c"), schema="epoch/v1")
    for custodian in CUSTODIANS:
        renamed = renamed.with_signature(custodian, seeded_key(custodian))
    fresh = new_folder(tmp_path / "new", oin=oin_of(5), name="new", log_policy=policy_text(OTHER_LOG))
    with pytest.raises(FolderError, match="other custodians"):
        fresh.import_epoch(renamed.encode())


def test_a_worker_is_another_person_to_every_party(folder: PartnerFolder) -> None:
    """Pairwise ids differ per audience and per organisation, and stay the same in time."""
    audiences = (BROKER, *CUSTODIANS)
    ids = {pairwise_id(folder.pairwise_key, audience=audience, local_id="anna") for audience in audiences}
    assert len(ids) == 3
    assert all(len(worker) == 26 and worker.islower() for worker in ids)
    again = PartnerFolder(folder.path)
    assert pairwise_id(again.pairwise_key, audience=BROKER, local_id="anna") in ids


def test_a_custodians_roster_names_each_worker_as_the_broker_does(world: PartnerWorld) -> None:
    """The broker's has contact cards, no second id, and what the meldcode asks; a custodian's the id at the broker."""
    gi = world.folders["gi"]
    read = {
        audience: Roster.read(
            sign_roster(gi, audience=audience, teams=[TEAM]).encode(), audience=audience, organisation=gi.organisation
        )
        for audience in (BROKER, CUSTODIANS[0])
    }
    at_broker, at_custodian = read[BROKER], read[CUSTODIANS[0]]
    assert {worker.broker_sub for worker in at_custodian.workers.values()} == set(at_broker.workers)
    assert all(worker.broker_sub is None for worker in at_broker.workers.values())
    assert (list(at_broker.teams), list(at_custodian.teams)) == (["team-1"], [])
    assert (at_broker.meldcode_approval, at_custodian.meldcode_approval) == (True, True)
    settings = gi.path / "partner.toml"
    settings.write_text(settings.read_text().replace("meldcode_approval = true", "meldcode_approval = false"))
    changed = PartnerFolder(gi.path)
    assert sign_roster(changed, audience=BROKER).document["meldcodeApproval"] is False
    assert "meldcodeApproval" not in sign_roster(changed, audience=CUSTODIANS[0]).document
    later = sign_roster(gi, audience=BROKER)
    assert later.document["number"] > at_broker.number


def test_workers_need_a_plain_id_and_a_known_role(folder: PartnerFolder) -> None:
    """An id with blanks, an unknown role or no role at all is refused."""
    for local_id, roles in (("a b", ["worker"]), ("dora", ["king"]), ("dora", [])):
        with pytest.raises(FolderError):
            add_worker(folder, local_id=local_id, name="Dora", roles=roles)
    with pytest.raises(FolderError, match="not in this folder"):
        roles_of(folder, "dora")
    assert roles_of(folder, "carla") == {"approver"}


@pytest.mark.parametrize("value", [{}, [1], [{"code": "t"}], [{**TEAM.document(), "phone": "x" * 30}]])
def test_contact_cards_keep_their_form(value: object) -> None:
    """A card that breaks a rule of the roster is named before it is signed."""
    with pytest.raises(FolderError, match="teams"):
        read_teams(value)
    assert read_teams([TEAM.document()]) == [TEAM]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('oin = "', 'oin = "1'),
        lambda text: "surprise = 1\n" + text,
        lambda text: text.replace("https://", "ftp://"),
        lambda text: text.replace("[[custodians]]", "[[other]]", 1),
        lambda text: "= broken" + text,
        lambda text: text + "\udcff",
    ],
)
def test_settings_are_strict(folder: PartnerFolder, change: Callable[[str], str]) -> None:
    """An unknown, missing or malformed setting refuses to start and names the field, never the value."""
    path = folder.path / FILE
    path.write_bytes(change(path.read_text("utf-8")).encode("utf-8", "surrogateescape"))
    with pytest.raises(FolderError):
        PartnerFolder(folder.path)


def test_settings_come_back_as_they_were_written(folder: PartnerFolder) -> None:
    """What init wrote is what is read, families and age rule included."""
    assert Settings.read(folder.path) == folder.settings
    assert folder.settings.families_of("proefregio") == ("nlbsn", "fam", "addr")
    assert folder.settings.families_of("verwijsindex") == ("nlbsn", "fam")


def test_a_pin_that_is_no_key_is_refused(folder: PartnerFolder, tmp_path: Path) -> None:
    """A file without a public Ed25519 key pins nobody."""
    shutil.copy(folder.path / "keys" / "signing.jwk", tmp_path / "private.jwk")
    for path in (tmp_path / "private.jwk", tmp_path / "none.jwk"):
        with pytest.raises(FolderError, match="public Ed25519"):
            read_jwk(path)
    assert witness_key().verifier.name

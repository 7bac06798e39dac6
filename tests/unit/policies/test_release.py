"""A release: what is signed is what decides, by two people, and by both again for what it opens."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policies import Bundle, ConvenantError, load_bundle
from policies.diff import compare
from policies.errors import InsecureBundleError, ReleaseError, SignatureError
from policies.load import SHIPPED, load_contents
from policies.release import Release, bundle_at, read_bundle, read_release
from policies.signing import b64url
from tests.simulators.signing_people import DAY, OFFICER, PARTY, STRANGER, key_of, released, signers
from tests.unit.policies.arnhem import CHECK, VIRA, changed_documents

WHAT = {"bundle": "the bundle", "openings": "what it opens"}
COMPILES = "bundle: must be what this version compiles its documents to; decide with the version named"


@pytest.fixture(scope="module")
def release(shipped: Bundle) -> Release:
    """The shipped documents, released as the first bundle."""
    return released(shipped)


def test_a_release_is_what_it_was_when_read_again(release: Release) -> None:
    """A release file holds the whole bundle, which decides as the documents do, and is the same byte for byte."""
    again = Release.parse(release.encode())
    assert again.encode() == release.encode()
    assert again.bundle.sha256 == release.bundle.sha256
    assert again.bundle.decision_point().may_ask(CHECK) == release.bundle.decision_point().may_ask(CHECK)
    assert {person.name for person in again.holds(signers())} == {OFFICER, PARTY}


def test_law_and_registration_are_two_times(release: Release) -> None:
    """The day of registration is in the statement; from when a document holds is in the document, and moves neither."""
    later = replace(release, registered_on=date(2027, 1, 1))
    assert later.bundle.sha256 == release.bundle.sha256
    assert later.statement()["registered_on"] == "2027-01-01"
    with pytest.raises(SignatureError):
        later.holds(signers())


@pytest.mark.parametrize(
    "missing",
    [(OFFICER, "bundle"), (PARTY, "bundle"), (OFFICER, "openings"), (PARTY, "openings")],
    ids=" ".join,
)
def test_it_takes_both_people_for_the_bundle_and_for_what_opens(release: Release, missing: tuple[str, str]) -> None:
    """With any one signature less, a release that opens something does not hold."""
    name, scope = missing
    kept = tuple(one for one in release.signatures if (one.kid, one.scope) != (key_of(name).public.kid, scope))
    assert len(kept) == 3
    with pytest.raises(
        SignatureError, match=rf"^too few signed {WHAT[missing[1]]}: it takes one partij and one privacyfunctionaris$"
    ):
        replace(release, signatures=kept).holds(signers())


def test_what_only_closes_needs_no_second_sign_off(shipped: Bundle, tmp_path: Path) -> None:
    """A bundle that opens nothing holds with two signatures."""
    folder = changed_documents(tmp_path, (VIRA, "vragend: [wijkteam, gi, veilig_thuis]", "vragend: [wijkteam, gi]"))
    closing = load_bundle(folder)
    draft = Release.draft(closing, compare(shipped, closing), registered_on=DAY)
    assert (draft.openings, draft.replaces) == (0, shipped.sha256)
    signed = draft.signed(key_of(OFFICER), "bundle").signed(key_of(PARTY), "bundle")
    assert len(signed.holds(signers())) == 2


def test_one_person_counts_once(release: Release) -> None:
    """Signing twice is one signature, and nobody stands in for another role."""
    twice = replace(release, signatures=()).signed(key_of(OFFICER), "bundle").signed(key_of(OFFICER), "bundle")
    assert len(twice.signatures) == 1
    with pytest.raises(SignatureError, match=r"^too few signed the bundle: "):
        twice.holds(signers())


def test_a_signature_of_a_stranger_spoils_a_release(release: Release) -> None:
    """Who is on no list signs nothing, also beside the two who are."""
    with pytest.raises(SignatureError, match=r"^a signature is of nobody on the list of signers$"):
        release.signed(key_of(STRANGER), "bundle").holds(signers())


def test_a_signature_for_one_thing_is_none_for_another(release: Release) -> None:
    """Signing the bundle is not signing for what it opens."""
    swapped = tuple(replace(one, scope="openings" if one.scope == "bundle" else "bundle") for one in release.signatures)
    with pytest.raises(SignatureError, match=r"^a signature of a known key does not hold$"):
        replace(release, signatures=swapped).holds(signers())


def _changed(release: Release, change: Callable[[dict[str, Any]], None]) -> bytes:
    content = json.loads(release.encode())
    change(content)
    return json.dumps(content).encode()


def _set(*path: str, to: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for part in path[:-1]:
            content = content[part]
        content[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_set("bundle", "compiler", to="policies/0"), COMPILES),
        (_set("bundle", "lines", to=[["x"]]), COMPILES),
        (_set("bundle", "obligations", to={}), COMPILES),
        (_set("bundle", "model", to=""), COMPILES),
        (_set("statement", "bundle", to="0" * 64), "statement.bundle: must be the hash of the bundle in the file"),
        (_set("statement", "registered_on", to="22-11-2026"), "statement.registered_on: must follow release/v1"),
        (_set("statement", "replaces", to="x"), "statement.replaces: must follow release/v1"),
        (_set("extra", to=1), "file: must follow release/v1"),
        (_set("schema", to="bundle/v1"), "schema: must follow release/v1"),
        (_set("bundle", "obligations", to={"x": [{"n": 2**60}]}), "bundle: must have a canonical form"),
        (
            lambda content: content["signatures"][0].update(value="A" * 85 + "B"),
            "signatures.value: must be 64 bytes in base64url",
        ),
    ],
)
def test_a_release_that_says_something_else_than_it_does_is_refused(
    release: Release, change: Callable[[dict[str, Any]], None], rule: str
) -> None:
    """Lines, duties, model or hash that its documents do not compile to are refused before any signature counts."""
    with pytest.raises(ReleaseError) as caught:
        Release.parse(_changed(release, change))
    assert str(caught.value) == rule


def test_a_changed_document_is_another_bundle(release: Release) -> None:
    """A document changed inside the file, with lines and hash as they were, does not load."""

    def change(content: dict[str, Any]) -> None:
        content["bundle"]["documents"][VIRA]["titel"] = "Een andere titel"

    with pytest.raises(ReleaseError):
        Release.parse(_changed(release, change))


def test_a_bundle_file_holds_no_test_document(trial: Bundle) -> None:
    """Test documents cannot be signed into force, whatever folder name they travel under."""
    contents = {file: dict(content) for file, content in trial.documents.items()}
    with pytest.raises(InsecureBundleError):
        load_contents(contents)
    moved = {file.replace("test/", "proef/"): content for file, content in contents.items()}
    with pytest.raises(InsecureBundleError):
        load_contents(moved)
    with pytest.raises(ConvenantError, match=r"^there is no document: refusing to decide without any$"):
        load_contents({})


def test_a_bundle_is_named_by_folder_release_or_file(release: Release, tmp_path: Path) -> None:
    """Tools take a folder of documents, a release, the bare bundle, or nothing for what we ship."""
    signed, bare = tmp_path / "release.json", tmp_path / "bundle.json"
    signed.write_bytes(release.encode())
    bare.write_bytes(release.bundle.canonical())
    found = [bundle_at(place).sha256 for place in (None, SHIPPED, signed, bare)]
    assert set(found) == {release.bundle.sha256}
    assert read_release(signed).encode() == release.encode()


def test_what_is_no_bundle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, text, a list, another schema and a file without end are each told."""
    for name, text, rule in (
        ("text", "{", "file: must be JSON"),
        ("deep", "[" * 100_000, "file: must be JSON"),
        ("list", "[]", "file: must be a JSON object"),
        ("other", '{"schema": "other/v1"}', "file: must follow release/v1"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(ReleaseError, match=f"^{rule}$"):
            read_bundle(tmp_path / name)
    with pytest.raises(ReleaseError, match=r"^bundle: must be a folder of documents, a release or a bundle file$"):
        bundle_at(tmp_path / "missing")
    with pytest.raises(ReleaseError, match=r"^file: must be a readable file$"):
        read_bundle(tmp_path / "missing")
    monkeypatch.setattr("policies.release.MAX_BYTES", 1)
    with pytest.raises(ReleaseError, match=r"^file: must be at most 1 bytes$"):
        read_bundle(tmp_path / "list")


def test_every_byte_of_a_statement_is_signed(release: Release) -> None:
    """Another count or hash of openings under the same signatures does not hold."""
    for wrong in (replace(release, openings=0), replace(release, diff="0" * 64), replace(release, replaces="0" * 64)):
        with pytest.raises(SignatureError):
            wrong.holds(signers())
    assert b64url(release.signatures[0].value) in release.encode().decode()

"""From whom a letter or a call is kept, and whether it rests on what it did: by signals that stand in the test."""

from dataclasses import replace

import pytest

from broker.domain.households import MatchKind
from broker.domain.information_requests import InformationRequest, LetterKind, RequestReply
from broker.domain.matches import KeptMatch, Link
from broker.domain.phone_calls import Oral, PhoneCall
from broker.domain.requests import Requester
from broker.domain.signals import Exclusion, Signal
from broker.flows.kept_letters import kept_from, open_calls
from broker.flows.withholding import UNCHANGED, Basis, as_it_was, bases
from broker.ports import Stamp, StampKey, StampKind
from broker.request_ports import kept
from tests.property.broker.test_consents import DAY
from tests.simulators.enrolled import GI, SCHOOL, WIJKTEAM
from tests.simulators.kept_signals import KeptMatches, KeptSignals, shield_stamp
from tests.simulators.proposals import a_signal
from tests.unit.broker.flows.test_seeing_facts import a_match

WORKER = "w"
REPLY = RequestReply(
    id="r", worker="x", kind="all", reason=None, categories=("hulp",), level=3, grounds=("TOEST",), proof=None,
    signal_id=None, approved=False, bundle="0" * 64, answered_at=0, expires_on=DAY, rests_on=(),
)  # fmt: skip
LETTER = InformationRequest(
    id="l" * 32,
    kind=LetterKind.REQUEST,
    sender=WIJKTEAM,
    sender_team="team-1",
    sender_worker="s",
    sender_role="worker",
    controller=WIJKTEAM,
    receiver=GI,
    receiver_team="team-1",
    personal=False,
    purpose="proefregio",
    grounds=("TOEST",),
    categories=("hulp",),
    level=3,
    proof=None,
    signal_id=None,
    approved=False,
    bundle="0" * 64,
    sent_at=0,
    expires_on=DAY,
    rests_on=(),
)


def hidden(name: str, organisation: str, *, worker: str = WORKER) -> Signal:
    """Return a signal that is kept from one worker of its own organisation."""
    by = frozenset({Exclusion(organisation=organisation, worker=worker)})
    return replace(a_signal(name, organisation=organisation), exclusions=by)


OURS, THEIRS = hidden("ours", WIJKTEAM), hidden("theirs", GI)


def who(organisation: str) -> Requester:
    """Return the worker of this organisation who reads."""
    return Requester(
        organisation=organisation, parent_org=None, worker=WORKER, role="worker", acr="substantial", jti="0" * 32
    )


async def is_kept(
    letter: InformationRequest, by: str, *signals: Signal, match: KeptMatch | None = None
) -> tuple[bool, tuple[Stamp, ...]]:
    """Return whether a letter is kept from this organisation's worker, and the stamps of what says so."""
    return await kept_from(
        letter, who(by), signals=KeptSignals(signals=signals),
        matches=KeptMatches(matches=() if match is None else (match,)),
    )  # fmt: skip


async def test_a_letter_is_kept_by_the_signal_its_own_side_named() -> None:
    """The sender by what the letter names, the receiver by what the answer does; never by the other side's."""
    letter = replace(LETTER, signal_id=OURS.id, reply=replace(REPLY, signal_id=THEIRS.id))
    both = (OURS, THEIRS)
    assert await is_kept(letter, WIJKTEAM, *both) == (True, (shield_stamp(OURS),))
    assert await is_kept(letter, GI, *both) == (True, (shield_stamp(THEIRS),))
    assert await is_kept(replace(letter, reply=None), GI, *both) == (False, ())
    assert await is_kept(replace(letter, reply=REPLY), GI, *both) == (False, ())
    assert await is_kept(replace(letter, signal_id=None), WIJKTEAM, *both) == (False, ())
    assert await is_kept(letter, WIJKTEAM, replace(OURS, exclusions=frozenset())) == (False, (shield_stamp(OURS),))
    another = hidden("ours", WIJKTEAM, worker="another")
    assert await is_kept(letter, WIJKTEAM, another) == (False, (shield_stamp(another),))
    assert await is_kept(letter, WIJKTEAM) == (False, ())


async def test_a_letter_is_kept_by_the_signals_of_its_match_also_when_that_is_gone() -> None:
    """Each side by its own among them, one that hides it being enough; every one found is relied on."""
    open_one = a_signal("open", organisation=WIJKTEAM)
    letter = replace(LETTER, about_signals=(open_one.id, OURS.id, THEIRS.id, "0" * 32))
    found = await is_kept(letter, WIJKTEAM, open_one, OURS, THEIRS)
    assert found == (True, (shield_stamp(open_one), shield_stamp(OURS)))
    assert await is_kept(letter, GI, open_one, OURS, THEIRS) == (True, (shield_stamp(THEIRS),))
    assert await is_kept(letter, SCHOOL, open_one, OURS, THEIRS) == (False, ())


def matched(newer: Signal, older: Signal) -> KeptMatch:
    """Return a match of our newer signal with theirs that neither side was shown."""
    return a_match(Link(signal=older, kind=MatchKind.PERSON, shown=False, tells=False), newer=newer)


@pytest.mark.parametrize("by", [WIJKTEAM, GI, SCHOOL])
async def test_the_match_it_names_keeps_it_from_its_own_sides(by: str) -> None:
    """By the signals of that side alone, whatever it sees of the other; of who is no side nothing is kept."""
    plain = {one.organisation: replace(one, exclusions=frozenset()) for one in (OURS, THEIRS)}
    letter = replace(LETTER, match_id="m")
    relied = (KeptMatches().stamp,)
    both = matched(OURS, THEIRS)
    assert await is_kept(letter, by, match=both) == (by != SCHOOL, relied)
    assert await is_kept(letter, by, match=matched(OURS, plain[GI])) == (by == WIJKTEAM, relied)
    assert await is_kept(letter, by, match=matched(plain[WIJKTEAM], THEIRS)) == (by == GI, relied)
    assert await is_kept(letter, by) == (False, relied)
    assert await is_kept(replace(letter, match_id=None), by, match=both) == (False, ())
    assert await is_kept(replace(letter, match_id="another"), by, match=both) == (False, relied)


async def test_what_a_letter_and_its_match_say_is_relied_on_together() -> None:
    """The stamps of the named signals come first, then those of the match."""
    letter = replace(LETTER, signal_id=OURS.id, match_id="m")
    _, stamps = await is_kept(letter, WIJKTEAM, OURS, match=matched(OURS, THEIRS))
    assert stamps == (shield_stamp(OURS), KeptMatches().stamp)
    plain = a_signal("plain", organisation=WIJKTEAM)
    for named, newer in ((OURS, plain), (plain, OURS)):
        letter = replace(LETTER, signal_id=named.id, match_id="m")
        assert (await is_kept(letter, WIJKTEAM, named, match=matched(newer, THEIRS)))[0]


def a_call(name: str, signal: Signal | None, *, oral: Oral | None = None) -> PhoneCall:
    """Return a call of the wijkteam to the GI that rests on this own signal."""
    return PhoneCall(
        id=name, caller=WIJKTEAM, caller_team="team-1", worker="s", controller=WIJKTEAM, receiver=GI,
        receiver_team="team-1", purpose="proefregio", grounds=("TOEST",), categories=("hulp",), level=3, made_at=0,
        key=bytes(32), signal_id=None if signal is None else signal.id, oral=oral,
    )  # fmt: skip


async def test_calls_that_are_kept_from_him_are_in_no_list() -> None:
    """The others stay in their order; every stamp that was read is relied on, each once, of the kept ones too."""
    seen = a_signal("seen", organisation=WIJKTEAM)
    calls = [a_call("a", seen), a_call("b", OURS), a_call("c", None), a_call("d", seen)]
    found = await open_calls(
        calls, who(WIJKTEAM),
        signals=KeptSignals(signals=(seen, OURS)), matches=KeptMatches(),
    )  # fmt: skip
    assert ([one.id for one in found[0]], found[1]) == (["a", "c", "d"], (shield_stamp(seen), shield_stamp(OURS)))
    none = await open_calls(
        calls, who(SCHOOL), signals=KeptSignals(),
        matches=KeptMatches(),
    )  # fmt: skip
    assert ([one.id for one in none[0]], none[1]) == (["a", "b", "c", "d"], ())
    on_match = await open_calls(
        [replace(a_call("m", None), match_id="m")], who(WIJKTEAM), signals=KeptSignals(),
        matches=KeptMatches(matches=(matched(OURS, THEIRS),)),
    )  # fmt: skip
    assert on_match == ((), (KeptMatches().stamp,))


FIRST, SECOND = (Stamp(of=StampKey(kind=StampKind.SHIELD, key=name), version=1) for name in (b"first", b"second"))
CONSENT = Stamp(of=StampKey(kind=StampKind.CONSENT, key=b"consent"), version=1)


def test_stamps_of_consents_are_not_compared() -> None:
    """What a consent says is decided on anew; everything else must be as it was."""
    rests_on, stamps = kept((FIRST, CONSENT, SECOND)), {one.of: one for one in (FIRST, CONSENT, SECOND)}
    assert as_it_was(rests_on, stamps)
    assert as_it_was(rests_on, {**stamps, CONSENT.of: replace(CONSENT, version=2)})
    for moved in (FIRST, SECOND):
        assert not as_it_was(rests_on, {**stamps, moved.of: replace(moved, version=2)})
    assert (UNCHANGED.letter, UNCHANGED.answer) == (True, True)


@pytest.mark.parametrize(
    ("moved", "basis"),
    [
        (None, Basis(letter=True, answer=True)),
        (FIRST, Basis(letter=False, answer=False)),
        (SECOND, Basis(letter=True, answer=False)),
        (CONSENT, Basis(letter=True, answer=True)),
    ],
    ids=["nothing", "the letter's", "the answer's", "a consent"],
)
async def test_an_answer_rests_on_its_letter_too(moved: Stamp | None, basis: Basis) -> None:
    """What the letter rests on takes both back, what the answer does that one alone; each key is read once."""
    answered = replace(LETTER, rests_on=kept((FIRST, CONSENT)), reply=replace(REPLY, rests_on=kept((SECOND, FIRST))))
    alone = replace(LETTER, id="o" * 32, rests_on=kept((FIRST,)))
    store = KeptSignals(versions={} if moved is None else {moved.of: 2})
    found, current = await bases([answered, alone], signals=store)
    assert found == {answered.id: basis, alone.id: Basis(letter=basis.letter, answer=basis.letter)}
    assert store.asked == [FIRST.of, CONSENT.of, SECOND.of]
    assert [one.of for one in current] == store.asked
    assert [one.version for one in current] == [2 if one.of == getattr(moved, "of", None) else 1 for one in current]


async def test_what_rests_on_nothing_holds_and_reads_nothing() -> None:
    """No letter, or one that rests on nothing: no stamp is read."""
    store = KeptSignals()
    assert await bases([], signals=store) == ({}, ())
    assert await bases([LETTER], signals=store) == ({LETTER.id: UNCHANGED}, ())
    assert store.asked == []

"""Whether a phone call, and its oral answer, are still told of: judged as the letter that the call stands for (D8).

What was withdrawn, shielded or ended since is not told by a call either. Who verified the caller was told already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from broker.consent_ports import ConsentReader
from broker.domain.phone_calls import PhoneCall
from broker.exception_ports import ExceptionReader
from broker.flows.act import Act
from broker.flows.holding import still_holds
from broker.flows.policy import PolicyInForce
from broker.flows.request_of import OnRequest
from broker.flows.withholding import UNCHANGED, bases
from broker.match_ports import MatchReader
from broker.ports import Clock, SignalStore, Stamp
from broker.protocol.register import Organisation, Register


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Who looks at calls, and everything that it takes to judge them anew."""

    act: Act
    organisation: Organisation
    policy: PolicyInForce
    register: Register
    clock: Clock
    signals: SignalStore
    matches: MatchReader
    consents: ConsentReader
    exceptions: ExceptionReader

    async def of(self, call: PhoneCall) -> tuple[bool, tuple[Stamp, ...]]:
        """Return whether it could still be made, or its answer given, and the stamps of all that was read.

        Who was called is told of the call, who called of its answer.
        """
        on, holds = await still_holds(
            self._on(call), clock=self.clock, signals=self.signals, matches=self.matches, consents=self.consents,
            exceptions=self.exceptions,
        )  # fmt: skip
        return holds, on.relies_on

    def _on(self, call: PhoneCall) -> OnRequest:
        letter = call.as_letter()
        if self.organisation.oin == call.receiver:
            letter = replace(letter, reply=None)
        return OnRequest(
            act=self.act, request=letter, organisation=self.organisation, policy=self.policy, register=self.register,
            today=self.clock.today(), basis=UNCHANGED, relies_on=(),
        )  # fmt: skip


async def withheld_of(
    calls: Iterable[PhoneCall], judging: Judging
) -> tuple[Mapping[str, bool], tuple[Stamp, ...]]:  # fmt: skip
    """Return of each call, by its id, whether this organisation is told of it no more, and the stamps of that.

    What cites a consent or an exception, or still waits to be verified, is decided on anew; for the rest it is enough
    that nothing of what it rests on has moved.
    """
    listed = [call for call in calls if _tells(call, judging.organisation)]
    unmoved, current = await bases(listed, signals=judging.signals)
    stamps, withheld = dict.fromkeys(current), {}
    for call in listed:
        received = judging.organisation.oin == call.receiver
        holds = unmoved[call.id].answer
        if holds and (received or call.consent_id is not None or _answer_cites(call)):
            holds, read = await judging.of(call)
            stamps |= dict.fromkeys(read)
        withheld[call.id] = not holds
    return withheld, tuple(stamps)


def _tells(call: PhoneCall, organisation: Organisation) -> bool:
    """Return whether this organisation has still to be told something: a code that counts, or an answer to its call.

    Who verified a call, or noted its answer, knows what it is about.
    """
    unknown = call.verified_at is None and call.oral is None
    return unknown or (call.oral is not None and organisation.oin == call.caller)


def _answer_cites(call: PhoneCall) -> bool:
    oral = call.oral
    return oral is not None and not (call.consent_id is oral.consent_id is oral.exception_id is None)

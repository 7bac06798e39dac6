"""Say how far one's own side of a match is; one click says that the two work together already."""

from broker.domain.matches import ChangeMatch, MatchState
from broker.domain.requests import Requester
from broker.flows.act import Act
from broker.flows.changing_match import Step, change_own_match
from broker.flows.outcome import Answered
from broker.flows.own_match import OwnMatch
from broker.flows.policy import Policies, PolicyInForce
from broker.match_ports import MatchReader
from broker.ports import AnswerStore, Clock, Log, RegisterReader, RosterReader, SignalStore
from broker.protocol.match_messages import ChangeMatchState
from broker.protocol.register import Register


async def follow_up_match(
    *,
    command: ChangeMatchState,
    match_id: str,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    rosters: RosterReader,
    signals: SignalStore,
    matches: MatchReader,
    answers: AnswerStore,
    log: Log,
) -> Answered:
    """The own side of the match is so far; outcome `done`. What the other side says of itself does not change.

    Raises:
        NotFoundError, RefusedError, NotDoneError and others: as `change_own_match`.
    """
    act = Act.stating("follow_up_match", "match", command, requester, target=match_id)
    state = MatchState(command.state)

    def step(own: OwnMatch, _: PolicyInForce, __: Register) -> Step:
        change = ChangeMatch(
            match_id=own.match.id,
            organisation=own.side.of.organisation,
            was=own.side.state,
            state=state,
            on=clock.today(),
        )
        muted = state is MatchState.TOGETHER
        return Step(changes=(change,), state=state, text="match.together" if muted else "match.changed")

    return await change_own_match(
        step, match_id=match_id, act=act, requester=requester, policies=policies, clock=clock, registers=registers,
        rosters=rosters, signals=signals, matches=matches, answers=answers, log=log,
    )  # fmt: skip

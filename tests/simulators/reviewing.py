"""The requests of reviewers, past the edge: `Reviewers(world).queue(GI)` and the like."""

from dataclasses import dataclass
from typing import Any, cast

from broker.domain.acts import ActFilter
from broker.domain.requests import Requester
from broker.domain.review import VERDICT
from broker.flows.change_threshold import change_threshold, show_thresholds
from broker.flows.draw_sample import draw_sample
from broker.flows.give_verdict import give_verdict
from broker.flows.list_accounts import list_accounts
from broker.flows.note_log_check import note_log_check
from broker.flows.outcome import Answered
from broker.flows.rejudge_verdict import rejudge_verdict
from broker.flows.report_month import report_month
from broker.flows.review_acts import Wanted, review_acts
from broker.flows.review_erasures import review_erasures
from broker.flows.review_household import review_household
from broker.flows.review_notes import review_notes
from broker.flows.show_own_acts import show_own_acts
from broker.protocol.review_messages import ChangeThreshold, DrawSample, GiveVerdict, NoteLogCheck, RejudgeVerdict
from tests.simulators.broker_world import World, log_policy, requester
from tests.simulators.enrolled import worker_id

PF, FG = "privacyfunctionaris", "fg"


@dataclass(slots=True)
class Reviewers:
    """Everybody who reviews, in one world."""

    world: World
    asked: int = 0

    def who(self, oin: str, role: str, worker: str = "") -> Requester:
        """Return an organisation's reviewer, or another of its workers in that role."""
        self.asked += 1
        asker = self.world.asker(oin, seed=f"review {self.asked}")
        return requester(asker, role=role, worker=worker or worker_id(oin, role))

    def body(self, oin: str, **members: object) -> dict[str, Any]:
        """Return the body of a reviewer's statement."""
        self.asked += 1
        return self.world.asker(oin, seed=f"body {self.asked}").command(**members)

    @property
    def _ports(self) -> dict[str, Any]:
        world = self.world
        return {
            "policies": world.policies,
            "clock": world.clock,
            "registers": world.documents,
            "signals": world.signals,
            "answers": world.answers,
            "log": world.log,
        }

    @property
    def _rosters(self) -> dict[str, Any]:
        return {"rosters": self.world.documents}

    @property
    def _acts(self) -> dict[str, Any]:
        return {"acts": self.world.acts}

    @property
    def _notes(self) -> dict[str, Any]:
        return {"notes": self.world.notes}

    def wanted(self, *, queue: bool = False, after: int | None = None, days: int = 28, **filters: Any) -> Wanted:  # noqa: ANN401 - members of a filter
        """Return what a timeline of the last days asks for."""
        now = self.world.clock.now()
        period = {"since": now - days * 86_400, "until": now + 1, **filters}
        return Wanted(filter=ActFilter(**period), queue=queue, after=after)

    async def acts(self, oin: str, *, role: str = PF, by: str = "", **wanted: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - members of what is wanted
        """Return the acts that a reviewer of an organisation sees."""
        return shown(await self.answered(oin, role=role, by=by, **wanted), "acts")

    async def answered(self, oin: str, *, role: str = PF, by: str = "", **wanted: Any) -> Answered:  # noqa: ANN401 - members of what is wanted
        """Return the whole answer to a look at the acts."""
        ports = {**self._ports, **self._rosters, **self._acts, **self._notes}
        return await review_acts(
            wanted=self.wanted(**wanted), requester=self.who(oin, role, by), **ports
        )  # fmt: skip

    async def queue(self, oin: str, *, role: str = PF) -> list[dict[str, Any]]:
        """Return what waits for a verdict."""
        return await self.acts(oin, role=role, queue=True, days=92)

    async def own(self, oin: str, *, role: str = "worker") -> list[dict[str, Any]]:
        """Return what is recorded about a worker."""
        ports = {**self._ports, **self._acts, **self._notes}
        return shown(await show_own_acts(wanted=self.wanted(), requester=self.who(oin, role), **ports), "acts")

    async def household(self, oin: str, signal_id: str, *, role: str = PF) -> Answered:
        """Return what concerns an own signal."""
        ports = {**self._ports, **self._rosters, **self._acts, **self._notes}
        return await review_household(signal_id=signal_id, use="view", requester=self.who(oin, role), **ports)

    async def judge(
        self, oin: str, act: int, verdict: str = "in_order", *, role: str = PF, by: str = "", reason: str = "other"
    ) -> Answered:
        """Give a verdict."""
        body = self.body(oin, act=act, verdict=verdict, reason=reason)
        return await self.judge_with(oin, GiveVerdict.model_validate(body), role=role, by=by)

    async def judge_with(self, oin: str, command: GiveVerdict, *, role: str = PF, by: str = "") -> Answered:
        """Give this verdict."""
        ports = {**self._ports, **self._rosters, **self._acts, **self._notes}
        return await give_verdict(command=command, requester=self.who(oin, role, by), **ports)

    async def rejudge(self, oin: str, verdict: int, *, agrees: bool, role: str = FG, by: str = "") -> Answered:
        """Say what the FG thinks of a verdict."""
        body = self.body(oin, verdict=verdict, agrees=agrees)
        ports = {**self._ports, **self._rosters, **self._acts, **self._notes}
        return await rejudge_verdict(
            command=RejudgeVerdict.model_validate(body), requester=self.who(oin, role, by), **ports
        )  # fmt: skip

    async def notes(self, oin: str, kind: str = VERDICT, *, role: str = FG, after: int | None = None) -> Answered:
        """Return what reviewers stated."""
        ports = {**self._ports, **self._notes}
        return await review_notes(kind=kind, after=after, use="view", requester=self.who(oin, role), **ports)

    async def change(
        self, oin: str, name: str, value: int, *, role: str = PF, reason: str = "working_hours_changed"
    ) -> Answered:  # fmt: skip
        """Change a threshold."""
        command = ChangeThreshold.model_validate(self.body(oin, name=name, value=value, reason=reason))
        return await change_threshold(command=command, requester=self.who(oin, role), **self._ports)

    async def thresholds(self, oin: str, *, role: str = PF) -> dict[str, dict[str, Any]]:
        """Return the thresholds by name."""
        answer = await show_thresholds(requester=self.who(oin, role), **self._ports, **self._notes)
        return {one["name"]: one for one in shown(answer, "thresholds")}

    async def sample(self, oin: str, month: str, *, role: str = PF) -> dict[str, Any]:
        """Close a month or draw its sample."""
        ports = {**self._ports, **self._acts, **self._notes, "checkpoints": self.world.checkpoints}
        answer = await draw_sample(
            command=DrawSample.model_validate(self.body(oin, month=month)),
            requester=self.who(oin, role),
            log_policy=log_policy(self.world.log_vkey),
            **ports,
        )
        return cast("dict[str, Any]", answer.result["sample"])

    async def report(self, oin: str, month: str, *, role: str = PF) -> dict[str, dict[str, Any]]:
        """Return the figures of a month by id."""
        ports = {**self._ports, **self._rosters, **self._acts, **self._notes}
        answer = await report_month(month=month, use="view", requester=self.who(oin, role), **ports)
        return {one["id"]: one for one in shown(answer, "figures")}

    async def accounts(self, oin: str, *, role: str = PF) -> dict[str, dict[str, Any]]:
        """Return everybody on the roster by id."""
        ports = {**self._ports, **self._rosters, **self._acts}
        answer = await list_accounts(use="view", requester=self.who(oin, role), **ports)
        return {one["worker"]: one for one in shown(answer, "accounts")}

    async def erasures(self, oin: str, *, role: str = FG, after: int | None = None) -> Answered:
        """Return what was proposed to be erased, and what was."""
        requester = self.who(oin, role)
        return await review_erasures(
            after=after, use="view", requester=requester, erasures=self.world.erasures, **self._ports
        )  # fmt: skip

    async def log_check(self, oin: str, *, size: int, root: str, holds: bool = True, role: str = FG) -> Answered:
        """Note that the log was verified."""
        command = NoteLogCheck.model_validate(self.body(oin, size=size, root=root, holds=holds))
        return await note_log_check(
            command=command, requester=self.who(oin, role), checkpoints=self.world.checkpoints, **self._ports
        )  # fmt: skip


def shown(answer: Answered, member: str) -> list[dict[str, Any]]:
    """Return a list in an answer."""
    return list(cast("list[dict[str, Any]]", answer.result[member]))

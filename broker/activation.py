"""Taking up a policy: at the start, and later without one, from the files that the settings name at that moment.

Everything that can fail is done aside; what was in force stays until the entry of the new one is durable.
"""

import asyncio
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from broker.domain.errors import PolicyNotSuccessorError
from broker.flows.activate_policy import activate_policy
from broker.flows.policy import PoliciesByVersion, PolicyInForce
from broker.ports import BundleHistory, Clock, Log, SignalStore
from broker.rules import Rules, check_openings, read_rules
from broker.settings import Settings, SettingsError
from broker.starting import told
from policies import Bundle, ConvenantError

_log = logging.getLogger("sluis.policy")


@dataclass(slots=True, kw_only=True)
class PolicyActivation:
    """The policies of one broker and the way another comes into force; `result` is what the last one came to."""

    folder: Path
    policies: PoliciesByVersion
    bundles: BundleHistory
    signals: SignalStore
    clock: Clock
    log: Log
    result: Mapping[str, object] = field(default_factory=dict)

    async def take_up(self, rules: Rules) -> None:
        """The policy of these rules is in force.

        Raises:
            SettingsError: it may not be decided with, or does not open what people signed for.
            NotRecordedError, StaleDecisionError: see `activate_policy`.
        """
        known = {**rules.earlier, **self._known()}
        # (1) What opens was signed for: compared here, whatever the release says about itself.
        history = await self.bundles.activations()
        if not history or history[-1].sha256 != rules.bundle.sha256:
            await asyncio.to_thread(check_openings, rules, known=known)
        # (2) Built aside, on the one thread that decides.
        with told("bundle", "correct the policy documents", also=(ConvenantError,)):
            policy = PolicyInForce.of(rules.bundle, earlier=known, tested=rules.tested)
        # (3) Recorded, and by that in force.
        try:
            committed = await activate_policy(
                policy=policy, activation=rules.activation, policies=self.policies, bundles=self.bundles,
                signals=self.signals, clock=self.clock, log=self.log,
            )  # fmt: skip
        except PolicyNotSuccessorError as error:
            advice = "compare it with the bundle in force and sign it again"
            raise SettingsError("policy_release", error.rule, advice) from None
        self.result = {
            "bundleSha256": policy.sha256,
            "mark": rules.activation.mark,
            "entry": None if committed is None else committed.index,
        }

    async def renew(self) -> Mapping[str, object]:
        """Return what became of the policy that the settings name now; `refused` says why what was in force stays.

        Raises:
            NotRecordedError, StaleDecisionError: it could not be recorded; what was in force stays.
        """
        try:
            await self.take_up(await asyncio.to_thread(self._read))
        except SettingsError as error:
            _log.error("the policy in force stays: %s", error)
            rule, _, _ = error.rule.partition(f"; {error.advice}")
            return {"refused": {"setting": error.field, "rule": rule, "advice": error.advice}}
        _log.warning("policy %s decides from now on", self.policies.current.sha256)
        return self.result

    def _read(self) -> Rules:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rules = read_rules(Settings.read(self.folder), today=self.clock.today())
        for warning in caught:
            _log.warning("%s", warning.message)
        return rules

    def _known(self) -> Mapping[str, Bundle]:
        """Return the bundles this process has had, by hash."""
        if self.policies.is_empty:
            return {}
        current = self.policies.current
        return {**current.earlier, current.sha256: current.bundle}

"""The policy a broker is told to decide with: a release that two people signed, or documents that nobody did.

Without a release it starts only with a switch that is spelled insecure, and its log says so.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from broker.flows.activate_policy import Activation, Signed
from broker.flows.policy import Decided
from broker.settings import Settings, SettingsError
from broker.starting import told
from policies import Bundle, ConvenantError, load_bundle
from policies.load import SHIPPED
from policies.release import Release, read_release
from policies.signers import Signer, read_signers
from policies.tables import read_tables, run_tables

_log = logging.getLogger("sluis.policy")
_ADVICE = "see docs/policy.md, or take the release file that was signed"


def _untested() -> Decided:
    """Return that no tables are at hand."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A bundle to decide with, how it comes into force, and earlier ones by hash, for comparison only."""

    bundle: Bundle
    activation: Activation
    earlier: Mapping[str, Bundle]
    release: Release | None = None
    tested: Callable[[], Decided] = _untested


class DecisionTables:
    """The decision tables beside the documents, decided once when somebody first asks what tests a clause."""

    def __init__(self, bundle: Bundle, folder: Path, *, with_tests: bool) -> None:
        """Read them from this folder, not yet."""
        self._bundle, self._folder, self._with_tests = bundle, folder, with_tests
        self._one_at_a_time = threading.Lock()
        self._decided: Decided = None

    def __call__(self) -> Decided:
        """Return the rows that each rule decides; None when there are no tables or they cannot be read."""
        with self._one_at_a_time:
            if self._decided is None:
                try:
                    rows = read_tables(self._folder, with_tests=self._with_tests)
                    self._decided = run_tables(self._bundle, rows).decided if rows else None
                except ConvenantError as error:
                    _log.warning("the decision tables are not shown: %s", error)
        return self._decided


def read_rules(settings: Settings, *, today: date) -> Rules:
    """Return what the settings name.

    Raises:
        SettingsError: nothing is named that may decide, it is not validly signed, or all of it has expired.
    """
    insecure = settings.insecure_test_bundle or settings.insecure_unsigned_bundle
    if settings.policy_release is None:
        if not insecure:
            raise SettingsError(
                "policy_release", "is missing", "name a signed release, or set insecure_unsigned_bundle"
            )
        with told("bundle", "correct the policy documents", also=(ConvenantError,)):
            bundle = load_bundle(insecure_test_bundle=settings.insecure_test_bundle)
        mark = Activation(mark="test" if settings.insecure_test_bundle else "unsigned")
        tested = DecisionTables(bundle, SHIPPED, with_tests=settings.insecure_test_bundle)
        return Rules(bundle=_valid(bundle, today), activation=mark, earlier={}, tested=tested)
    if insecure:
        raise SettingsError("policy_release", "stands beside an insecure bundle", "name the one or the other")
    if settings.policy_signers is None:
        raise SettingsError("policy_signers", "is missing", "name the list of who may sign (signers/v1)")
    with told("policy_signers", "name a list of signers/v1", also=(ConvenantError,)):
        people = read_signers(settings.path(settings.policy_signers))
    with told("policy_release", _ADVICE, also=(ConvenantError,)):
        release = read_release(settings.path(settings.policy_release))
        activation = _signed(release, people)
    if release.registered_on > today:
        raise SettingsError("policy_release", "was registered after today", "look at the clock of who signed, and ours")
    with told("policy_earlier", _ADVICE, also=(ConvenantError,)):
        earlier = [read_release(settings.path(path)) for path in settings.policy_earlier]
        for one in earlier:
            one.holds(people)
    return Rules(
        bundle=_valid(release.bundle, today),
        activation=activation,
        release=release,
        tested=_untested
        if settings.policy_tables is None
        else DecisionTables(release.bundle, settings.path(settings.policy_tables), with_tests=False),
        earlier={one.bundle.sha256: one.bundle for one in earlier},
    )


def check_openings(rules: Rules, *, known: Mapping[str, Bundle]) -> None:
    """Hold only if a release opens what people signed for and no more: compared anew with the bundle it replaces.

    Args:
        rules: of the release; what nobody signed holds.
        known: bundles by hash, among them the one it replaces.

    Raises:
        SettingsError: the release it replaces is not at hand, or the comparison comes to something else.
    """
    release = rules.release
    if release is None:
        return
    if release.replaces is not None and release.replaces not in known:
        rule = "lacks the release that this one replaces"
        raise SettingsError("policy_earlier", rule, "name its file, so that what opens can be compared")
    advice = "compare it again with the bundle it replaces, and sign that"
    with told("policy_release", advice, also=(ConvenantError,)):
        release.check_openings(None if release.replaces is None else known[release.replaces])


def _signed(release: Release, people: Mapping[str, Signer]) -> Activation:
    """Return how a release comes into force. Raises ConvenantError: too few people signed it."""
    signers = release.holds(people)
    return Activation(
        mark="signed",
        signed=Signed(
            statement=release.statement_sha256,
            replaces=release.replaces,
            registered_on=release.registered_on,
            openings=release.openings,
            diff=release.diff,
            signers=tuple((person.key.kid, person.role) for person in signers),
        ),
    )


def _valid(bundle: Bundle, today: date) -> Bundle:
    """Return the bundle, if there is something in it to decide with today. Raises SettingsError."""
    with told("bundle", "take documents that hold today", also=(ConvenantError,)):
        bundle.check_in_force(today)
    return bundle

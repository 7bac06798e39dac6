"""Convenants as code: who may ask what, who may see which signal, on which ground, and why.

Nothing here reads a store, a clock or the network; a decision depends on its facts and its bundle alone.
"""

from policies.bundle import Bundle
from policies.catalogue import Ended, Purpose
from policies.decide import DecisionPoint
from policies.errors import ConvenantError, ExpiredBundleError, InsecureTestBundleWarning
from policies.facts import AskFacts, HitFacts
from policies.follow_up import Coordinator, StatedTerm
from policies.load import load_bundle
from policies.verdict import Obligation, Permit, Refusal, Text

__all__ = [
    "AskFacts",
    "Bundle",
    "ConvenantError",
    "Coordinator",
    "DecisionPoint",
    "Ended",
    "ExpiredBundleError",
    "HitFacts",
    "InsecureTestBundleWarning",
    "Obligation",
    "Permit",
    "Purpose",
    "Refusal",
    "StatedTerm",
    "Text",
    "load_bundle",
]

"""What statute gives each class of organisation, looked for in every allowed cell, whatever the documents say.

Written from the law and not from ``lex/organisaties.yaml``, so that one wrong word there or in a clause is noticed. The
purposes of test documents lie outside it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from policies.cells import Assignment
from policies.ruleset import RuleSet
from policies.vocabulary import ACUTE, ACUTE_DUTIES, RING, SEE

VEILIG_THUIS = "veilig_thuis"
POLICE = "politie"
CRIMINAL = "strafrecht"
EXCEPTION_DUTIES = frozenset({"beoordeel_uitzondering"})

SHOWN_DIRECTLY = frozenset({"wijkteam", "gi", VEILIG_THUIS, "rvdk", "school", "leerplicht"})
"""Everybody else is bound by medical secrecy, police data or a secret address: shown only when the person agreed."""

RUNG_BY: Mapping[str, frozenset[str]] = {
    "vrouwenopvang": frozenset({VEILIG_THUIS}),  # Wmo 2015 5.3.3, secret address
    "reclassering": frozenset({"zvh"}),  # Wjsg, within the ZVH only
    "zvh": frozenset(),
    "woningcorporatie": frozenset(),  # no listed category, no right to the BSN
    "meldpunt_overlast": frozenset(),
}
"""Who may ring a holder, where that is not anyone a clause names."""

POLICE_GROUNDS = frozenset({"WPG-16", "WPG-18", "WPG-19", "WPG-20"})
ZVH_GROUNDS = frozenset({"WGS-ZVH"})
TELLS_ON: Mapping[str, frozenset[str]] = {
    POLICE: POLICE_GROUNDS,
    "reclassering": ZVH_GROUNDS,
    "zvh": ZVH_GROUNDS,
}
"""On which grounds alone a class tells anything; their own law leaves them no other."""

IS_TOLD_ON: Mapping[str, frozenset[str]] = {"reclassering": ZVH_GROUNDS, "zvh": ZVH_GROUNDS}
"""On which grounds alone a class is told anything."""

TOLD_IN_NEED: Mapping[str, frozenset[str]] = {
    "CVP": frozenset({POLICE}),
    "VITAAL": frozenset({POLICE, "seh", "huisarts"}),
}
"""Who can avert the harm, where no statute lets the professional tell; Veilig Thuis is told by statute."""

TOLD_AT_ONCE = frozenset({VEILIG_THUIS, POLICE})
"""Who may be told in acute danger, before anything was documented (architecture D11)."""

TOLD_OF_CRIME = frozenset({VEILIG_THUIS, "gi", "rvdk", "wijkteam"})
"""Whom the police may give criminal data (Besluit politiegegevens)."""

NEVER_IN_AN_INDEX = frozenset({"woningcorporatie", "meldpunt_overlast", "zvh", "reclassering"})
"""No listed category of Besluit Jeugdwet 7.1.1 to 7.1.7: they register nothing and look nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """One allowed cell of one group, and the rules that allow it."""

    group: Mapping[str, str]
    words: Assignment
    rules: frozenset[str] = frozenset()

    def all_in(self, column: str, words: Iterable[str]) -> bool:
        """Whether this cell holds nothing but these words in a column."""
        return set(self.words[column]) <= set(words)

    def any_in(self, column: str, words: Iterable[str]) -> bool:
        """Whether this cell holds one of these words in a column."""
        return not set(self.words[column]).isdisjoint(words)

    @property
    def receiving(self) -> str:
        """Who learns something: who is told, or else who asks."""
        return self.group["hold" if self.group["act"] == "share" else "ask"]


Property = Callable[[RuleSet, Yes], bool]


def of_kind(rules: RuleSet, kind: str) -> frozenset[str]:
    """The grounds of one kind."""
    return frozenset(ground.id for ground in rules.grounds.values() if ground.kind == kind)


def in_law(rules: RuleSet, yes: Yes) -> bool:
    """Whether this cell is about a purpose that is not only for tests."""
    return any(not one.is_test for one in rules.carriers.get(yes.group["purpose"], ()))


def _shown(rules: RuleSet, yes: Yes) -> bool:
    """Nobody is shown by a system whose secrecy is his own, but with consent to show him to this asker."""
    if yes.group["act"] != SEE or yes.group["hold"] in SHOWN_DIRECTLY:
        return True
    return yes.all_in("ground", of_kind(rules, "toestemming")) and yes.all_in("consent", ("given",))


def _rung(_: RuleSet, yes: Yes) -> bool:
    """A holder with a law of his own is rung only by whom that law names."""
    return yes.group["act"] != RING or yes.group["ask"] in RUNG_BY.get(yes.group["hold"], {yes.group["ask"]})


def _tells(_: RuleSet, yes: Yes) -> bool:
    """Police, reclassering and ZVH tell and are told on their own law alone, and nobody else tells on it."""
    if yes.group["act"] != "share":
        return True
    teller, told = yes.group["ask"], yes.group["hold"]
    borrowed = teller != POLICE and yes.any_in("ground", POLICE_GROUNDS)
    own = teller not in TELLS_ON or yes.all_in("ground", TELLS_ON[teller])
    return own and not borrowed and (told not in IS_TOLD_ON or yes.all_in("ground", IS_TOLD_ON[told]))


def _criminal(_: RuleSet, yes: Yes) -> bool:
    """Criminal data are told by the police alone, to whom statute names, and asked for by Veilig Thuis alone."""
    if yes.group["cat"] != CRIMINAL:
        return True
    told = yes.group["act"] == "share" and yes.group["ask"] == POLICE and yes.group["hold"] in TOLD_OF_CRIME
    return told or (yes.group["act"] == "request" and yes.group["ask"] == VEILIG_THUIS)


def _in_need(_: RuleSet, yes: Yes) -> bool:
    """An exception reaches only who can avert the harm."""
    return all(
        yes.group["hold"] in told
        for ground, told in TOLD_IN_NEED.items()
        if yes.group["act"] == "share" and yes.any_in("ground", (ground,))
    )


def _reviewed(rules: RuleSet, yes: Yes) -> bool:
    """Telling in acute danger, and every exception, is looked at by somebody else afterwards."""
    for dossier in yes.words["exc"]:
        duties = {
            duty.id
            for rule in yes.rules
            if rule in rules.clauses
            for duty in rules.clauses[rule].obligations
            if duty.comes_with(dossier)
        }
        exception = yes.any_in("ground", of_kind(rules, "uitzondering"))
        if dossier == ACUTE:
            # Towards anybody else it is called misplaced, and who asks asks as without a dossier (``asking.py``).
            if yes.group["act"] == "share" and yes.receiving in TOLD_AT_ONCE and not duties >= ACUTE_DUTIES:
                return False
        elif exception and not duties >= EXCEPTION_DUTIES:
            return False
    return True


def _indexed(_: RuleSet, yes: Yes) -> bool:
    """Who is no listed category registers nothing and looks nowhere."""
    return yes.group["act"] not in {"register", "check", SEE} or yes.group["ask"] not in NEVER_IN_AN_INDEX


PER_PARTNER: Mapping[str, Property] = {
    "shown": _shown,
    "rung": _rung,
    "tells": _tells,
    "criminal": _criminal,
    "in-need": _in_need,
    "reviewed": _reviewed,
    "indexed": _indexed,
}
"""Properties of one allowed cell of a purpose that is law."""

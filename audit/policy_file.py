"""Which log to believe and how many witnesses must have seen its tree (c2sp.org/tlog-policy).

    log <vkey> [url]
    witness <name> <vkey> [url]
    group <name> all|any|<k> <member> ...
    quorum <name>|none

Members stand before the group that names them, so no group holds itself. Empty lines and `#` lines are skipped.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from audit.errors import NoteError, PolicyError
from audit.note import Algorithm, VerifierKey

_NO_QUORUM = "none"
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}")
_URL = re.compile(r"https?://[^\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A log or a witness: its key and, where it is known, the address it answers at."""

    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """At least `threshold` of the members must have cosigned."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A parsed policy. `quorum` names a witness or group, or is None when no cosignature is asked."""

    log: Party
    witnesses: Mapping[str, Party]
    groups: Mapping[str, Group]
    quorum: str | None

    def quorum_met(self, cosigners: Collection[str]) -> bool:
        """Whether these witnesses, by their names in this policy, are enough; always true without a quorum."""
        return self.quorum is None or self._satisfied(self.quorum, cosigners)

    def _satisfied(self, name: str, cosigners: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigners
        return sum(self._satisfied(member, cosigners) for member in group.members) >= group.threshold


@dataclass(slots=True)
class _Draft:
    logs: list[Party] = field(default_factory=list)
    witnesses: dict[str, Party] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorums: list[str] = field(default_factory=list)

    def knows(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups


def parse_policy(text: str) -> Policy:
    """Return the policy in this text.

    Raises:
        PolicyError: an unknown or malformed line, a name or key twice, an unknown member, a threshold that
            cannot be met, or not exactly one log and one quorum.

    """
    draft = _Draft()
    for line in text.split("\n"):
        words = line.split()
        if words and not words[0].startswith("#"):
            reader = _READERS.get(words[0])
            if reader is None:
                raise PolicyError("policy: a line starts with an unknown word")
            reader(draft, words[1:])
    if len(draft.logs) != 1 or len(draft.quorums) != 1:
        raise PolicyError("policy: exactly one log line and one quorum line")
    return Policy(
        log=draft.logs[0],
        witnesses=MappingProxyType(draft.witnesses),
        groups=MappingProxyType(draft.groups),
        quorum=None if draft.quorums[0] == _NO_QUORUM else draft.quorums[0],
    )


def _read_log(draft: _Draft, words: list[str]) -> None:
    if len(words) not in (1, 2):
        raise PolicyError("log: a vkey and at most an address")
    draft.logs.append(_party("log", words[0], words[1:], Algorithm.ED25519))


def _read_witness(draft: _Draft, words: list[str]) -> None:
    if len(words) not in (2, 3):
        raise PolicyError("witness: a name, a vkey and at most an address")
    party = _party("witness", words[1], words[2:], Algorithm.COSIGNATURE)
    _check_new_name(draft, words[0])
    # One key under two names would be counted twice.
    if party.key.public in [other.key.public for other in draft.witnesses.values()]:
        raise PolicyError("witness: a key stands twice")
    draft.witnesses[words[0]] = party


def _read_group(draft: _Draft, words: list[str]) -> None:
    if len(words) < 3:  # noqa: PLR2004 - name, threshold and at least one member
        raise PolicyError("group: a name, a threshold and members")
    name, threshold, *members = words
    _check_new_name(draft, name)
    if len(set(members)) != len(members) or not all(draft.knows(member) for member in members):
        raise PolicyError("group: members are known and stand once")
    if any(member in group.members for group in draft.groups.values() for member in members):
        raise PolicyError("group: a member stands in one group only")
    draft.groups[name] = Group(threshold=_threshold(threshold, len(members)), members=tuple(members))


def _read_quorum(draft: _Draft, words: list[str]) -> None:
    if len(words) != 1 or not (words[0] == _NO_QUORUM or draft.knows(words[0])):
        raise PolicyError("quorum: none, or a witness or group that stands above")
    draft.quorums.append(words[0])


_READERS: Mapping[str, Callable[[_Draft, list[str]], None]] = MappingProxyType(
    {"log": _read_log, "witness": _read_witness, "group": _read_group, "quorum": _read_quorum}
)


def _party(what: str, vkey: str, url: list[str], algorithm: Algorithm) -> Party:
    try:
        key = VerifierKey.parse(vkey)
    except NoteError as error:
        raise PolicyError(f"{what}: not a vkey") from error
    if key.algorithm is not algorithm:
        raise PolicyError(f"{what}: the key has the wrong type")
    if url and not _URL.fullmatch(url[0]):
        raise PolicyError(f"{what}: the address is not http or https")
    return Party(key=key, url=url[0] if url else None)


def _check_new_name(draft: _Draft, name: str) -> None:
    if name == _NO_QUORUM or draft.knows(name):
        raise PolicyError("policy: a name stands twice or is reserved")


def _threshold(text: str, members: int) -> int:
    if text == "all":
        return members
    if text == "any":
        return 1
    if not _THRESHOLD.fullmatch(text) or int(text) > members:
        raise PolicyError("group: the threshold is all, any or a number that the members can reach")
    return int(text)

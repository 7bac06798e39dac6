"""Carrying out a probe pair's plan at one partner: what is due is done as ordinary work, and a miss is an alarm.

What was done stands in `probes/<pair>.state.json`, durably after each step. A step that could not be carried out stays
due; only an answer with a receipt that holds can miss anybody. A miss is told to both organisations' FGs through the
custodians, so that the broker neither hears of it nor can stop it.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.protocol import strict_json
from broker.protocol.errors import MalformedError, ProtocolError
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.errors import ConnectorError, FolderError, NotDoneError
from connectors.exchange import Exchange, Surroundings
from connectors.folder import PartnerFolder, write_durably
from connectors.probe_plan import (
    END_FIRST,
    FIRST,
    SECOND,
    SECRET_BYTES,
    ProbePair,
    Step,
    household,
    is_proof,
    proof,
    step_of,
    steps,
)
from connectors.sealing import SecretKey
from connectors.settings import Party

PATH = "/v1/probe-misses"
LATEST_S = 3 * 86_400
"""Seconds after which a step that was not carried out is left out: the other partner has gone on."""
_TELLING = "melding"
"""What is not done, besides steps: telling custodians of a miss, or hearing of one."""
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeTerms:
    """How this partner probes: with which worker, for which purpose, on which grounds, as which team."""

    worker: str
    approver: str | None
    purpose: str
    grounds: tuple[str, ...]
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What one run came to. `missed` are steps at which the other partner was not found, here or by the other."""

    done: int
    missed: tuple[str, ...]
    missed_by_other: tuple[str, ...]
    not_done: tuple[str, ...]

    @property
    def calm(self) -> bool:
        """Whether nobody was missed."""
        return not self.missed and not self.missed_by_other


def new_pair(folder: PartnerFolder, *, other: str, every_days: int, surroundings: Surroundings) -> bytes:
    """Return a new pair as it is handed to the other partner, on a way that is not the broker's; it stands here too."""
    starts_on = datetime.datetime.fromtimestamp(surroundings.now(), datetime.UTC).date()
    secret = surroundings.random(SECRET_BYTES)
    pair = ProbePair(
        id=surroundings.new_id(),
        organisations=(folder.settings.oin, other),
        starts_on=starts_on,
        every_days=every_days,
        secret=SecretKey(secret),
    )
    text = json.dumps(pair.document(secret)).encode()
    join_pair(folder, text)
    return text


def join_pair(folder: PartnerFolder, text: bytes) -> ProbePair:
    """Return the pair in a file, which stands in this folder from now on. Raises FolderError, MalformedError."""
    pair = ProbePair.parse(text)
    pair.other(folder.settings.oin)
    path = _folder(folder) / f"{pair.id}.json"
    if path.exists():
        raise FolderError("probes", "has this pair already")
    path.touch(mode=0o600)
    write_durably(path, text)
    path.chmod(0o600)
    return pair


def pairs_of(folder: PartnerFolder) -> list[ProbePair]:
    """Return the pairs of this folder. Raises FolderError: one cannot be read."""
    try:
        files = sorted(file for file in _folder(folder).glob("*.json") if not file.name.endswith(".state.json"))
        return [ProbePair.parse(file.read_bytes()) for file in files]
    except MalformedError as error:
        raise FolderError("probes", f"{error.field} {error.rule}") from None


async def run_probes(
    folder: PartnerFolder, terms: ProbeTerms, *, surroundings: Surroundings | None = None
) -> ProbeReport:
    """Return what came of every step that was due here, and of what the other partner said."""
    around = surroundings or Surroundings()
    done, not_done = 0, list[str]()
    missed, told = list[str](), list[str]()
    async with (
        SluisClient(folder, worker=terms.worker, approver=terms.approver, surroundings=around) as client,
        Exchange(folder, around) as exchange,
    ):
        for pair in pairs_of(folder):
            state = _State(folder, pair)
            for step in steps(pair, until=around.now()):
                if step.organisation != folder.settings.oin or step.key in state.done:
                    continue
                if around.now() - step.due_at > LATEST_S:
                    state.note(step, "late")
                    continue
                try:
                    found = await _carry_out(client, pair, step, terms, state)
                except (ConnectorError, ProtocolError):
                    not_done.append(step.key)
                    break
                done += 1
                state.note(step, "found" if found else "missed")
            # Whoever cannot be told now is told at the next run; until then the alarm here sounds at every run.
            missed += state.untold()
            try:
                await _tell(exchange, folder, pair, state, terms.worker)
                told += await _told(exchange, folder, pair, terms.worker)
            except ConnectorError:
                not_done.append(_TELLING)
    return ProbeReport(
        done=done, missed=tuple(missed), missed_by_other=tuple(sorted(set(told))), not_done=tuple(not_done)
    )


async def _carry_out(client: SluisClient, pair: ProbePair, step: Step, terms: ProbeTerms, state: "_State") -> bool:
    """Return whether the step found whom it had to find. Raises ConnectorError: it was not carried out."""
    case, own = household(pair, step.round), client.folder.settings.oin
    if step.step >= END_FIRST:
        signal = state.signals.get(str(step.round))
        if signal is not None:
            await client.withdraw(signal, reason="no_longer_needed")
        return True
    if step.step in (FIRST, SECOND):
        outcome = await client.register(case, purpose=terms.purpose, grounds=terms.grounds, team=terms.team)
        state.keep_signal(step, outcome.signal_id)
    else:
        outcome = await client.check(case, purpose=terms.purpose, grounds=terms.grounds, team=terms.team)
    return not step.must_find or _holds(outcome, pair.other(own))


def _holds(outcome: Outcome, other: str) -> bool:
    return any(match.holder.oin == other for match in outcome.matches)


async def _tell(exchange: Exchange, folder: PartnerFolder, pair: ProbePair, state: "_State", worker: str) -> None:
    """Every miss was told to every custodian; what fails is told at the next run."""
    for key in state.untold():
        number, _, place = key.partition(".")
        step = Step(round=int(number), step=int(place), organisation=folder.settings.oin, due_at=0)
        body = json.dumps(
            {
                "partner": pair.other(folder.settings.oin),
                "pair": pair.id,
                "step": step.number,
                "proof": proof(pair, step),
            }
        ).encode()
        replies = [
            await exchange.send(party, PATH, method="POST", body=body, worker=worker)
            for party in folder.settings.custodians
        ]
        if all(reply.status == _OK for reply in replies):
            state.told(key)


async def _told(exchange: Exchange, folder: PartnerFolder, pair: ProbePair, worker: str) -> Sequence[str]:
    """Return the steps that the other partner says it missed, by the word of any custodian and its own proof."""
    heard: list[str] = []
    for party in folder.settings.custodians:
        listed = await _misses(exchange, party, worker)
        try:
            heard += [key for one in listed if (key := _missed_by_other(folder, pair, one)) is not None]
        except (LookupError, TypeError, ValueError):
            raise NotDoneError("custodian-unreachable", party=party.id) from None
    return heard


async def _misses(exchange: Exchange, party: Party, worker: str) -> Sequence[Mapping[str, Any]]:
    """Return every probe that a custodian was told was missed, of all its pages. Raises NotDoneError."""
    listed: list[dict[str, Any]] = []
    while True:
        after = listed[-1]["number"] if listed else 0
        reply = await exchange.send(party, f"{PATH}?after={after}", method="GET", body=b"", worker=worker)
        try:
            page = strict_json.load_object(reply.body)["findings"] if reply.status == _OK else None
            if page is None or any(int(one["number"]) <= after for one in page):
                raise NotDoneError("custodian-unreachable", party=party.id)
        except (MalformedError, LookupError, TypeError, ValueError):
            raise NotDoneError("custodian-unreachable", party=party.id) from None
        if not page:
            return listed
        listed += page


def _missed_by_other(folder: PartnerFolder, pair: ProbePair, finding: Mapping[str, Any]) -> str | None:
    if finding["ticket"] != pair.id or finding["toldBy"] == folder.settings.oin:
        return None
    step = step_of(pair, int(finding["entry"]))
    return step.key if is_proof(pair, step, str(finding["proof"])) else None


class _State:
    """What was done of a pair's plan here."""

    def __init__(self, folder: PartnerFolder, pair: ProbePair) -> None:
        self._path = _folder(folder) / f"{pair.id}.state.json"
        try:
            kept = strict_json.load_object(self._path.read_bytes(), field="probes")
        except FileNotFoundError:
            kept = {"done": {}, "signals": {}, "told": []}
        except MalformedError:
            raise FolderError("probes", "has a state that cannot be read") from None
        self.done: dict[str, str] = kept["done"]
        self.signals: dict[str, str] = kept["signals"]
        self._told: list[str] = kept["told"]

    def note(self, step: Step, how: str) -> None:
        """The step was carried out, or left out, and is not done again."""
        self.done[step.key] = how
        self._write()

    def keep_signal(self, step: Step, signal_id: str | None) -> None:
        """The signal of a round is withdrawn at its end."""
        if signal_id is not None:
            self.signals[str(step.round)] = signal_id
            self._write()

    def untold(self) -> list[str]:
        """Return the misses that the custodians have not been told."""
        return [key for key, how in self.done.items() if how == "missed" and key not in self._told]

    def told(self, key: str) -> None:
        """The custodians know of this miss."""
        self._told.append(key)
        self._write()

    def _write(self) -> None:
        content = {"done": self.done, "signals": self.signals, "told": self._told}
        write_durably(self._path, json.dumps(content, sort_keys=True).encode())


def _folder(folder: PartnerFolder) -> Path:
    path = folder.path / "probes"
    path.mkdir(mode=0o700, exist_ok=True)
    return path

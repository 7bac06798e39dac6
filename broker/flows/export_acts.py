"""Export entries of the own organisation with their proofs; the export is an entry of its own (D12, D17)."""

import hashlib
from dataclasses import dataclass

from audit.export.committed import erased_sha256
from broker.domain.errors import RoleNotAllowedError
from broker.domain.requests import Requester
from broker.export_ports import EntryExporter, ProvenEntries
from broker.flows.act import Act
from broker.flows.entry_payloads import Recording
from broker.flows.household_question import asked_stamps
from broker.flows.outcome import Answered, Effects, Outcome, outcome_of
from broker.flows.policy import Policies
from broker.flows.recording import decide_and_record
from broker.flows.request_rules import check_organisation
from broker.ports import AnswerStatus, AnswerStore, Clock, Log, RegisterReader, SignalStore
from broker.protocol.export_messages import EXPORTED_PER_PAGE, ExportedEntry, ExportResult, Format
from broker.protocol.messages import TextRef

EXPORTERS = frozenset({"privacyfunctionaris", "fg"})
"""Roles that may take entries of their own organisation away."""
READER = "organisation"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedExport:
    """Which entries, in which format and why; `until` is the first unix second after the period."""

    format: Format
    reason: str
    since: int
    until: int
    worker: str | None = None
    after: int | None = None

    def selection(self) -> dict[str, str]:
        """Return what decides which entries these are, as both the entry and the export state it."""
        stated = {"since": self.since, "until": self.until, "worker": self.worker, "after": self.after}
        return {name: str(value) for name, value in stated.items() if value is not None}


async def export_acts(
    *,
    wanted: WantedExport,
    requester: Requester,
    policies: Policies,
    clock: Clock,
    registers: RegisterReader,
    signals: SignalStore,
    answers: AnswerStore,
    exporter: EntryExporter,
    log: Log,
) -> Answered:
    """At most `EXPORTED_PER_PAGE` entries are opened with their proofs, and that is recorded; outcome `done`.

    The entry commits to the leaves it opened, so that whoever gets the export can see that nothing was left out of it.

    Raises:
        RoleNotAllowedError: neither privacyfunctionaris nor FG.
        StorageError: the entries cannot be read; nothing was recorded. NotDoneError: with the receipt of its entry.
        RequestRuleError and others of `broker.domain.errors`: nothing was recorded.
    """
    act = Act.exporting(requester)
    # (1) Who; and everything heavy is read before the tick, so that nobody's answer waits for it.
    if requester.role not in EXPORTERS:
        raise RoleNotAllowedError
    check_organisation(await registers.register(), act)
    found = await exporter.own_entries(
        organisation=requester.organisation, worker=wanted.worker, since=wanted.since, until=wanted.until,
        after=wanted.after, at_most=EXPORTED_PER_PAGE,
    )  # fmt: skip

    async def decide() -> Outcome:
        # (2) The organisation may still act, and the entry says which leaves are opened, for what.
        base = await signals.stamps(asked_stamps(requester.organisation))
        register = await registers.register()
        check_organisation(register, act)
        recording = Recording(
            outcome="done",
            bundle=policies.at(base).sha256,
            register=register.number,
            document=_document(wanted, found),
            more={"exported": _exported(wanted, found)},
        )
        return outcome_of(act, recording, Effects(relies_on=base), status=AnswerStatus.DONE)

    # (3) Recorded, and only then told.
    return await decide_and_record(
        decide, act=act, policies=policies, signals=signals, answers=answers, clock=clock, log=log
    )


def _exported(wanted: WantedExport, found: ProvenEntries) -> dict[str, object]:
    """Return what the entry says was exported (docs/audit-format.md, the export)."""
    after = _more_after(found)
    erased = erased_sha256((entry.leaf_hash, entry.erased) for entry in found.entries)
    return {
        "format": wanted.format,
        "reader": READER,
        "reason": wanted.reason,
        "selection": wanted.selection(),
        "entries": len(found.entries),
        "leaves_sha256": hashlib.sha256(b"".join(entry.leaf_hash for entry in found.entries)).hexdigest(),
        **({} if erased is None else {"erased_sha256": erased}),
        **({} if after is None else {"more_after": after}),
    }


def _more_after(found: ProvenEntries) -> int | None:
    """Return what to go on from, None where nothing of the selection is left out."""
    return found.entries[-1].index if found.more else None


def _document(wanted: WantedExport, found: ProvenEntries) -> dict[str, object]:
    result = ExportResult.model_validate(
        {
            "schema": "entries/v1",
            "outcome": "done",
            "text": TextRef(id="export.done" if found.entries else "export.nothing", params={}),
            "format": wanted.format,
            "reason": wanted.reason,
            "selection": wanted.selection(),
            "entries": [
                ExportedEntry.model_validate(
                    {
                        "index": entry.index,
                        "leaf": entry.leaf,
                        "proof": entry.proof,
                        "openings": dict(entry.openings),
                        "erased": list(entry.erased),
                    }
                )
                for entry in found.entries
            ],
            "more_after": _more_after(found),
        }
    )
    return result.model_dump(mode="json", by_alias=True)

"""The documents this broker goes by: register, rosters and epoch, each verified here before it is believed (D13)."""

from collections.abc import Mapping
from typing import Any

from broker.domain.errors import StorageError
from broker.protocol.epochs import SCHEMA as EPOCH_SCHEMA
from broker.protocol.epochs import EpochDocument
from broker.protocol.errors import ProtocolError
from broker.protocol.register import Register
from broker.protocol.roster import Roster
from broker.protocol.signed_document import SignedDocument
from broker.protocol.signing_keys import VerifyKey
from broker.store.connection import Reader


def read_epoch(text: bytes | str, *, custodians: Mapping[str, VerifyKey]) -> EpochDocument:
    """Return the epoch document in `text`, signed by every custodian and naming exactly these.

    Raises:
        MalformedError, SignatureError
    """
    signed = SignedDocument.parse(text, schema=EPOCH_SCHEMA)
    signed.require(custodians, at_least=len(custodians))
    return EpochDocument.from_mapping(dict(signed.document))


class StoredDocuments:
    """`RegisterReader` and `RosterReader`: re-read at every use, so an import by another process counts at once.

    A document is verified once and then kept, for as long as its row and the keys behind it stay the same.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        audience: str,
        registrars: Mapping[str, VerifyKey],
        custodians: Mapping[str, VerifyKey],
    ) -> None:
        """Read with this, which the caller closes; believe what these parties signed."""
        self._reader = reader
        self._audience = audience
        self._registrars = registrars
        self._custodians = custodians
        self._register: Register | None = None
        self._epoch: EpochDocument | None = None
        self._rosters: dict[str, tuple[int, int, Roster | None]] = {}

    async def register(self) -> Register:
        """Return the register with the highest number. Raises StorageError: there is none, or it is unreadable."""
        number = await self._first("SELECT max(number) FROM registers")
        if self._register is None or self._register.number != number:
            text = await self._first("SELECT document FROM registers WHERE number = ?", number)
            try:
                self._register = Register.read(text, registrars=self._registrars)
            except ProtocolError as error:
                raise StorageError from error
        return self._register

    async def epoch(self) -> EpochDocument:
        """Return the descriptors of the highest epoch. Raises StorageError: there are none."""
        number = await self._first("SELECT max(epoch) FROM epochs")
        if self._epoch is None or self._epoch.epoch != number:
            text = await self._first("SELECT document FROM epochs WHERE epoch = ?", number)
            try:
                self._epoch = read_epoch(text, custodians=self._custodians)
            except ProtocolError as error:
                raise StorageError from error
        return self._epoch

    async def roster(self, organisation: str) -> Roster | None:
        """Return the organisation's newest roster; None when it has none that its present keys signed."""
        register = await self.register()
        query = "SELECT number, document FROM rosters WHERE oin = ? ORDER BY number DESC LIMIT 1"
        row = await self._row(query, organisation)
        if row is None or organisation not in register.organisations:
            return None
        known = self._rosters.get(organisation)
        if known is not None and known[:2] == (row[0], register.number):
            return known[2]
        try:
            roster = Roster.read(row[1], audience=self._audience, organisation=register.organisations[organisation])
        except ProtocolError:
            roster = None
        self._rosters[organisation] = (row[0], register.number, roster)
        return roster

    async def _first(self, query: str, *values: object) -> Any:  # noqa: ANN401 - a column, of the type its query asks for
        row = await self._row(query, *values)
        if row is None or row[0] is None:
            raise StorageError
        return row[0]

    async def _row(self, query: str, *values: object) -> tuple[Any, ...] | None:
        return await self._reader.run(lambda connection: connection.execute(query, values).fetchone())

"""Wire models of the directory of contact cards: how a team of an organisation is reached (D6)."""

from broker.protocol.messages import Contact
from broker.protocol.wire_types import Message, Oin, Word


class Team(Contact):
    """A team and how it is reached."""

    team: Word


class DirectoryEntry(Message):
    """An organisation and its teams; `cards` says the same as it signed it (`contact-cards/v1`), where it did."""

    oin: Oin
    name: str
    org_class: Word
    teams: list[Team]
    cards: str | None = None


class Directory(Message):
    """The active organisations of a register."""

    register_number: int
    organisations: list[DirectoryEntry]

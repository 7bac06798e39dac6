"""What `partner.toml` says: who this organisation is, and which parties it works with. No secret stands in it."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.errors import FolderError

FILE = "partner.toml"
PartyId = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
Url = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9_.:\[\]-]+(/[A-Za-z0-9_.-]+)*$")]
Plain = Annotated[str, Field(pattern=r'^[^"\\\x00-\x1f]{1,200}$')]
CUSTODIANS = 2


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Party(_Table):
    """A party by its id, and its public URL, to which requests are bound."""

    id: PartyId
    url: Url


class Settings(_Table):
    """The configuration of one partner.

    `timeout_s` bounds one request; `families` says per purpose which families of identifiers a request uses, and
    `age_bound` for which purposes the broker is told the quarter in which the youth turns 23. `judged` are the purposes
    in which a person judges each youth and the family is informed, or it is said why not (D10). `meldcode_approval`:
    whether the own meldcode asks a second person to approve an exception; the signed roster carries it.
    """

    oin: Annotated[str, Field(pattern=r"^[0-9]{20}$")]
    name: Plain
    broker: Party
    custodians: Annotated[tuple[Party, ...], Field(min_length=CUSTODIANS, max_length=8, strict=False)]
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 20.0
    age_bound: list[str] = Field(default_factory=lambda: ["verwijsindex"])
    judged: list[str] = Field(default_factory=lambda: ["verwijsindex"])
    meldcode_approval: bool = True
    families: dict[str, list[str]] = Field(default_factory=dict)

    def families_of(self, purpose: str) -> tuple[str, ...]:
        """Return the families a purpose uses here; persons and parents where nothing is stated (D4: no address)."""
        return tuple(self.families.get(purpose, ("nlbsn", "fam")))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the settings of a folder. Raises FolderError: missing, or a field breaks its rule."""
        try:
            return cls.model_validate(tomllib.loads((folder / FILE).read_text("utf-8")))
        except OSError:
            raise FolderError(FILE, "cannot be read: run sluis-connect init first") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise FolderError(FILE, "is not TOML") from None
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
            raise FolderError(FILE, f"field {place} is missing, unknown or breaks its rule") from None

    def write(self, folder: Path) -> None:
        """Store these settings in a new file."""
        lines = [
            f'oin = "{self.oin}"',
            f'name = "{self.name}"',
            f"timeout_s = {self.timeout_s}",
            f"age_bound = {_toml_list(self.age_bound)}",
            f"judged = {_toml_list(self.judged)}",
            f"meldcode_approval = {str(self.meldcode_approval).lower()}",
            "",
            "[broker]",
            f'id = "{self.broker.id}"',
            f'url = "{self.broker.url}"',
        ]
        for custodian in self.custodians:
            lines += ["", "[[custodians]]", f'id = "{custodian.id}"', f'url = "{custodian.url}"']
        lines += [
            "",
            "# Which families of identifiers a purpose uses; nlbsn and fam where it is not named.",
            "[families]",
        ]
        lines += [f"{purpose} = {_toml_list(families)}" for purpose, families in self.families.items()]
        with (folder / FILE).open("x", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def _toml_list(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"

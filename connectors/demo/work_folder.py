"""The folder of one run: wiped first, but only if the demonstration made it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from connectors.demo.errors import WorkFolderError

MARKER = ".sluis-demo"
SERVICES = ("broker", "custodian-a", "custodian-b", "witness")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFolder:
    """Where everything of one run stands, as `report/v1` and the readers of it expect."""

    path: Path

    @classmethod
    def fresh(cls, path: Path) -> "WorkFolder":
        """Return an empty folder with our marker. Raises WorkFolderError: it holds what we did not make."""
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise WorkFolderError("the output folder is no folder")
        if path.exists() and any(path.iterdir()):
            if not (path / MARKER).is_file():
                raise WorkFolderError("the output folder was not made by the demonstration; choose another")
            shutil.rmtree(path)
        path.mkdir(parents=True, exist_ok=True)
        (path / MARKER).write_text("made by sluis-connect demo, and wiped by its next run\n", encoding="ascii")
        for name in ("exchange", "captures", "partners"):
            (path / name).mkdir(mode=0o700)
        return cls(path=path.resolve())

    def party(self, name: str) -> Path:
        """Return the folder of a service or a registrar."""
        return self.path / name

    def partner(self, slug: str) -> Path:
        """Return the folder of a partner."""
        return self.path / "partners" / slug

    def passed_on(self, name: str) -> Path:
        """Return where a public document stands that one party hands to another."""
        return self.path / "exchange" / name

    @property
    def captures(self) -> Path:
        """Where the relays write what passed them."""
        return self.path / "captures"

    @property
    def log(self) -> Path:
        """The published log."""
        return self.path / "log"

    @property
    def service_side(self) -> tuple[Path, ...]:
        """Everything broker, custodians and witness have, wrote, published or were sent."""
        return (*(self.path / name for name in SERVICES), self.captures, self.log, self.path / "exchange")

    @property
    def partner_side(self) -> Path:
        """What stays with the partners."""
        return self.path / "partners"

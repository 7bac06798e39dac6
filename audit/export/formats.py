"""The formats of an export: the name it goes by, the file it gives and what writes it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from audit.export.adl import to_adl
from audit.export.content import Content, Json
from audit.export.csv_file import to_csv
from audit.export.fhir import to_fhir
from audit.export.ldv import to_ldv
from audit.export.pdf_of_records import to_pdf


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format. `is_set` where the bytes depend on the version of a program that sets the page."""

    file: str
    write: Callable[[Content], bytes]
    is_set: bool = False


def json_bytes(value: Mapping[str, object]) -> bytes:
    """Return JSON in the one form our files have: indented, members in the order they were made, one line end."""
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8")


def _as_json(shape: Callable[[Content], Json]) -> Callable[[Content], bytes]:
    return lambda content: json_bytes(shape(content))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format(file="records.csv", write=to_csv),
        "json-ldv": Format(file="ldv.json", write=_as_json(to_ldv)),
        "json-adl": Format(file="adl.json", write=_as_json(to_adl)),
        "fhir": Format(file="auditevents.json", write=_as_json(to_fhir)),
        "pdf": Format(file="records.pdf", write=to_pdf, is_set=True),
    }
)

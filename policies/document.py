"""A YAML file as plain values with the line of every field, in a strict subset of YAML 1.2.

No anchors, aliases, tags, duplicate keys or floating-point numbers; a date is text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from policies.errors import DocumentError, YamlError
from policies.facts import Json

MAX_BYTES = 1_000_000
"""Largest document accepted, in bytes."""
MAX_DEPTH = 24
"""Levels of nesting; our deepest document has nine."""

FieldPath = tuple[str | int, ...]

_CLAUSE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, kw_only=True, eq=False)
class Document:
    """One parsed file, shared by every bundle that holds the same bytes: nobody writes into its content.

    Attributes:
        file: path relative to the bundle directory, with ``/``.
        content: its values as JSON would hold them.
        lines: line of every field, counted from 1.
    """

    file: str
    content: dict[str, Json]
    lines: Mapping[FieldPath, int]

    def error(self, kind: type[DocumentError], path: FieldPath, rule: str) -> DocumentError:
        """An error of this kind at the nearest field whose line is known."""
        return kind(file=self.file, line=self.line(path), field=dotted(path), rule=rule, clause=self.clause(path))

    def clause(self, path: FieldPath) -> str | None:
        """The id of the clause this field stands in, or None outside clauses and where the id is none."""
        clauses = self.content.get("afspraken")
        if path[:1] != ("afspraken",) or len(path) == 1 or not isinstance(clauses, list):
            return None
        found = clauses[int(path[1])]
        name = found.get("id") if isinstance(found, dict) else None
        return name if isinstance(name, str) and _CLAUSE_ID.fullmatch(name) else None

    def line(self, path: FieldPath) -> int:
        """The line of this field, or of the nearest one around it."""
        return next(self.lines[path[:size]] for size in range(len(path), -1, -1) if path[:size] in self.lines)


def dotted(path: FieldPath) -> str:
    """``afspraken[2].niveau`` for the path of a field."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def read_document(path: Path, file: str) -> Document:
    """The file's values and lines.

    Raises:
        YamlError: the file cannot be read, is too large, or is not our subset of YAML 1.2.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise YamlError(file=file, line=0, field="", rule="must be a readable UTF-8 file") from None
    if len(raw) > MAX_BYTES:
        raise YamlError(file=file, line=0, field="", rule=f"must be at most {MAX_BYTES} bytes")
    return _parse(text, file)


@lru_cache(maxsize=64)
def _parse(text: str, file: str) -> Document:
    """The values and lines of a text; a reload reads again only what changed.

    Raises:
        YamlError: as ``read_document``.
    """
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise YamlError(file=file, line=line, field="", rule="must be well-formed YAML") from None
    except (YAMLError, ValueError, RecursionError):
        raise YamlError(file=file, line=0, field="", rule="must be well-formed YAML, not nested deeply") from None
    reader = _Reader(file)
    content = reader.value(root, ())
    if not isinstance(content, dict):
        raise YamlError(file=file, line=1, field="", rule="must be a mapping")
    return Document(file=file, content=content, lines=reader.lines)


def _is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8, and so be signed."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Reader:
    """Walks the node tree once and notes the line of every field."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[FieldPath, int] = {(): 1}

    def value(self, node: Node | None, path: FieldPath) -> Json:
        if node is None:
            return None
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.anchor:
            raise self._error(path, "must not use an anchor or alias")
        if len(path) > MAX_DEPTH:
            raise self._error(path, f"must not be nested deeper than {MAX_DEPTH} levels")
        if isinstance(node, MappingNode):
            self._untagged(node, "map", path)
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            self._untagged(node, "seq", path)
            return [self.value(item, (*path, number)) for number, item in enumerate(node.value)]
        return self._scalar(str(node.tag).removeprefix(_TAG), str(node.value), path)

    def _untagged(self, node: Node, kind: str, path: FieldPath) -> None:
        if node.tag != _TAG + kind:
            raise self._error(path, "must not use a tag")

    def _mapping(self, node: MappingNode, path: FieldPath) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for key, item in node.value:
            if not isinstance(key, ScalarNode) or key.tag != _TAG + "str":
                raise self._error(path, "must have text keys")
            self.lines[*path, key.value] = key.start_mark.line + 1
            if key.value in found:
                raise self._error((*path, key.value), "must not occur twice")
            found[key.value] = self.value(item, (*path, key.value))
        return found

    def _scalar(self, kind: str, text: str, path: FieldPath) -> Json:
        if kind in ("str", "timestamp"):
            if not text.isascii() and not _is_unicode(text):
                raise self._error(path, "must hold no half of a character")
            return text
        if kind == "null":
            return None
        if kind == "bool" and text in ("true", "false"):
            return text == "true"
        if kind == "int" and _NUMBER.fullmatch(text):
            return int(text)
        raise self._error(path, "must be text, a whole number, true, false or null; quote anything else")

    def _error(self, path: FieldPath, rule: str) -> YamlError:
        return YamlError(file=self.file, line=self.lines[path], field=dotted(path), rule=rule)

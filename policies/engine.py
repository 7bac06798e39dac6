"""Casbin, fenced in: the only module that imports it.

A constant model, immutable enforcers per slice, one matcher parsed once, every matching line collected.
What each guard is for: ``docs/policy.md``, hazards H1 to H12.
"""

import ast
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType

import casbin
from casbin.constant.constants import ALLOW_AND_DENY_EFFECT
from casbin.effect import Effector

from policies.errors import EmptyBundleError, EngineError, LineError, ModelError
from policies.lines import LINE_COLUMNS, REQUEST_COLUMNS, PolicyLine, Request
from policies.vocabulary import MAX_LEVEL, NOT_APPLICABLE, WILDCARD, WITH_OTHER_SIDE, Vocabulary

MODEL = (Path(__file__).parent / "model.conf").read_text(encoding="ascii")

_COMPILED = "compiled"
"""What stands in an enforcer for the matcher's text, which is checked and compiled once beside it."""

_ALIKE = (0,) * (MAX_LEVEL + 1)
"""Where no line speaks, every level is like every other."""

SliceKey = tuple[str, ...]

_SLICED_BY = ("act", "ask", "hold", "purpose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the engine says to one request: its answer and every rule that matched, sorted."""

    allowed: bool
    permitting: tuple[str, ...]
    forbidding: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class NearMiss:
    """The allowing line that failed in the fewest columns."""

    failed: tuple[str, ...]
    rid: str


class CollectAll:
    """Deny-overrides that never stops early, so that every matching line reaches ``hit``."""

    def intermediate_effect(self, _effects: Iterable[int]) -> int:
        """Undecided until the last line was read."""
        return int(Effector.INDETERMINATE)

    def final_effect(self, effects: Iterable[int]) -> int:
        """Allow only when a line allows and none denies."""
        seen = set(effects)
        return int(Effector.ALLOW if Effector.ALLOW in seen and Effector.DENY not in seen else Effector.DENY)


class _Compiled:
    """One expression of the model, compiled once: nothing but names, comparisons, ``and``, ``or`` and ``hit``.

    ``check_model`` takes no other expression than the one written out in ``_conjuncts``, so Python runs it as it is;
    an interpreter written in Python, which walks the same nodes for every line, takes five times as long.
    """

    def __init__(self, expression: str, functions: Mapping[str, Callable[[str], bool]] = MappingProxyType({})) -> None:
        self._code = compile(expression, "model.conf", "eval")
        self._known = {"__builtins__": {}, **functions}

    def eval(self, names: Mapping[str, str]) -> bool:
        """What the expression says of these names, as Casbin asks it."""
        return bool(eval(self._code, self._known, names))  # noqa: S307 -- our own constant text, checked node by node


class _SliceEnforcer(casbin.Enforcer):  # type: ignore[misc]  # casbin ships no type information
    """An enforcer over fixed lines that never parses and cannot be switched off."""

    def __init__(self, lines: Sequence[PolicyLine], expression: _Compiled) -> None:
        model = casbin.Model()
        model.load_model_from_text(MODEL)
        super().__init__(model)
        self._parsed = expression
        # Casbin looks in the matcher's text at every call for a function that ours, once checked, cannot have.
        model["m"]["m"].value = _COMPILED
        self.eft = CollectAll()
        for line in lines:
            model.add_policy("p", "p", list(line.cells()))

    def _get_expression(self, _expr: str, _functions: object = None) -> _Compiled:
        return self._parsed  # (H10, H11) parsed once, when the engine was built

    def enable_enforce(self, *_switch: object, **_named: object) -> None:
        """Refuse: a disabled enforcer would allow everything (H3)."""
        msg = "deciding cannot be switched off"
        raise EngineError(msg)


class Engine:
    """Decides single requests over one compiled set; a lock keeps the one evaluator to one caller at a time."""

    def __init__(self, lines: Sequence[PolicyLine], vocabulary: Vocabulary) -> None:
        """Check every line and build the enforcers.

        Raises:
            EmptyBundleError: there is no line at all (H1).
            LineError: a line breaks its arity, vocabulary, effect, level or date (H4, H5, H6).
            ModelError: ``model.conf`` is not as it must be (H2, H7, H8).
        """
        if not lines:
            msg = "no policy lines: an empty set must not decide"
            raise EmptyBundleError(msg)
        for line in lines:
            line.check(vocabulary)
        matcher = check_model(MODEL)
        self._vocabulary = vocabulary
        self._effects = _effect_per_rule(lines)
        self._lock = threading.Lock()
        self._spoken: set[str] = set()
        self._expression = _Compiled(matcher, {"hit": self._hit})
        self._conjuncts = [(_column(part), _Compiled(part)) for part in matcher.split(" and ")[:-1]]
        self._slices = _slice(lines, vocabulary)
        # Thousands of slices hold one of some hundred sets of lines: what is the same object is built once.
        alike = {id(same): same for same in self._slices.values()}
        levels = {at: _level_classes(same) for at, same in alike.items()}
        self._levels = {key: levels[id(same)] for key, same in self._slices.items()}
        enforcers = {at: _SliceEnforcer(same, self._expression) for at, same in alike.items()}
        self._enforcers = {key: enforcers[id(same)] for key, same in self._slices.items()}

    def judge(self, request: Request) -> Verdict:
        """The answer to one request, with every rule that matched.

        Raises:
            WordError: the request leaves the closed vocabulary.
            EngineError: Casbin's answer is not the one its matching lines imply.
        """
        request.check(self._vocabulary)  # (1) closed vocabulary, before anything else
        enforcer = self._enforcers.get(_key(request))
        if enforcer is None:  # (2) no line speaks: deny, without Casbin's empty-set matcher
            return Verdict(allowed=False, permitting=(), forbidding=())
        with self._lock:
            self._spoken.clear()
            answer = enforcer.enforce(*request.cells())  # (3) Casbin decides
            spoken = sorted(self._spoken)
        permitting = tuple(rid for rid in spoken if self._effects[rid] == "allow")
        forbidding = tuple(rid for rid in spoken if self._effects[rid] == "deny")
        if answer is not (bool(permitting) and not forbidding):  # (4) the answer is the one its lines imply
            msg = "the engine's answer is not that of its matching lines"
            raise EngineError(msg)
        return Verdict(allowed=answer, permitting=permitting, forbidding=forbidding)

    def level_class(self, request: Request, level: int) -> int:
        """A number that two levels share when no line of this request's slice tells them apart."""
        return self._levels.get(_key(request), _ALIKE)[level]

    def near_miss(self, request: Request) -> NearMiss | None:
        """The allowing line of this slice with the fewest failing columns, or None when the slice has none."""
        request.check(self._vocabulary)
        asked = dict(zip(_names("r", (*REQUEST_COLUMNS, "any")), request.cells(), strict=True))
        lines = [line for line in self._slices.get(_key(request), ()) if line.eft == "allow"]
        with self._lock:
            misses = [NearMiss(failed=self._failed(asked, line), rid=line.rid) for line in lines]
        return min(misses, key=lambda miss: (len(miss.failed), miss.rid, miss.failed), default=None)

    def _failed(self, asked: Mapping[str, str], line: PolicyLine) -> tuple[str, ...]:
        names = {**asked, **dict(zip(_names("p", LINE_COLUMNS), line.cells(), strict=True))}
        return tuple(sorted({column for column, part in self._conjuncts if not part.eval(names)}))

    def _hit(self, rid: str) -> bool:
        self._spoken.add(rid)
        return True


def check_model(text: str) -> str:
    """The matcher of the model, as a Python expression, once the model is the constant one.

    Raises:
        ModelError: another effect (H2), columns other than ours or a name no column has (H7), a literal (H8),
            a function other than a final ``hit(p.rid)``, or anything but one comparison per column.
    """
    model = casbin.Model()
    model.load_model_from_text(text)
    columns = (_names("r", (*REQUEST_COLUMNS, "any")), _names("p", LINE_COLUMNS))
    if (tuple(model["r"]["r"].tokens), tuple(model["p"]["p"].tokens)) != columns:
        msg = "the model must define exactly our request and policy columns"
        raise ModelError(msg)
    if model["e"]["e"].value != ALLOW_AND_DENY_EFFECT:
        msg = "the effect must be some(allow) && !some(deny)"
        raise ModelError(msg)
    matcher = str(model["m"]["m"].value).replace("&&", "and").replace("||", "or")
    _check_matcher(matcher, frozenset(columns[0] + columns[1]))
    return matcher


def _check_matcher(matcher: str, columns: frozenset[str]) -> None:
    tree = ast.parse(matcher, mode="eval")
    nodes = list(ast.walk(tree))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    calls = [ast.unparse(node) for node in nodes if isinstance(node, ast.Call)]
    if any(isinstance(node, ast.Constant) for node in nodes):
        msg = "the matcher must hold no literal"
        raise ModelError(msg)
    if names != columns - {"p_eft"} | {"hit"}:
        msg = "the matcher must use every column, and no other name"
        raise ModelError(msg)
    if calls != ["hit(p_rid)"] or not matcher.endswith(" and hit(p_rid)"):
        msg = "the matcher must call hit(p.rid) last, and nothing else"
        raise ModelError(msg)
    conjuncts = tree.body.values[:-1] if isinstance(tree.body, ast.BoolOp) and isinstance(tree.body.op, ast.And) else []
    if sorted(map(_shape, conjuncts)) != sorted(_conjuncts()):
        msg = "the matcher must compare each column once, with its own word or the wildcard"
        raise ModelError(msg)


def _shape(conjunct: ast.expr) -> tuple[str, ...]:
    """The comparisons that a conjunct joins by ``or``, in one order."""
    alternatives = conjunct.values if isinstance(conjunct, ast.BoolOp) else [conjunct]
    return tuple(sorted(map(ast.unparse, alternatives)))


def _conjuncts() -> list[tuple[str, ...]]:
    """The only conjuncts there may be: nothing else is compiled and run."""
    words = (column for column in REQUEST_COLUMNS if column not in {"level", "day"})
    spans = ("p_lmin <= r_level", "r_level <= p_lmax", "p_since <= r_day", "r_day < p_until")
    return [
        *(tuple(sorted((f"p_{column} == r_any", f"p_{column} == r_{column}"))) for column in words),
        *((span,) for span in spans),
    ]


def _effect_per_rule(lines: Sequence[PolicyLine]) -> Mapping[str, str]:
    effects = {line.rid: line.eft for line in lines}
    if any(effects[line.rid] != line.eft for line in lines):
        msg = "one rule has one effect"
        raise LineError(msg)
    return effects


def _slice(lines: Sequence[PolicyLine], vocabulary: Vocabulary) -> Mapping[SliceKey, tuple[PolicyLine, ...]]:
    """Lines per (act, asker, other side, purpose); wildcard lines are copied into each slice they speak in.

    Slices with the same lines are one and the same tuple.
    """
    found: dict[SliceKey, list[PolicyLine]] = {}
    for line in sorted(lines):
        for key in product(*(_words(line, column, vocabulary) for column in _SLICED_BY)):
            found.setdefault(key, []).append(line)
    alike: dict[tuple[int, ...], tuple[PolicyLine, ...]] = {}
    return {key: alike.setdefault(tuple(map(id, speaking)), tuple(speaking)) for key, speaking in found.items()}


def _level_classes(lines: Sequence[PolicyLine]) -> tuple[int, ...]:
    """Per level the first level at which the same of these lines can match."""
    matching = [tuple(line.lmin <= str(level) <= line.lmax for line in lines) for level in range(MAX_LEVEL + 1)]
    return tuple(matching.index(one) for one in matching)


def _words(line: PolicyLine, column: str, vocabulary: Vocabulary) -> Iterable[str]:
    """The words this line speaks about in one column; another side exists in a sight and in ``share`` only."""
    cell: str = getattr(line, column)
    if cell != WILDCARD:
        return (cell,)
    if column == "hold" and line.act not in WITH_OTHER_SIDE:
        return (NOT_APPLICABLE,)
    return sorted(vocabulary[column] - {NOT_APPLICABLE})


def _key(request: Request) -> SliceKey:
    return tuple(getattr(request, column) for column in _SLICED_BY)


def _names(prefix: str, columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{prefix}_{column}" for column in columns)


def _column(conjunct: str) -> str:
    """The request column a conjunct reads, other than the wildcard."""
    read = {node.id for node in ast.walk(ast.parse(conjunct, mode="eval")) if isinstance(node, ast.Name)}
    return next(name.removeprefix("r_") for name in sorted(read) if name.startswith("r_") and name != "r_any")

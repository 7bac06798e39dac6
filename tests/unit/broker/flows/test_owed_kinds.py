"""Every task that the broker can write has a Dutch text, and somebody who is told of it."""

import importlib
import json
import pkgutil
import re

import broker.flows
from broker.domain.owed import OWING_ROLES, of_role
from broker.flows.duties import CONFIRM
from broker.flows.owing import OTHERWISE, TEXTS
from broker.flows.policy import PolicyInForce
from policies import duties
from tests.architecture.source_tree import ROOT

CATALOGUE = json.loads((ROOT / "broker" / "protocol" / "texts_nl.json").read_text(encoding="utf-8"))
LITERAL = re.compile(r"\bTask\([^)]*?kind=\"", re.DOTALL)
NAMED = re.compile(r"([A-Z_]+_)?TASK")


def of_flows() -> set[str]:
    """Return the kinds that flows name for tasks of their own."""
    modules = [importlib.import_module(f"broker.flows.{at.name}") for at in pkgutil.iter_modules(broker.flows.__path__)]
    return {value for module in modules for name, value in vars(module).items() if NAMED.fullmatch(name)}


def of_documents(policy: PolicyInForce) -> set[str]:
    """Return the duties afterwards of every clause of the shipped documents, and those that decisions add."""
    stated = [duty for clause in policy.bundle.clauses.values() for duty in clause.obligations]
    return {duty.id for duty in stated if duty.phase == "achteraf"} | {
        duties.LOOK_AGAIN,
        duties.SETTLE_CUSTODY,
        CONFIRM,
    }


def test_every_kind_has_a_text_and_a_reader(policy: PolicyInForce) -> None:
    """A task that is added to a flow or a document has a line here, or reaches nobody."""
    kinds = of_flows() | of_documents(policy)
    assert kinds == set(TEXTS)
    assert {kind for kind in kinds if not any(of_role(kind, role) for role in OWING_ROLES)} == set()
    assert {text for text in (*TEXTS.values(), OTHERWISE) if text not in CATALOGUE} == set()


def test_no_flow_writes_a_kind_without_a_name() -> None:
    """The walk above finds every kind only while each stands in a constant."""
    for path in sorted((ROOT / "broker").rglob("*.py")):
        assert LITERAL.search(path.read_text(encoding="utf-8")) is None, path


def test_a_duty_without_a_text_of_its_own_has_a_reader() -> None:
    """A region's document may name a duty that nobody here knew: its workers are told all the same."""
    assert of_role("een-plicht-van-een-regio", "worker")
    assert OTHERWISE not in TEXTS.values()

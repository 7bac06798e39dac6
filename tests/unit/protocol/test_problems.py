"""The published problems and the Dutch catalogue that says them."""

import string

import pytest

from broker.protocol.problems import TYPE_PREFIX, Problem, problem, problem_kinds, render, texts


def placeholders(text: str) -> dict[str, str]:
    """Return a value for every parameter of a text."""
    return {name: f"<{name}>" for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("kind", sorted(problem_kinds()))
def test_every_problem_can_be_said(kind: str) -> None:
    """Each published problem has an error status, a title and a Dutch text that renders with its parameters."""
    found = problem_kinds()[kind]
    assert found.id == kind
    assert 400 <= found.status <= 599
    assert found.title
    params = placeholders(texts()[found.text])
    document = problem(kind, **params).document()
    assert document["type"] == TYPE_PREFIX + kind
    assert document["status"] == found.status
    assert all(value in document["detail"] for value in params.values())


def test_a_text_may_replace_the_kinds_own() -> None:
    """A refusal brings its own text or sentence, and members of its own; the kind's status stays."""
    kind = problem_kinds()["refused"]
    document = Problem(kind=kind, text="not_done", extra={"possible": []}).document()
    assert (document["textId"], document["detail"]) == ("not_done", render("not_done", {}))
    assert (document["status"], document["possible"]) == (kind.status, [])
    assert Problem(kind=kind, detail="Zin.").document()["detail"] == "Zin."


def test_what_is_missing_is_a_programming_error() -> None:
    """An unknown problem, text or parameter never passes silently."""
    with pytest.raises(KeyError):
        problem("no-such-problem")
    with pytest.raises(KeyError):
        render("no.such.text", {})
    with pytest.raises(KeyError):
        render("request.malformed", {"field": "x"})


def test_an_outage_never_reads_as_nothing() -> None:
    """Whoever could not be served reads that it was not done: no text of a 503 says that there is nothing."""
    outages = [kind for kind in problem_kinds().values() if kind.status == 503]
    assert outages
    for kind in outages:
        said = render(kind.text, {})
        assert "iets te tonen" not in said
        assert any(word in said.lower() for word in ("niet", "gebruik het antwoord"))

"""What a command loads: setting up a broker starts each of them, so none waits for a part that it does not use."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(("modules", "unused"), [
    ("broker.cli", {"fastapi", "sqlalchemy", "sqlmodel", "alembic", "casbin", "httpx", "uvicorn"}),
    ("broker.cli, broker.starting, broker.store.administration", {"fastapi", "alembic", "casbin", "httpx", "uvicorn"}),
    ("broker.custodian.cli", {"fastapi", "sqlalchemy", "uvicorn"}),
])  # fmt: skip
def test_a_command_loads_only_what_it_uses(modules: str, unused: set[str]) -> None:
    """Web server, policies and migrations are loaded by the commands that need them, and by no other."""
    source = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not unused & set(done.stdout.split())

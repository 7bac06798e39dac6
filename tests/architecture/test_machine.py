"""Nothing of the machine the project was written on is in the project."""

import os
import sys
from pathlib import Path

from tests.architecture.source_tree import ROOT, tracked_files
from tests.check.pip_wheel import PUBLIC_INDEX, index_settings, pip_config_files

ORDINARY = {"/", "/root", "/usr", "/usr/local", "/home"}  # places every machine has say nothing about this one


def traces_of_this_machine() -> list[str]:
    """Return strings that only this machine would write: the checkout's path, its Python's, its user's, its indexes."""
    settings = index_settings(os.environ, pip_config_files(os.environ))
    folders = {str(ROOT), sys.base_prefix, sys.prefix, str(Path.home())}
    return sorted((folders | set(settings.indexes)) - ORDINARY - {PUBLIC_INDEX})


def test_no_file_tells_where_it_was_written() -> None:
    """No tracked file holds a path or a package index of this machine."""
    traces = [trace.encode() for trace in traces_of_this_machine()]
    assert traces
    telling = [name for name in tracked_files() if any(trace in (ROOT / name).read_bytes() for trace in traces)]
    assert telling == []

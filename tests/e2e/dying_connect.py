"""`sluis-connect` as it is, but that it is killed once it has kept so many receipts.

python -m tests.e2e.dying_connect RECEIPTS WORD...
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from connectors import answering
from tests.simulators.region import console_script


def die_after(receipts: int) -> None:
    """This process is killed in the moment in which it has kept so many receipts."""
    kept = 0
    store = vars(answering)["store_receipt"]

    def storing(*arguments: Any, **named: Any) -> Path:  # noqa: ANN401 - whatever the function takes
        nonlocal kept
        path: Path = store(*arguments, **named)
        kept += 1
        if kept == receipts:
            os.kill(os.getpid(), signal.SIGKILL)
        return path

    vars(answering)["store_receipt"] = storing


if __name__ == "__main__":
    die_after(int(sys.argv[1]))
    sys.argv = ["sluis-connect", *sys.argv[2:]]
    console_script("sluis-connect")()

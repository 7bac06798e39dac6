"""A process that outlives the demonstration by moments, to end what that left running, however it ended.

It leads the process group of all children. Its standard input is a pipe that only the demonstration holds open: "done"
means that all is stopped already, and an end without it means that the demonstration died.
"""

import os
import signal
import sys
import time

GRACE_S = 2.0
DONE = b"done\n"


def main() -> None:
    """Wait for the demonstration to end; end the group if it could not do so itself."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    if sys.stdin.buffer.readline() == DONE:
        return
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()

"""A program of ours as it is, which any process may trace: `python -m tests.fault.traceable SCRIPT ARGUMENT...`.

Where Yama guards a machine, a program must say so itself before a tracer that is not its parent can make its disk fail.
"""

import ctypes
import sys

from tests.simulators.region import console_script

PR_SET_PTRACER = 0x59616D61
ANY = ctypes.c_ulong(-1)

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANY, 0, 0, 0)  # refused where there is no Yama, and not needed there
    sys.argv = sys.argv[1:]
    console_script(sys.argv[0])()

"""`make region`: a whole region on one machine, and every match compared with a plaintext oracle.

    python -m tests.region [--data FILE] [--out DIR] [--date YYYY-MM-DD] [--assessments FILE] [--persons N] [--seed N]

Exit 0 only when what was found equals what was expected, 1 on a mismatch, 2 on bad input.
"""

import sys
import warnings

from broker.settings import InsecureSettingWarning
from connectors.demo.processes import end_on_signals
from tests.region.runner import main

if __name__ == "__main__":
    end_on_signals()
    # What is set up here is for nobody; each of its brokers would say so.
    warnings.simplefilter("ignore", InsecureSettingWarning)
    sys.exit(main(sys.argv[1:]))

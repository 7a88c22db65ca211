"""Entry of the analysis worker: one process that keeps one family of models warm."""

import os
import sys

# Isolated mode (-I) leaves the script's own folder out of the search path, on purpose of ours: nothing but the
# environment's packages and this folder can be imported.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from tonearm_worker.main import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m hubpub`."""

import os
import sys

# Python looks into the working directory first. That may be a model folder with a html.py, and nothing of it may run.
if __name__ == "__main__" and not sys.flags.safe_path and not os.path.isdir(f"{sys.path[0]}/hubpub"):  # noqa: PTH112
    del sys.path[0]

from hubpub.cli.main import main

if __name__ == "__main__":
    main()

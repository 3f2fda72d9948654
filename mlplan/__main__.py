"""`python -m mlplan`."""

import os
import sys

if __name__ == "__main__":
    # Python looks first where it was started: there a project's `yaml.py` would be taken for the library.
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]

    from mlplan.cli.main import main

    main()

"""`python -m mlplan`."""

from mlplan.cli.main import main

main()

"""What continuous integration needs beside the command line. `action.yml`, `templates/ci/` and the hooks of
`.pre-commit-hooks.yaml` call it as `python -I -m mlplan.ci...`: isolated, so that no file of a branch is imported.
"""

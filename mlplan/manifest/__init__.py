"""The manifest: from the text of `mlplan.yaml` to a resolved `Manifest`.

    text --parse--> Document --check--> Document --resolve--> Manifest

`load.py` walks that way. `models.py` (pydantic) is the one definition of what may be written; the JSON Schemas in
`schemas/` and the types in `specs.py` are generated from it.
"""

"""Codes MLP3xxx: what a manifest means: references, files, ports.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP3101 = Code("MLP3101", "Unknown resource")

MLP3102 = Code("MLP3102", "Unknown attribute")

MLP3103 = Code("MLP3103", "Malformed reference")

MLP3104 = Code("MLP3104", "Unknown compute")

MLP3105 = Code("MLP3105", "Unknown run")

MLP3106 = Code("MLP3106", "Unknown model")

MLP3107 = Code("MLP3107", "Unknown inference")

MLP3108 = Code("MLP3108", "Resources need each other")

MLP3109 = Code("MLP3109", "Reference out of place")

MLP3201 = Code("MLP3201", "Undeclared variable")

MLP3202 = Code("MLP3202", "Variable without a value")

MLP3203 = Code("MLP3203", "Variable has the wrong type")

MLP3204 = Code("MLP3204", "Unused variable", severity="warning")

MLP3205 = Code("MLP3205", "Value for an undeclared variable")

MLP3206 = Code("MLP3206", "Environment variable not set")

MLP3207 = Code("MLP3207", "Unknown profile")

MLP3208 = Code("MLP3208", "Filled-in value doesn't fit")

MLP3301 = Code("MLP3301", "Missing script")

MLP3302 = Code("MLP3302", "Missing entry script")

MLP3303 = Code("MLP3303", "Missing source folder")

MLP3304 = Code("MLP3304", "Missing dataset file")

MLP3305 = Code("MLP3305", "Missing model file")

MLP3306 = Code("MLP3306", "Missing environment file")

MLP3307 = Code("MLP3307", "Missing test request")

MLP3308 = Code("MLP3308", "Path leads out of the project")

MLP3309 = Code("MLP3309", "Script outside its source")

MLP3401 = Code("MLP3401", "Malformed package")

MLP3402 = Code("MLP3402", "Port used twice")

MLP3403 = Code("MLP3403", "Move can't be made")

MLP3404 = Code("MLP3404", "Malformed gate")

MLP3405 = Code("MLP3405", "Model can't serve itself")

MLP3406 = Code("MLP3406", "Field without effect", severity="warning")

MLP3407 = Code("MLP3407", "Package listed twice")

MLP3408 = Code("MLP3408", "Gate without metrics")

MLP3409 = Code("MLP3409", "Service open to the network without a key", severity="warning")

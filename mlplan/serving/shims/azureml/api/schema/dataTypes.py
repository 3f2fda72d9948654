# ruff: noqa: N999 - the name that scripts import
"""The types that a sample may be of."""


class DataTypes:
    """Their names."""

    NUMPY = "numpy"
    PANDAS = "pandas"
    SPARK = "spark"
    STANDARD = "standard"

"""Shares its name with whatever real packages an environment brings under it."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)

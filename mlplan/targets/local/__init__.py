"""The target `local`: runs and services as processes of this machine."""

"""Rendering: resolved values and `templates/` become files, as values."""

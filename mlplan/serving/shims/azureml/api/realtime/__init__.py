"""Beside scoring: `services.generate_schema`."""

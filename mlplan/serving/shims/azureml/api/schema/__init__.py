"""Names of types, and a sample of one."""

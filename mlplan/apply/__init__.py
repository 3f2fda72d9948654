"""Apply: who is ready, the executor, recovery."""

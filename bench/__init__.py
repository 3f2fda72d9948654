"""How fast mlplan is, beside its peers: `python -m bench` measures the budgets of the design and prints a table."""

"""The command line: one file per command. Parses flags, calls the rooms below, hands results to a view."""

"""This machine, for every target that uses it: files and locks, processes, ports, environment variables."""

"""The newer import paths of the raw HTTP decorator. There is no server in here."""

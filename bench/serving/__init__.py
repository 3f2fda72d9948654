"""The scoring service beside the servers that people use: one row of digits, the same model, the same machine."""

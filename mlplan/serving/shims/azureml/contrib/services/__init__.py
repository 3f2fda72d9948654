"""The raw HTTP decorator, its request and its response."""

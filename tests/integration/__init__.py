"""The real command line, on copies of the examples and of a small project, in folders of their own."""

"""The first generation's way to describe a service's input. It was used beside scoring, to write a file."""

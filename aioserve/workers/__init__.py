"""The parent that binds, starts workers and replaces them, and what a worker says to it."""

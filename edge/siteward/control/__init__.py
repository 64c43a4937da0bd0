"""The decision: pure functions from a snapshot and a memory to what shall happen next."""

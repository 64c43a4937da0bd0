"""Everything that awaits: poller, turn, actuate, supervisor, recovery and the one clock."""

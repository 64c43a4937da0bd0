"""What other limits would have done with a recorded day: the turn run again over the trace, without a wire."""

"""The words every other room speaks: things, units, readings, limits with cause, and ports."""

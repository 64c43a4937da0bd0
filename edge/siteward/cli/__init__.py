"""The command line for installers and technicians: reads, checks, and hands in requests."""

"""The installer's command line."""

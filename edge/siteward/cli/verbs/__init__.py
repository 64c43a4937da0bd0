"""The verbs of the command line, by what they are about; each file adds its own to the grammar."""

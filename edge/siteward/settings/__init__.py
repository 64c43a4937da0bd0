"""The installer's file: read, judged, and turned into the frozen Site."""

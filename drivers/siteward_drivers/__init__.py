"""Wires, codecs, device profiles (data) and the simulated site."""

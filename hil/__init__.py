"""Rigs and the runs that judge the station on wires, emulated or real."""

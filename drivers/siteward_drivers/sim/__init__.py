"""The simulated site: cars, fuses and devices that answer byte-exact frames, in real or in virtual time."""

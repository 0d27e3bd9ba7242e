"""Coverage of 95 % intervals in simulation; see `__main__`."""

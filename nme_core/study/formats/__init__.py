"""File formats: bytes in, a table and how it was read out; one module per format."""

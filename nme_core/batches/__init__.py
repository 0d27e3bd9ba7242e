"""Rows of a study as padded tensors: blocks, splits, sequences, scaling and order."""

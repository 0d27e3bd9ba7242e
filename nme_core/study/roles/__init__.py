"""Roles of columns, proposed from their names and values, each with its reason."""

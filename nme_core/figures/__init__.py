"""Figures as pure functions: tables in, figure out; they know no page and no framework."""

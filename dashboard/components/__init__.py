"""Reusable pieces of a page."""

"""Times and dates as people and programs write them, gaps between them, and rows at one time."""

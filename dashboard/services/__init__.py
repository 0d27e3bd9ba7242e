"""What the pages need done; the only part of the dashboard that knows nme_core."""

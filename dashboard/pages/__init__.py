"""One screen each: read the state, call a service, render."""

"""Research tools: questions about a study that take many fits, each a command of its own."""

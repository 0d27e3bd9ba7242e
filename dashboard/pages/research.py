"""Research: questions about a study that take many fits."""

from dashboard.components.context import finished_run, title
from dashboard.components.errors import guard
from dashboard.components.research import ask, choose_tool, show_answer

title("research")
run = finished_run()
tool = choose_tool()
ask(run, tool)
with guard():
    show_answer(run, tool)

"""New person: few rows of somebody whom the model has never seen."""

from dashboard import state
from dashboard.components.context import empty, finished_run, title
from dashboard.components.newcomer import ask_for_rows, follow
from dashboard.services import newcomers

title("new-person")
run = finished_run()
if not newcomers.possible(run.id):
    empty("not_adaptable", "model")
job = state.kept_job(run.id)
ask_for_rows(run, folded=job is not None)
if job is not None:
    follow(run, job)

"""Runs and what was chosen for them."""

from __future__ import annotations

RUN_STATES = {
    "queued": "waiting",
    "running": "training",
    "done": "finished",
    "failed": "failed",
    "cancelled": "cancelled",
}

RUNS = {
    "at_once": "How many trainings may run at the same time. The others wait in order and begin "
    "by themselves, even when no page is open.",
    "delete_run": "Deletes the model, its results and its figures from this computer. This cannot "
    "be undone.",
    "delete_study": "Deletes the study's data and {runs} from this computer. This cannot be "
    "undone. Files elsewhere stay.",
    "damaged_studies": "A damaged study",
    "damaged_runs": "A damaged run",
    "delete_damaged": "Deletes what is left of it from this computer. This cannot be undone.",
    "orphans": "Runs whose study is no longer here",
    "restart": "Train again",
    "restart_help": "With the same choices, in place of this run.",
    "compare": "Two finished runs side by side, on the test part.",
    "paired": "Second minus first, person by person, averaged; intervals and p as on the page Fit.",
    "unpaired": "The two runs were not judged on the same rows, so their metrics do not compare "
    "person by person.",
    "another": "It begins at once where one more may train, and else waits for its turn; the page "
    "then follows it. The one above goes on.",
    "leave": "You can leave this page or close the browser: training goes on.",
}

#: Choices of a run, in words.
CHOICES = {
    "model": "model",
    "placement": "where people differ",
    "covariance": "covariance of people",
    "hidden": "hidden layers",
    "baselines": "compared with",
    "epochs": "passes through the data",
    "seed": "seed",
    "estimator": "estimator",
    "family": "family",
    "groups": "further grouping factors",
    "tune": "settings tried",
}

#: Passes through the data that nobody asked for.
CONVERGED = "until it has converged"

#: The same in few words, for a list of runs.
SHORT_VERDICTS = {
    "simple": "A simple rule predicts as well or better",
    "better": "People's own parameters help to predict them",
    "worse": "One model for everybody predicts better",
    "alike": "Not clear whether people's own parameters help",
    "alone": "Not compared with another model",
    "unjudged": "Too few occasions to judge",
}

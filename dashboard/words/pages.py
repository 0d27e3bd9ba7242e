"""Names of pages and what stands around them."""

from __future__ import annotations

#: Groups of pages, in the order of work; of each page the path in the address and the title.
PAGE_GROUPS = {
    "Data": {"study": "Study", "runs": "Runs"},
    "Model": {"model": "Model", "fit": "Fit"},
    "People": {
        "transitions": "Transitions",
        "random-effects": "Random effects",
        "new-person": "New person",
    },
    "Covariates": {"covariates": "Covariates"},
    "Questions": {"research": "Research"},
    "Take away": {"gallery": "Gallery", "export": "Export"},
}

#: Pages that only researchers see in the navigation.
RESEARCHER_PAGES = {"research"}

PAGES = {path: title for pages in PAGE_GROUPS.values() for path, title in pages.items()}

LEADS = {
    "study": "Start from a sample study or from your own table: one row per person and occasion.",
    "runs": "Every study and every model that was trained on this computer.",
    "model": "Choose what the model is and where people may differ from each other, then train.",
    "fit": "How well the model predicts occasions of the same people that it has not seen.",
    "transitions": "How one person moves between states, beside the population.",
    "random-effects": "How far people differ from the population, parameter by parameter.",
    "covariates": "Are differences between people associated with what else is known about them?",
    "research": "Questions about this study that take many fits, answered in one sentence each.",
    "new-person": "What a few observations say about a person whom the model has never seen.",
    "gallery": "Figures that you pinned, with your captions, as one file.",
    "export": "What leaves the app: figures for print, reports, words to paste, tables, a bundle.",
}

#: The same for clinicians, where it has to be said in other words.
PLAIN_LEADS = {
    "model": "Train on this study: press the button, and come back when it is done.",
    "random-effects": "Which people differ most from the others, and how.",
    "export": "Take figures and reports with you.",
}

WELCOME = (
    "From the diaries or recordings of many people, this learns what all have in common and what "
    "is each person's own: how one mood follows another, or what sleep does to mood."
)

#: The two doors of the first screen, by the view that each opens.
DOORS = {
    "clinician": {
        "title": "I look after people",
        "what": "See how one person moves between states or responds to sleep, beside the others: "
        "one figure, one plain sentence, one page to take to a meeting.",
        "sample": "Open a sample study",
        "own": "Use my own table",
        "opening": "Opening the sample study",
    },
    "researcher": {
        "title": "I analyse studies",
        "what": "Choose and compare models, look at every interval and check, test covariates "
        "with correction, and take tables, methods and a bundle for the paper.",
        "sample": "Open a sample study",
        "own": "Use my own table",
        "opening": "Opening the sample study",
    },
}

VIEWS = {"clinician": "Clinician", "researcher": "Researcher"}

#: What the switch offers: each language by its own name.
LANGUAGES = {"en": "English", "de": "Deutsch"}

VIEW_HELP = (
    "Clinician: the few things that matter, in plain words, with nothing to set. Researcher: "
    "every table, figure and setting."
)

SIDEBAR = {
    "study": "Study",
    "people": "{n} people",
    "run": "Model",
    "waiting": "Training waits for its turn.",
    "training": "Training, {percent} %",
    "open": "Show the training",
    "none": "No study yet.",
}

#: What was trained, under the navigation of those who choose nothing.
PLAIN_RUNS = {
    "nme-crf": "How people move between states",
    "nme-mlp": "How people differ in level and response",
}

RESEARCH_USE = "Research use, not diagnosis."
STAYS_HERE = "Everything stays on this computer."

UNEXPECTED = (
    "Something went wrong that should not have. Your study and your runs are kept. "
    "The details are in {log}; please send that file's last entry to whoever maintains this."
)

EMPTY = {
    "no_study": "**No study yet.** Load a sample study or your own table first.",
    "no_run": "**No model yet.** Train a model on this study; this page then shows its results.",
    "unknown_run": "**No run was found at this address.** It may be on another computer, or have "
    "been deleted. Load a study and train a model.",
    "waiting": "**This training waits for its turn.** This page fills by itself when it is done.",
    "still_running": "**Training is still going on.** This page fills by itself when it is done.",
    "not_finished": "**This run has no results.** {message}",
    "partly_finished": "**This run did not come to its end.** {kept} The pages after Fit need a "
    "finished run: train the model again.",
    "unknown_study": "**No study was found at this address.** Load it again.",
    "no_transitions": "**Transitions exist only for sequence models.** This run is an NME-MLP, "
    "which predicts each occasion by itself. Train an NME-CRF on a study whose outcome is a "
    "state, or look at each person's response curves.",
    "no_covariates": "**This study has no covariates.** Load it with a second table (one row per "
    "person) or with columns that are constant within a person, then train again.",
    "no_random_effects": "**Nothing in this model varies by person.** Train with a placement.",
    "no_groups": "This covariate makes no groups of people that are large enough to compare.",
    "no_figure": "This run has nothing to show for this choice.",
    "no_runs": "**Nothing here yet.** Load a study and train a model; both are listed here.",
    "no_probabilities": "This run has no probabilities of states for this person.",
    "one_person": "This run has only one person.",
    "one_parameter": "Only one parameter varies by person.",
    "no_correlations": "This run has no correlations of parameters; they take four people. If it "
    "has more, it was trained by an earlier version: train it again to have them.",
    "not_adaptable": "**This model cannot be adapted to new people.** That takes a model with one "
    "grouping factor in which something varies by person, and a run with transitions or response "
    "curves.",
    "no_tests": "Choose a covariate and run the test.",
    "no_checks": "This run has no simulated data to compare with; train it again to have them.",
    "no_calibration": "This run has no calibration table; train it again to have one.",
    "no_test_part": "This model has no held-back occasion with a known outcome.",
    "no_person_metric": "This metric is not known for single people.",
    "tests_elsewhere": "This run was tested outside of the app. Run the test to see it here.",
}

KEPT = "Kept: metrics and predictions of {models}, on the page Fit."

NOTHING_KEPT = "No model was finished before, so nothing of this run can be used."

#: What messages say of Python or the shell, and what it is called in the app.
APP_WORDS = {
    "Read the study with outcome_kind='class'": "Load the study again with “The outcome is: class "
    "(state)”",
    "Leave --family out": "Choose no other kind of outcome",
    'family="gaussian"': "the kind of outcome gaussian",
    'Use placement="last" without a family': "Let people differ in the last layer alone, with the "
    "kind of outcome that is proposed",
    "another --placement": "another choice of “Where people differ”",
    "--placement": "“Where people differ”",
    "leave out the groups": "load the study without the further grouping factor",
    "Use NMEMLPClassifier for classes": "Load the study again with “The outcome is: class (state)”",
    "hidden=()": "no hidden layer",
    "(--max-gap ": "(",
    "--max-gap none": "none as the longest gap",
    "--max-gap": "the longest gap",
    "nme-mlp": "NME-MLP",
    "nme-crf": "NME-CRF",
}

#: What opens the further sentences on a figure.
NOTES = "How to read it"

#: What the help of a page is called.
PAGE_HELP = "What the words mean"

#: On the button that ends a job.
JOB_STOP = "Stop"

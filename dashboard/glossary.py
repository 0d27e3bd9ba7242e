"""Every word of explanation on the screen; Markdown where a page says so."""

from __future__ import annotations

from nme_core.figures.words import (
    ARROWS,
    CURVES,
    EFFECT_LIMIT,
    LOSSES,
    MULTIPLES,
    OBSERVATIONS_LIMIT,
    PERSON_STATISTICS,
    SCATTER_LIMIT,
)
from nme_core.vocabulary.choices import FAMILIES_OF, MODELS, PLACEMENTS
from nme_core.vocabulary.terms import QUESTIONS

__all__ = [
    "ARROWS",
    "CURVES",
    "EFFECT_LIMIT",
    "FAMILIES_OF",
    "LOSSES",
    "MODELS",
    "MULTIPLES",
    "OBSERVATIONS_LIMIT",
    "PERSON_STATISTICS",
    "PLACEMENTS",
    "SCATTER_LIMIT",
]

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
        "study": "dyads",
        "opening": "Opening the sample study",
    },
    "researcher": {
        "title": "I analyse studies",
        "what": "Choose and compare models, look at every interval and check, test covariates "
        "with correction, and take tables, methods and a bundle for the paper.",
        "sample": "Open a sample study",
        "own": "Use my own table",
        "study": "dyads",
        "opening": "Opening the sample study",
    },
}

STUDY = {
    "another": "Load another study",
    "own": "Your own tables",
    "long": "One row per person and occasion",
    "formats": "Text (CSV, TSV), Excel, SPSS, Stata, SAS or Parquet, also packed.",
    "second": "Optional: one row per person, such as a depression score",
    "sample": "Sample study",
    "choose_sample": "Choose a sample study",
    "name": "Name of the study",
    "name_help": "Stands on every page, in reports and in bundles. Left empty, it is the name "
    "shown in grey; the file's own name is kept nowhere.",
    "load": "Load study",
    "checking": "Checking the study",
    "report": "Report on {name}",
    "next": "Next: choose a model",
    "stop": "**This study cannot be trained on yet.** What stops it is marked red below.",
}

#: The same for clinicians, where it has to be said in other words.
PLAIN_LEADS = {
    "model": "Train on this study: press the button, and come back when it is done.",
    "random-effects": "Which people differ most from the others, and how.",
    "export": "Take figures and reports with you.",
}

VIEWS = {"clinician": "Clinician", "researcher": "Researcher"}
VIEW_HELP = (
    "Clinician: the few things that matter, in plain words, with nothing to set. Researcher: "
    "every table, figure and setting."
)

SAMPLE_STUDIES: dict[str | None, str] = {
    None: "Simulated studies with a known truth, for a first look.",
    "dyads": "Simulated: 100 mother–adolescent pairs, four affective states, a depression score "
    "that shifts two transitions.",
    "mood": "Simulated: 60 people, some weeks of daily mood, whose response to sleep differs by "
    "person and is not a straight line.",
    "null": "Simulated: nothing depends on depression here, but people with more depression "
    "answer less often. A test should find nothing.",
}

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

RESEARCH_USE = "Research use, not diagnosis. Everything stays on this computer."

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
    "no_runs": "**Nothing here yet.** Load a study and train a model; both are listed here.",
    "no_probabilities": "This run has no probabilities of states for this person.",
    "one_person": "This run has only one person.",
    "one_parameter": "Only one parameter varies by person.",
    "no_correlations": "This run has no correlations of parameters; they take four people. If it "
    "has more, it was trained by an earlier version: train it again to have them.",
    "not_adaptable": "**This model cannot be adapted to new people.** That takes a model with one "
    "grouping factor in which something varies by person.",
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
    "leave out the groups": "load the study without the further grouping factor",
    "Use NMEMLPClassifier for classes": "Load the study again with “The outcome is: class (state)”",
    "hidden=()": "no hidden layer",
    "(--max-gap ": "(",
    "--max-gap none": "none as the longest gap",
    "--max-gap": "the longest gap",
    "nme-mlp": "NME-MLP",
    "nme-crf": "NME-CRF",
}

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

ROLES = {
    "person": "Which column tells people apart.",
    "time": "Order within a person: a number or a date.",
    "sequence": "Session or episode within a person; leave empty where there is only one.",
    "outcome": "What is predicted: a number, or a state.",
    "outcome_kind": "A number can be more or less, such as a rating. States are kinds, such as "
    "calm or tense, even where the file writes them as 0, 1 and 2. NME-CRF needs states.",
    "group": "A further grouping factor, such as the clinic or the therapist: its groups get "
    "effects of their own beside the people'. Only the estimators variational and annealed take "
    "one.",
    "features": "What it is predicted from; numbers that vary within a person.",
    "covariates": "Known once per person, such as a depression score; tested, never trained on.",
}

#: Codes of states that are asked for words.
STATE_NAMES = {
    "ask": "**What do the codes of {outcome} mean?** These words then stand in every figure and "
    "sentence, and new rows may use codes or words.",
    "code": "{code} means",
    "as_it_is": "stays {code}",
}

OUTCOME_KINDS = {"number": "number", "class": "class (state)"}

OUTCOME_REASONS = {
    "words": "{name} holds words, so each word is a state.",
    "two values": "{name} holds two values ({values}), so each is taken as a state.",
    "few whole numbers": "{name} holds only {n} whole numbers ({values}), so each is taken as a "
    "state. Choose number if they are amounts or ratings.",
    "numbers": "{name} holds {n} different numbers, so it is taken as a number.",
    "unclear": "{name} cannot be used as it is; loading says why.",
}

#: What is trained, for readers who choose nothing.
PLAIN_MODELS = {
    "nme-crf": "The computer learns from these data how people move from one state to the next: "
    "what all have in common, and what is each person's own.",
    "nme-mlp": "The computer learns from these data how the outcome depends on the other columns: "
    "what all people have in common, and what is each person's own.",
}

ONLY_NUMBERS = (
    "The outcome of this study is a number, so NME-MLP is the model for it. If its values are "
    "states, load the study again with “The outcome is: class (state)”; then NME-CRF is here too."
)

PRESETS = {
    "quick": ("Quick", "Until it has converged, beside one model for all people."),
    "thorough": (
        "Thorough",
        "Tries several sizes of network and kinds of covariance on the validation part first, "
        "then compares with every other kind of model. Takes many times as long.",
    ),
}

ESTIMATE = {
    "range": "Rough estimate: {time}, judged by {runs} of this kind on this computer.",
    "one": " How much that varies is not known yet.",
    "none": "Nothing is known yet of how long it takes: no training of this kind was finished on "
    "this computer.",
}

NO_LAYERS = "Hidden layers are auto, or whole numbers of units, such as 32 or 32,16."

#: Baselines for numbers only.
FOR_NUMBERS = ("lme", "mlp-lme")

METRICS = {
    "mse": ("MSE", "mean squared error, in squared units of the outcome; lower is better"),
    "mae": ("MAE", "mean absolute error, in units of the outcome; lower is better"),
    "pearson": ("Pearson r", "correlation of predicted and observed; higher is better"),
    "ccc": ("CCC", "concordance: agreement in correlation, mean and spread; higher is better"),
    "crps": (
        "CRPS",
        "distance of the predicted distribution from what happened, in units of the outcome: the "
        "absolute error, with uncertainty counted; lower is better",
    ),
    "coverage_95": (
        "coverage of 95 % intervals",
        "share of occasions inside their 95 % prediction interval; .95 is right, less means that "
        "the intervals are too narrow",
    ),
    "accuracy": ("accuracy", "share of occasions predicted right; higher is better"),
    "balanced_accuracy": (
        "balanced accuracy",
        "share predicted right of each state, averaged: a rare state counts as much as a frequent "
        "one; higher is better",
    ),
    "kappa": ("Cohen's κ", "agreement beyond chance; higher is better"),
    "alpha": (
        "Krippendorff's α",
        "agreement beyond chance, with observed and predicted states taken alike; higher is better",
    ),
    "macro_f1": (
        "macro F1",
        "mean over states of F1, the harmonic mean of precision and recall; higher is better",
    ),
    "log_loss": (
        "log-loss",
        "minus log probability of what happened, per step; for an NME-CRF of all labels of a "
        "person's held-out segment together, given the label before it, not label by label; lower "
        "is better",
    ),
}

#: What the metric that sums up a fit means, in plain words.
PLAIN_METRICS = {
    "log_loss": "how surprised the model is by what happened, on average for one step; 0 would be "
    "no surprise at all, and lower is better",
    "mse": "the distance between prediction and observation, squared and averaged; lower is better",
}

PLAIN_NAMES = {
    "nme": "each person with parameters of their own",
    "generic": "one model for everybody",
}
PLAIN_DIFFERENCE = (
    "With one model for everybody, a person's own {metric} changes by {difference}, averaged over "
    "{n} people (95 % interval {limits}, {p})."
)

PLAIN_VERDICTS = {
    "better": "People differ in ways that help to predict them: on occasions that the model has "
    "not seen, giving people parameters of their own predicts better than one model for all.",
    "worse": "One model for everybody predicts better here than giving people parameters of their "
    "own. Look at single people with care.",
    "alike": "These data do not show whether giving people parameters of their own predicts "
    "better than one model for everybody. Look at single people with care.",
    "alone": "This run has no other model to compare with.",
    "unjudged": "No person has enough occasions for a test part; nothing can be said about the "
    "fit.",
}

#: Of the warnings of training the one that matters most, for readers who choose nothing.
PLAIN_WARNINGS = {
    "unsettled": "Training ended before the model had settled: read what follows with care, or "
    "train again.",
    "other": "Training gave a warning that should be read before the results are used; the "
    "Researcher view has its words.",
    "alike": "In some respects no differences between people could be told from chance, so the "
    "model treats people nearly alike there; more rows per person would tell more.",
}

NUMBERS_BEHIND = "The numbers behind this"
FIT_SECTIONS = {
    "models": "Models",
    "persons": "People",
    "errors": "Errors",
    "checks": "Model checks",
    "training": "Training and certainty",
}
TOGETHER = {
    "title": "All test occasions together",
    "limit": "These values have no interval: occasions of one person are not independent.",
}
#: What opens the notes on the tables of Fit.
TABLE_HELP = {
    "together": "How to read this table: models, metrics, and what was judged",
    "by_person": "How to read this table, and why it can differ from the one above",
    "paired": "These differences as a table, and how they were tested",
    "verdict": "Training, and how the model compares in other ways",
}
BY_PERSON = {
    "title": "Each person's own, averaged over people",
    "what": "First NME's own mean over the people for whom the metric is defined, then the mean "
    "difference of each other model from NME, person by person; in brackets 95 % intervals over "
    "people; the fitted models themselves are taken as given.",
    "why": "The two tables can differ, even in sign: together, every occasion counts the same, and "
    "telling people apart raises κ, macro F1, correlations and CCC; person by person, everybody "
    "counts the same, and only what varies within the person does that.",
}
INDIVIDUAL = {
    "off": "On the {n} occasions of person {person} that were held back, the person's own "
    "prediction is off by {own} on average, the population's by {shared}.",
    "rmse": "On the {n} occasions of person {person} that were held back, the person's own "
    "prediction has an RMSE of {own}, the population's one of {shared}.",
    "right": "On the {n} occasions of person {person} that were held back, the person's own "
    "prediction is right in {own} %, the population's in {shared} %.",
    "untested": "Person {person} has no occasion that was held back with a known outcome.",
    "several numbers": "Each panel is one person; {outcome} has the same scale in all, time has "
    "each person's own.",
    "several states": "Each panel is one person, each cell one of the person's occasions.",
    "all cut": "Right of the dotted line nothing was fitted.",
    "some cut": "Where there is a dotted line, nothing right of it was fitted; where there is "
    "none, all was.",
    "none fitted": "None of these occasions was fitted.",
    "none cut": "All of these occasions were fitted, so this is no test of the prediction.",
    "numbers": "The lines are expected values; single occasions scatter around them.",
    "states": "The strips are what was observed, and the most probable states for this person and "
    "for the population.",
    "days": "days since the person's first",
}
PERSON_ERRORS = (
    "The median {metric} of {n} people is {median}; the worst predicted is person {person} "
    "({worst}; {obs} occasions fitted). Few held-back occasions make a person's value unsure."
)
CHECKS = (
    "{outside} of {all} observed values lie outside the middle 95 % of what the model simulates "
    "for the same people and occasions{which}; one in twenty would by chance. The model was "
    "fitted to these data, so that agreement is no proof that it predicts."
)
CHECKS_BY_PERSON = {
    "outside": "Outside the middle 95 % of what the model simulates for them lie {each}; about "
    "5 % would by chance, and fewer where the model has learned a person's own level."
    "{worst}",
    "worst": " Furthest outside is person {person} ({what}: observed {observed}, simulated {low} "
    "to {high}); of {n} people somebody may be so far out by chance.",
    "thinned": " Every {step}th person is drawn.",
}
#: Statistics of the checks of all people together.
STATISTICS = {
    ("distribution", "mean"): "mean",
    ("distribution", "sd"): "SD",
    ("distribution", "skewness"): "skewness",
    ("distribution", "quantile 0.05"): "5 % quantile",
    ("distribution", "quantile 0.25"): "25 % quantile",
    ("distribution", "quantile 0.5"): "median",
    ("distribution", "quantile 0.75"): "75 % quantile",
    ("distribution", "quantile 0.95"): "95 % quantile",
    ("persons", "sd of means"): "spread between people",
    ("persons", "mean of sds"): "spread within people",
    ("autocorrelation", "lag 1"): "autocorrelation",
}
#: The same of states, by check.
STATE_STATISTICS = {
    "share": "share of {state}",
    "dwell": "stay in {state}",
    "persons": "spread between people of the share of {state}",
}
SHRINKAGE = {
    "median": "Shrinkage is the share by which the variance of people's estimates falls short "
    "of the variance that the model says people have: {median} in the median of {n} parameters "
    "(0: none, 1: all estimates at the population's value).",
    "most": "Shown are the {shown} most informative parameters.",
    "icc": "The intraclass correlation is {icc}: the share of what the features leave unexplained "
    "that lies between people.",
    "limit": "Strong shrinkage means that the data say little about single people.",
}
CERTIFICATE = {
    "offer": "Fits the linear mixed model of this study (random intercept and slopes) twice, here "
    "and by MixedLM of statsmodels, and shows both side by side.",
    "agrees": "All {n} numbers of the two fits agree to 0.001; the largest relative difference is "
    "{largest}.",
    "differs": "**The two fits do not agree everywhere**: the largest relative difference of {n} "
    "numbers is {largest}. MixedLM may have stopped early; the table says where they differ.",
    "own": "Of this run's own model, on the rows that it was fitted to, in units of the data.",
    "other": "Of the linear mixed model of this study, not of this run's own model.",
}

#: The same in few words, for a list of runs.
SHORT_VERDICTS = {
    "better": "People's own parameters help to predict them",
    "worse": "One model for everybody predicts better",
    "alike": "Not clear whether people's own parameters help",
    "alone": "Not compared with another model",
    "unjudged": "Too few occasions to judge",
}

PAIRED = (
    "Each person's own metric under another model minus the same person's under NME, averaged. The "
    "interval comes from drawing people again and again with replacement (studentised bootstrap); "
    "p from swapping the two models of randomly chosen people. The corrected p allows for the "
    "number of models that are compared on the same metric (Holm), not for the number of metrics."
)

SEQUENCE_LOSS = (
    "The log-loss of an NME-CRF is −log p(all labels of the person's held-out segment together, "
    "given the label before it), divided by the number of steps. It is not computed from the "
    "probabilities of single states (p_<state>) in the predictions."
)

FLAT = {
    "number": "predicts nearly the same number for everybody: it found no pattern",
    "class": "predicts the same class every time: it found no pattern",
}

SPLIT = (
    "Fitted on the first 60 % of each person's occasions, watched on the next 20 %, judged on the "
    "last 20 %. This is the future of the same people, not of new ones."
)

SPLIT_FEW = (
    "Most people have fewer than 5 occasions: some people's last one was watched, others' last "
    "one judged, and all else fitted. This is the future of the same people, not of new ones."
)

PLAIN_INTERPRETED = {
    "all rows": "Learned from everybody's rows.",
    "training rows": "Learned from the first 60 % of each person's rows.",
}
INTERPRETED = {
    "all rows": "From a second fit of the same model on all rows; the metrics on the page Fit come "
    "from the fit that has not seen the test part.",
    "training rows": "From the fit on the training part, the first 60 % of each person's rows.",
}

READOUTS = {
    "conditional": (
        "conditional probability",
        "Probability of the next state given this one in a long sequence of this person in which "
        "all features stay at their average. It serves to compare people at the same features and "
        "does not say how often a move was made; expected and observed share say that.",
    ),
    "expected": (
        "expected share in the recorded situations",
        "Shares of the next states in the situations in which this person was recorded, as the "
        "model expects them: how often the person stayed or moved there. They also reflect the "
        "features that the person had.",
    ),
    "observed": (
        "observed share",
        "Counted in the recorded sequences, no model involved; shares of few moves are unsure.",
    ),
    "scores": (
        "score",
        "The model's raw contrast: rows and columns add up to 0, positive means more than average. "
        "Not a probability; used for the tests.",
    ),
}

PLAIN_TRANSITIONS = (
    "Where does this person go next? Rows are the state now, columns the next one; n is how often "
    "the move was observed."
)
#: The read-out that every page begins with, and those who choose none see: one story per person.
PLAIN_READOUT = "conditional"
#: The sections that matter to a clinician.
PLAIN_SECTIONS = ("person", "time", "sequence")
SECTIONS = {
    "person": "One person",
    "all": "All people",
    "groups": "Groups",
    "time": "Moves and time",
    "two": "Two people",
    "sequence": "Over time",
}
NEW_PERSON = {
    "upload": "Rows of new people (text, Excel, SPSS, Stata, SAS, Parquet), with the columns "
    "{columns}",
    "again": "Another new person, or more rows",
    "type": "One row per occasion, in order. Empty cells are missing.",
    "type_time": "“{time}” may stay empty in all rows: they then count as 1, 2, 3 and so on.",
    "how": "Everything that was learned from the others stays as it is; only this person's own "
    "parameters are learned. It runs beside the page.",
    "alike": "This model could not tell people apart: a new person is predicted like everybody "
    "else, and the intervals here do not count that people may differ after all.",
    "few": "With few observations a person's matrix stays near the population; that is no evidence "
    "of being like the others.",
    "curve": "The band is the 95 % interval of this person's expected {outcome}; single occasions "
    "scatter around it. Other features stay at their mean over the rows of the fit; the curve "
    "describes predictions, not what would happen if the feature were changed.",
    "narrowing": "After {first} outcome{s} the interval {what} is {before} wide, after {last} it "
    "is {after} wide. The person's rows are taken in order of time.",
}
EFFECT_SECTIONS = {
    "levels": "Levels and slopes",
    "curves": "Response curves",
    "parameter": "One parameter",
    "estimates": "Estimates",
    "across": "Across parameters",
    "persons": "People",
}
ORDERS = {"id": "in the order of the study", "similarity": "people with similar moves together"}
GROUP_MEANS = {
    "differ": "The groups' means of the {word} differ most in {start} to {end}: {low} ({first}), "
    "{high} ({last}); {contrast} is {gap}{interval}.",
    "beyond": "The move that is most clearly associated with {covariate}, {start} to {end}: a mean "
    "{word} of {low} ({first}) and {high} ({last}); {contrast} is {gap}{interval}. Tested alone, "
    "with all others counted, {p}.",
    "together": "No single move stands out once all are counted: the test is of all together.",
    "within": "The differences between these groups lie within what chance gives (see the test "
    "above): none is named.",
    "unsure": "Too little is known of single people to read a difference between groups off this "
    "figure.",
    "left_out": "{n} of {all} people are in no group shown: {why}.",
    "thirds": "neither in the lowest nor in the highest third",
    "bands": "in a band of fewer than five people or in none",
    "values": "in none",
    "unknown": "without a value of {covariate}",
    "limit": "Means of people's own matrices, each person counting the same. Intervals stand "
    "in the text over each cell, beside how many people its mean is of: Student's t over people, "
    "Welch's for the difference, each cell by itself. A description, not a test: the largest of "
    "many differences was picked.",
    "pulled": "Each person's estimates are pulled towards the population, which makes groups look "
    "more alike than they are.",
}
DWELL = {
    "what": "How many steps a state is kept before it is left. Filled: as the model expects it in "
    "the recorded rows, 1 / (1 − expected share of staying); hollow: as counted, 1 / (1 − observed "
    "share).",
    "limit": "The population's filled mark is somebody like the population, the hollow one all "
    "people's moves together, so that the two need not agree.",
    "never": "never observed to be left",
}
TWO_LIMIT = (
    "Intervals of the difference of two people are not known; small differences may be chance."
)
RIBBON = {
    "steps": "{steps} of person {person}{sequences}; {fitted}. Probabilities take the whole "
    "sequence of features into account.",
    "sequences": " in {n} sequences one after the other, thin lines between them",
    "all": "the model was fitted to all of them",
    "none": "the model was fitted to none of them",
    "part": "the model was not fitted to the last {n}, from the dotted line on",
}
CORRELATIONS = {
    "largest": "The largest correlation of people's estimates is {value}, of {pair}; the model's "
    "own, of what is estimated (Σ), is {own}. Estimates can go together only because a person's "
    "rows cannot tell two parameters apart.",
    "band": "{outside} of {all} pairs lie outside the band (framed) in which the model expects 95 "
    "% of such correlations; by chance about {chance} would. After correction for all pairs "
    "{kept} remain{s}.",
    "one": "The pair lies {where} the band in which the model expects 95 % of such correlations.",
    "stopped": "Training had not converged, which makes the band too narrow.",
    "unknown": "What of it the model expects is not known, as this estimator gives no standard "
    "errors: this alone is no evidence that people's parameters go together.",
    "diagonal": "The pairs that are furthest from what the model expects. The band is simulated "
    "from the model (parametric bootstrap), for which parameters vary independently over people "
    "(diagonal covariance). A pair outside speaks against that; a model with full covariance can "
    "learn it. What all people share is taken as given.",
    "full": "The pairs that are furthest from what the model expects. The band is simulated from "
    "the model (parametric bootstrap), which has learned how parameters go together over people "
    "(their covariance). A pair outside speaks against its normal distribution of people. What "
    "all people share is taken as given.",
}
ESTIMATES = (
    "What is shared by all people, with its 95 % interval (of weights of hidden layers there is "
    "none: their units can change places), and how much people differ from it: the SD of the "
    "model's normal distribution of people, and the mean reliability of people's own values. "
    "{units}"
)
ESTIMATE_UNITS = {
    "data": "In the units of the data: of a weight, what one unit of the feature changes (of "
    "classes and states their score, on the scale of log-odds).",
    "standard": "Features and outcome are standardised inside: in standard deviations of both.",
}
RESIDUAL = "Residual SD: {sd}. Intraclass correlation given the features: {icc}."
RELIABILITY = {
    "what": "Reliability is the share of the variance between people that a person's own data "
    "settle: {median} in the median.",
    "rho": "Across these people its rank correlation with the number of observations is {rho}; "
    "how much an observation tells depends on the person's data too.",
    "same": "All people drawn have the same number of observations or the same reliability.",
}
PERSON_MAP = (
    "Each point is a person; people close together have similar parameters. The two directions "
    "carry {share} % of the variance between people. Colours are no test: see the page Covariates."
)
FACTORS = (
    "Rows may belong to more than people, such as clinics. Each of these factors has differences "
    "of its own; a person's parameters are the population's, plus the clinic's, plus the person's."
)
FACTOR = (
    "{n} groups of {factor} differ in {parameter} with an SD of {own} (the model's own). Their "
    "estimates are pulled towards the population, the more so the fewer observations a group has."
)
FACTOR_PERSONS = "People differ with an SD of {between}, beyond their groups."
PARAMETER_NAMES = (
    "“a → b” is the score of moving from state a to state b. “sleep on low” is the weight with "
    "which a feature moves the score of a class or state; without a class, it moves the outcome "
    "itself, and “intercept” is what the outcome is where all features are 0. “Unit 3” is the "
    "third unit of a hidden layer, which has no meaning by itself. The tables of a run have the "
    "names that the model uses, such as layers.0.weight[2,1], which count from 0. Most "
    "informative: what people's own data say most about."
)
LEVELS = (
    "The level is the prediction at the study's average features; the slope of a feature is by how "
    "much the prediction changes, on average, for one unit more of it (of a feature with two "
    "values: from one to the other). Each point is a person's difference from the population. "
    "Tests against covariates are of these numbers."
)
LEVEL_OF_ALL = "In the population the {effect} is {value}{interval}."
PLAIN_FURTHEST = {
    "title": "Furthest from the population",
    "level": "the predicted {what} is {way} than that of all people together, by {by} on average "
    "over the values of {feature} that the person had.",
    "unknown": "differs only in ways that have no plain words here.",
    "limit": "States that a person was in fewer than five times do not count. Somebody is always "
    "furthest: five are listed, whether or not they differ by more than chance, and the largest "
    "of many differences is easily too large. It is no finding about the person; their data may "
    "be worth a look.",
    "limit_curves": "Somebody is always furthest: five are listed, whether or not they differ by "
    "more than chance, which an average over a curve does not say; each one's curve has its "
    "interval. It is no finding about the person; their data may be worth a look.",
}
FURTHEST = (
    "Distance: root mean square of a person's deviations, each in the model's SD. Shrinkage "
    "keeps it below 1 for most. People far out may be worth a look at their data."
)

NOT_LEARNED = "Not learned: the data hold next to nothing about people here."
CURVE_INTERVAL = (
    "The band is the 95 % interval of person {person}'s expected {what}; single occasions scatter "
    "around it."
)
GROUPS_LIMIT = (
    "Means of people's own curves, drawn where at least half of a group was observed, other "
    "features at their mean; a description, not a test."
)
HSIC_LIMIT = (
    "HSIC answers whether there is any dependence, of any shape; it has no direction and says "
    "nothing about cause."
)
VARIANCE_TRACES = (
    "The variance of random effects says how much people differ in their parameters; σ², for "
    "numbers, what the model leaves unexplained. Training has settled where the lines stay level."
)
WEIGHTS = (
    "A single weight of a network means little by itself, and which of them carries a difference "
    "is partly arbitrary; the page Random effects shows what differs in terms of the outcome."
)
CONTRASTS = (
    "Scores are contrasts whose rows and columns add up to 0: when one transition is higher in "
    "some people, others in its row and column are lower. A shift of a single transition "
    "therefore shows in several rows of this table."
)
#: Guard against the compliance trap: its name, and what it does.
GUARDS = {
    "strata": (
        "permute among people observed equally often",
        "People are exchanged only with others of similar numbers of occasions. Safe, but where "
        "the covariate follows compliance closely it finds less.",
    ),
    "reliability": (
        "undo the pull towards the population",
        "Each person's deviations are divided by the square root of their reliability, so that "
        "people observed seldom vary as much as the others.",
    ),
    "draws": (
        "test draws instead of estimates",
        "Draws from each person's posterior are tested; who was observed seldom is then more "
        "uncertain instead of nearer to the population. The most cautious.",
    ),
    "none": (
        "none",
        "No guard: if the covariate is related to answering less often, a finding may be "
        "compliance alone.",
    ),
}
#: What opens the notes on tests.
TESTS_HELP = {
    "rests_on": "What the tests rest on: the fit, compliance, and reliability",
    "table": "How to read this table, and how it was tested",
}
TEST_ALL = {
    "press": "Test all {n}",
    "help": "Every covariate in one go, corrected for their number; the table lists them all.",
    "working": "Testing",
    "permuting": "Dealing the covariates out to people anew",
    "next": "Tested next: {names}.",
}
PERMUTE = {"within": "people within blocks", "whole": "whole blocks"}
CORRECTIONS = {"bh": "Benjamini–Hochberg", "holm": "Holm"}
TEST_OPTIONS = {
    "of": "What of each person is tested. The first is what the other pages show.",
    "guard": "People who answer seldom are pulled more towards the population. If the covariate "
    "is related to answering seldom, that alone can look like an effect: the compliance trap.",
    "confounders": "What a linear regression on these tells is taken out of both sides, of the "
    "parameters and of the covariate; a curved influence is not.",
    "blocks": "People of one clinic or family are alike. Permuting within blocks takes out what "
    "they share; permuting whole blocks is for covariates that whole blocks share.",
    "incremental": "Holds each person's mean and variability (of states: shares and rate of "
    "switching), and asks what the parameters tell of the covariate beyond them.",
    "adjust": "Benjamini–Hochberg limits the expected share of false findings among all findings; "
    "Holm the chance of even one, and finds less.",
    "again": "Tested on this run before: {names}. All are tested again in this way, and counted.",
}
COMPLIANCE = {
    "trap": "People with a higher score have {less} observations. Estimates from few observations "
    "are pulled more towards the population, which alone can look like dependence.",
    "strata": "The test guards against it: people are exchanged only with others who were "
    "observed about as often.",
    "reliability": "The test guards against it: the pull towards the population is undone first.",
    "draws": "The test guards against it: draws from each person's posterior are tested.",
    "none": "Nothing guards against it here: choose a guard under “How it is tested”.",
}
STABILITY = {
    "caution": "People's parameters together have a reliability of {value}, below .30: most "
    "of how people differ in them is noise. Neither an effect nor its absence should be read off "
    "these tests; more observations per person are needed.",
    "posterior": "Reliability of the parameters together, as the model itself estimates it: "
    "{value}; {few} of {all} parameters lie below .30. Whether halves of the data agree was not "
    "checked.",
    "split-half": "Reliability of the parameters together, from halves of each person's data: "
    "{value}; {few} of {all} parameters lie below .30.{seeds}{weeks}",
    "unknown": "How reliable the parameters are is not known: this model has no standard errors.",
    "seeds": " Agreement with a fit from another seed: {r}.",
    "weeks": " Agreement with all rows where one week of each person (or a seventh of the rows) is "
    "left out: {r} or more.",
    "offer": "Estimates every person twice, from halves of their data, and fits the model once "
    "more with another seed. Takes about as long as the last fit, beside the page.",
    "help": "Whether what is tested is a property of the people: if halves of a person's own data "
    "do not agree on it, no covariate can be associated with it.",
}
PLAIN_FINDINGS = {
    "beyond": "In these data, {what} is associated with {covariate}, more than by chance "
    "({p}{tests}, {n} people). That is an association between people; it does not say why.",
    "within": "These data do not show that {what} is associated with {covariate} "
    "({p}{tests}, {n} people). That does not prove that it is not.",
    "unsure": "Too little is known about single people here to say whether {what} is associated "
    "with {covariate} ({n} people).",
}
#: Size of a dependence in plain words: the least strength of each, from the largest down.
SIZES = {0.25: "strong", 0.09: "moderate", 0.01: "weak", 0.0: "very weak"}
PLAIN_SIZE = {
    "strength": "The link is {size}: its strength is {value}, where 0 is none and 1 the closest "
    "that there can be.",
    "none": "The strength that is seen, {value}, where 0 is none and 1 the closest that there can "
    "be, lies within what chance gives.",
    "unknown": "How strong the link is cannot be said from these data.",
    "rule": "Words for the strength: weak from 0.01, moderate from 0.09, strong from 0.25, the "
    "squares of the correlations .1, .3 and .5 that are usually called so.",
}
#: What of each person is tested, in the middle of a sentence,
HOW_PERSONS = {
    "moves": "how people move between states",
    "scores": "the order in which people's states follow each other, beyond how often each occurs,",
    "slopes": "how people differ in level and response",
    "curves": "how people respond",
    "weights": "what the model learned of each person",
}
#: and by itself: name of the choice, and what it is.
TESTED = {
    "moves": (
        "moves",
        "Tested is where each person goes next from each state, all features at their average: "
        "what the page Transitions shows, as log-odds.",
    ),
    "scores": (
        "scores (dynamics beyond level)",
        "Tested are the double-centred transition scores: which state follows which, beyond how "
        "often each occurs. Another question than what the page Transitions shows.",
    ),
    "slopes": (
        "level and slopes",
        "Tested are each person's level, at average features, and average slope of every feature: "
        "what the page Random effects shows.",
    ),
    "curves": (
        "response curves",
        "Tested are points of each person's response curves: what the page Random effects draws.",
    ),
    "weights": (
        "weights",
        "Tested are all person-specific numbers of the model; of a network with hidden layers "
        "they mean nothing one by one.",
    ),
}
STRENGTH = (
    "Strength: 0 is independence, 1 the closest link that there can be; it has no direction. The "
    "clearest single effect gives direction and size (Spearman's ρ with a number, a difference of "
    "means between groups) with its 95 % interval. p counts every covariate that was tested on "
    "this run. Only the score is tested, never its bands."
)
BANDS = {
    "title": "Groups of people in figures",
    "thirds": "lowest and highest third, or the values themselves",
    "own": "bands of your own",
    "help": "Bands group people in figures and colour points. They are never tested, and are no "
    "diagnosis.",
    "source": "Usual bands, {source}; they can be changed.",
    "recognised": "The values look like {known}; the bands follow that.",
}
RESPONSE_CURVES = (
    "Single weights of a network mean little by themselves. How each person's predicted outcome "
    "changes with a feature is shown first."
)

SEVERITIES = {
    "stop": ("Stops training", "red"),
    "look": ("Worth a look", "orange"),
    "info": ("For information", "gray"),
}

CHANGES = {
    "made": "Changed here",
    "effect": "Would do: {effect}",
    "undo": "The stored table stays as it was read; each change can be taken back.",
    "people": "**Settle this before the study is loaded**: ids that have become codes cannot be "
    "compared.",
    "problems": "**Before this table can be used**, this has to be fixed, here or in the file:",
}

PRIVACY = {
    "title": "What is stored on this computer",
    "stored": "Only columns with a role are stored. Columns of the first table without one, which "
    "are left out: {n}.",
    "stored_all": "Only columns with a role are stored; here all have one.",
    "noticed": "{column} holds {kind} ({n} cells). It has no role and is not stored.",
    "used": "{column} holds {kind} ({n} cells) and would be stored. Take its role away above if "
    "that is not wanted.",
    "person": "{column} tells people apart by {kind}. With random codes they are not stored.",
    "codes": "Random codes instead of ids",
    "codes_help": "Every id is replaced by a random code. The key that leads back is offered for "
    "download once and is stored nowhere.",
    "dates": "Days instead of dates",
    "dates_help": "Dates become days since the person's first observation. Steps in time stay "
    "as they are; the calendar is lost.",
    "ages": "Ages over 89 as one group",
    "ages_help": "Very old people are few and easily recognised; they count as 90.",
    "key": "**Save the key of the codes now.** It leads from each code back to the person, is "
    "stored nowhere, and is gone when this window is closed.",
}

CLINICIAN_ROLES = (
    "Predicted from: {features}. Compared with: {covariates}. The Researcher view changes these."
)
CLINICIAN_PRIVACY = {
    "codes": "Ids are replaced by random codes; the key is offered once the study is loaded.",
    "dates": "Dates are stored as days since the person's first.",
    "ages": "Ages over 89 are stored as one group.",
}

NO_PERSON = (
    "No column repeats like an id, so nothing can be told apart as a person here. A study needs "
    "one row per person and occasion, with a column that says who it was. If the file has such "
    "a column, choose it above; otherwise it cannot be used."
)

NO_NUMBERS = (
    "No column holds numbers that vary within a person, so there is nothing to predict from. A "
    "study needs at least one such column, beside the outcome. If numbers stand in the file as "
    "words, write them as numbers; without numbers the file cannot be used."
)

HEATMAP_LIMIT = "It does not show why values are missing."

#: Sections of what a study's rows show before anything is modelled.
LOOK = {
    "title": "Look at the data",
    "overview": "Overview",
    "people": "Person by person",
    "distributions": "Distributions",
    "relations": "Within and between people",
    "moments": "Time of day and week",
    "missing": "Missing values",
    "person": "Find a person (type to search)",
    "everybody": "everybody, a page at a time",
    "people_in": "people who were in it",
    "states_help": "Shares of each person's own rows; the middle 80 % of people lie between the "
    "two. A state that few people were ever in says little about anybody.",
    "columns_help": "Between people: SD of people's means; within: of a person's rows about that "
    "mean. ICC: the share of the variance that lies between people. Autocorrelation: with the row "
    "before, about the person's mean; with few rows per person it comes out too low.",
    "days": "Dates became days when this study was stored, so the hour and the weekday are not "
    "known. Load it again without “Days instead of dates” to see them.",
    "no_dates": "The times of this study are no dates, so the hour and the weekday are not known.",
}
#: Columns of the tables there.
LOOK_COLUMNS = {
    "mean": "mean",
    "sd_between": "SD between people",
    "sd_within": "SD within people",
    "icc": "ICC",
    "autocorrelation": "autocorrelation",
    "floor": "at the lowest",
    "ceiling": "at the highest",
    "missing": "missing",
}
LOOK_STATES = {
    "share": "share of rows",
    "low": "one person in ten below",
    "high": "one in ten above",
    "stay": "followed by itself",
}
LOOK_SENTENCES = {
    "series": "{outcome} of {who}, {n} rows in order of time.",
    "cut": " Of each person the first {most} rows are drawn.",
    "line": "All panels have the same scale; a gap is a missing value.",
    "ribbon": "Each cell is one row, whatever the time to the next one; a grey or empty cell is a "
    "missing value.",
    "distributions": "{n} columns of numbers; {name} is most at an end of its scale: {share} % of "
    "its values are the {end} one. People are pooled here.",
    "correlations": "Within and between people differ most for {a} and {b}: {within} from row to "
    "row within people, {between} between people's means. Between people says who is higher than "
    "whom, within says when; neither says why.",
    "moment": "Most by time varies {what}: {high} on {top}, {low} on {bottom}. Each person counts "
    "once; which people answered when may differ.",
}
#: Units of times that are numbers.
TIME_UNITS = {
    "s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks", "mo": "months",
    "y": "years",
}  # fmt: skip

REPORT = {
    "settings": "Planned occasions, gaps and missing values",
    "stored": "What was left out or changed before storing",
    "left_out": "Not stored, without a role: {columns}.",
    "spacing": "Time between a person's rows: {spacing}.",
    "complete": "No value of the outcome or a feature is missing.",
    "missing": "Where a feature is missing, use",
    "missing_help": "Means come from the training rows alone; a last known value from the "
    "person's earlier rows alone. Whatever is chosen also holds for predictions.",
    "compliance": "Number of observations and {covariate}: {numbers}, {n} people.",
    "planned": "Planned occasions per person",
    "gap": "Longest gap within a sequence",
    "gap_help": "Where the next row comes later, it is no next step: a sequence ends. {unit}; or "
    "none.",
    "gap_durations": "A duration, such as 8h, 90min or 2d",
    "gap_numbers": "A number in the unit of the time column",
    "planned_help": "How often each person was to answer, if that was planned. The report then "
    "holds what came against it.",
}

MISSING_FEATURES = {
    "indicator": "mean, and an input that says it was missing (default)",
    "carry": "the person's last known value",
    "drop": "leave the row out",
}

CODEBOOK = {
    "title": "Codebook",
    "lead": "What each stored column is. Labels, types and units can be changed here; they are "
    "kept with the study and describe it, nothing is computed from them.",
}

READING = {
    "lead": "What is left open is recognised from the file; above the roles stands what was found.",
    "sheet": "Sheet",
    "people_sheet": "Sheet with one row per person",
    "no_sheet": "None",
    "all_sheets": "All with the same columns",
    "instrument": "Which instrument's rows are the occasions?",
    "instrument_help": "An export of REDCap holds the rows of several instruments. One of them has "
    "a row per person and occasion, such as a diary.",
    "no_instrument": "Rows of no repeating instrument (events)",
    "encoding": "Choose another where letters such as ä or é look wrong.",
    "header": "Line with the names of the columns",
    "header_help": "A number, or none where no line names them.",
    "metadata": "Optional: what explains the columns (_metadata.json of openESM, _meta.csv of "
    "m-Path)",
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western European (Windows-1252)",
    "iso8859-15": "Western European (ISO 8859-15)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "mac-roman": "Western European (old Macintosh)",
    "shift_jis": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}
DECIMALS = {".": "point", ",": "comma"}

#: What comes first where a table cannot be used as it stands.
FIRST = {
    "wide": "Each row of this table is one person. Tick “Make the table long” above, so that each "
    "row becomes one occasion.",
    "events": "Events alone hold nothing to predict from. Tick “Make steps of one length of the "
    "events” above; single events are then counted in each step. Or choose a feature.",
}
STEPS = {
    "lead": "Each row of the file is an event with a start and an end. Steps of one length count "
    "how long a state lasts; single events count only the changes.",
    "length": "Length of a step",
    "make": "Make steps of one length of the events",
}
WIDE = "Make the table long: one row per person and occasion"

TAKE_AWAY = {
    "report": "The whole run as one file that opens without the app and without a network. The "
    "bundle holds report, figures, tables, script and fingerprints, but not the data; a stranger "
    "can repeat the run with it. Making a file takes up to a minute.",
    "person": "One page about one person, in plain words. Research use, not diagnosis.",
    "words": "Filled from this run. Read it before you use it: it says what was fitted and "
    "tested, not what it means.",
}

#: Tables of a run folder with intervals, as words.
INTERVALS_OF = {
    "fixed_effects": "the fixed effects",
    "random_effects": "people's parameters",
    "transitions": "the transitions",
    "person_effects": "levels and slopes",
    "response_curves": "the response curves",
}
APPROXIMATE = {
    "unknown": "This run does not record which intervals are approximate; train it again to know.",
    "none": "In simulations of studies like this one, the 95% intervals of this model contained "
    "the true value in 92 to 97% of cases.",
    "some": "Some of this model's intervals are missing, contain the true value less or more "
    "often than they claim in simulations of studies like this one, or were not examined.",
}

#: What opens the further sentences on a figure.
NOTES = "How to read it"

EXPORTED = {
    "grey": "Shades of grey, with hatches and marks that tell apart what colours did: for printers "
    "without colour, and for readers who see none.",
    "text": "Text in SVG and PDF stays text, so that it can be edited.",
    "html": "The interactive copy holds all that it needs and asks no other computer for anything.",
}

GALLERY = {
    "empty": "Nothing is pinned yet. Press **Pin** under a figure on any page to keep it here.",
    "kept": "Pinned figures stay as they were when you pinned them, also where the run is trained "
    "again or deleted. They are stored with the study and are deleted with it.",
    "new": "Pinned. It stands on the page Gallery.",
    "known": "This figure is in the gallery already.",
    "captions": "Captions go into captions.txt; the names of the files follow the order.",
    "zip": "The file holds each figure in the chosen formats with its numbers, and captions.txt.",
}

#: Terms of the screen, of reports and of the documents, in plain words.
TERMS = {
    "95 % interval": "A range that holds the true value in 95 of 100 studies, as far as the model "
    "is right.",
    "adapting": "Learning the parameters of a new person from the rows that there are, with all "
    "else left as it was learned.",
    "baseline": "A simpler model that is fitted to the same rows, to see what the model adds.",
    "calibration": "Whether what is predicted with a probability happens that often.",
    "Cohen's κ": "How far predicted and observed states agree beyond what chance gives: 0 is "
    "chance, 1 is always right.",
    "compliance": "How many of the planned occasions a person answered.",
    "conditional probability": "How probable the next state is, given the state now. It compares "
    "people at the same features; how often a move was made, the expected and the observed share "
    "say.",
    "confounder": "Something related to both people's parameters and the covariate, and "
    "possibly the reason why they are associated.",
    "converged": "Training had learned what it could: more passes through the data no longer "
    "helped.",
    "corrected p": "A p value that counts how many tests were made.",
    "covariance": "How much people differ in each parameter, and which parameters differ together.",
    "covariate": "Something known of each person once, such as a depression score.",
    "deviation": "A person's parameter minus the population's.",
    "distance": "How far a person lies from the population over all parameters: the root mean "
    "square of the deviations, each in SDs of the model.",
    "estimator": "The way in which parameters are learned from the data.",
    "expected share": "Which share of a person's moves from a state went to another, as the model "
    "sees that person's own rows.",
    "feature": "What is known on each occasion and used to predict the outcome.",
    "fixed effect": "A parameter's value for the population: what a person's own value is "
    "compared with.",
    "generic model": "One model for all people: everybody is predicted by the same numbers.",
    "held back": "Occasions that the model did not see while it was trained, the last of each "
    "person, on which it is judged.",
    "HSIC": "The Hilbert–Schmidt independence criterion: a number that is 0 where two things are "
    "independent, in whatever way they may depend on each other. It has no direction.",
    "intraclass correlation (ICC)": "The share of what the features leave unexplained that lies "
    "between people.",
    "log-loss": "How surprised a model is by what happened, on average per step; lower is better. "
    "It compares models on the same occasions and means little alone.",
    "mean squared error (MSE)": "The squared distance of predicted from observed, averaged over "
    "occasions; lower is better.",
    "NME": "Neural mixed effects: a network some of whose parameters differ by person, held "
    "together by a distribution over people.",
    "observed share": "Which share of a person's moves from a state went to another, counted in "
    "the recorded rows; no model is involved.",
    "occasion": "One row of the long table: one person at one time.",
    "outcome": "What is predicted: a number, a class, or a state in a sequence.",
    "p": "How often chance alone would give as much as was seen, if there were nothing; a small p "
    "says that chance is an unlikely reason, not how large or how important something is.",
    "parameter": "A number that the model learns; some are the same for all people, some each "
    "person's own.",
    "Pearson r": "How closely predicted and observed go up and down together, from −1 to 1.",
    "permutation test": "The covariate is dealt out to the people anew many times; p is how often "
    "chance gives as much dependence as was seen.",
    "person-specific": "Learned for one person, beside what all people share.",
    "placement": "Which parameters of the network differ by person.",
    "population": "What all people share; a prediction for somebody of whom nothing is known.",
    "posterior": "What is believed of a person's parameters once that person's rows were seen, "
    "and how uncertain it still is.",
    "random effect": "How far a person's parameter lies from the population's.",
    "read-out": "One way to put a person's transitions into numbers.",
    "reliability": "The share of how estimates differ between people that is not error; 0 is "
    "noise, 1 is certainty.",
    "response curve": "How the predicted outcome changes with one feature, all others at their "
    "mean.",
    "run": "One training of a model on a study, with all that came out of it.",
    "SD": "Standard deviation: how far values typically lie from their mean.",
    "score": "The model's raw number for a transition, where rows and columns add up to 0; "
    "positive means more than average. No probability.",
    "seed": "The number from which all chance in a run starts; the same seed on the same computer "
    "gives the same numbers.",
    "sequence": "Rows of one person that follow each other without a break, such as a session.",
    "shrinkage": "How far estimates of people are pulled towards the population; the fewer "
    "occasions, the more.",
    "Spearman's ρ": "How closely two things go up together over people, in ranks: −1 and 1 are "
    "perfect, 0 is no trend.",
    "stability": "Whether halves of each person's occasions, or another seed, give the same "
    "differences between people.",
    "state": "What somebody is in at a time, such as calm or tense.",
    "strength": "How closely two things depend on each other, in whatever way: 0 is not at all, 1 "
    "as closely as can be.",
    "transition": "A move from the state at one step to the state at the next; staying counts too.",
}

#: Numbers of the study report that are counted in a term.
FACT_HELP = {
    "Rows": TERMS["occasion"],
    "Features": TERMS["feature"],
    "Covariates": TERMS["covariate"],
}

#: Terms that each page may show, in the order in which a reader meets them.
PAGE_TERMS: dict[str, tuple[str, ...]] = {
    "study": ("occasion", "outcome", "state", "sequence", "feature", "covariate", "compliance"),
    "runs": ("run", "outcome", "person-specific", "generic model"),
    "model": (
        "outcome", "state", "transition", "feature", "parameter", "person-specific",
        "generic model", "held back", "log-loss", "mean squared error (MSE)", "95 % interval", "p",
    ),
    "fit": (
        "occasion", "held back", "NME", "person-specific", "population", "generic model",
        "log-loss",
        "Cohen's κ", "mean squared error (MSE)", "Pearson r", "95 % interval", "p", "corrected p",
    ),
    "transitions": (
        "state", "transition", "population", "conditional probability", "expected share",
        "observed share", "95 % interval", "sequence", "held back",
    ),
    "random-effects": (
        "random effect", "population", "parameter", "response curve", "feature", "transition",
        "expected share", "95 % interval",
    ),
    "covariates": (
        "covariate", "parameter", "population", "transition", "expected share", "response curve",
        "p", "corrected p", "strength", "95 % interval",
    ),
    "new-person": (
        "occasion", "outcome", "feature", "population", "parameter", "adapting",
        "conditional probability", "response curve", "95 % interval",
    ),
    "research": (
        "covariate", "population", "95 % interval", "p", "held back", "person-specific",
        "HSIC", "covariance", "placement", "random effect", "SD", "seed", "calibration",
        "generic model", "conditional probability", "estimator", "log-loss",
        "Spearman's ρ", "permutation test", "mean squared error (MSE)", "reliability",
    ),
    "gallery": ("run", "population", "95 % interval"),
    "export": (
        "run", "population", "person-specific", "conditional probability", "expected share",
        "observed share", "score", "response curve", "covariate", "95 % interval",
    ),
}  # fmt: skip

#: Terms that only the Researcher view of a page adds.
RESEARCHER_TERMS: dict[str, tuple[str, ...]] = {
    "study": ("SD", "Spearman's ρ", "p"),
    "runs": (
        "converged", "log-loss", "Cohen's κ", "mean squared error (MSE)", "Pearson r", "placement",
        "covariance", "estimator", "seed", "baseline", "95 % interval", "p",
    ),
    "model": (
        "NME", "baseline", "placement", "covariance", "estimator", "seed", "converged",
        "random effect", "corrected p",
    ),
    "fit": (
        "baseline", "converged", "calibration", "random effect", "reliability",
        "shrinkage", "intraclass correlation (ICC)", "fixed effect", "estimator", "SD",
    ),
    "transitions": ("read-out", "score", "covariate"),
    "random-effects": (
        "deviation", "SD", "reliability", "shrinkage", "covariance", "covariate", "distance",
        "estimator", "corrected p", "p", "state",
    ),
    "covariates": (
        "HSIC", "Spearman's ρ", "permutation test", "confounder", "compliance", "posterior",
        "reliability", "stability", "seed", "shrinkage", "score", "SD", "person-specific",
    ),
    "new-person": ("state", "shrinkage"),
    "research": (),
    "gallery": (
        "expected share", "observed share", "score", "log-loss", "random effect", "reliability",
        "covariate", "HSIC", "corrected p",
    ),
    "export": (
        "NME", "generic model", "log-loss", "Cohen's κ", "mean squared error (MSE)", "Pearson r",
        "random effect", "reliability", "shrinkage", "covariance", "posterior", "estimator",
        "HSIC", "permutation test", "p", "corrected p", "SD",
    ),
}  # fmt: skip

#: What the help of a page is called.
PAGE_HELP = "What the words mean"

#: On the button that ends a job.
JOB_STOP = "Stop"

#: Research tools: the question, and what is done to answer it.
TOOLS = {
    "covariance": (
        QUESTIONS["covariance"],
        "Fits the model again with a diagonal and a full covariance, and compares them: do people "
        "with a high level also have a steep slope?",
    ),
    "calibrate": (
        QUESTIONS["calibrate"],
        "Draws new people and outcomes from the fitted model, fits the same model to them, and "
        "counts how many 95 % intervals contain what was drawn.",
    ),
    "power": (
        QUESTIONS["power"],
        "Simulates studies in which the quantity you choose changes with the covariate, and "
        "tests each as the page Covariates does.",
    ),
    "ablate": (
        QUESTIONS["ablate"],
        "Fits each placement, and one model for all people, to shares of everybody's rows, and "
        "judges all on the same held-back rows.",
    ),
    "multiverse": (
        QUESTIONS["multiverse"],
        "Checks one claim in every defensible analysis: missing values, exclusions, "
        "placement, covariance, residuals.",
    ),
    "replicate": (
        QUESTIONS["replicate"],
        "Freezes the strongest association of this study with a covariate, then fits and tests "
        "another study once, in the same way.",
    ),
}
#: Directions of claims, by what they are about.
DIRECTIONS = {
    "covariate": {
        "any": "changes with it", "positive": "rises with it", "negative": "falls with it",
    },
    "person": {
        "any": "differs from the population", "above": "is above the population",
        "below": "is below the population",
    },
}  # fmt: skip
RESEARCH = {
    "question": "Question",
    "ask": "Ask",
    "working": "Working",
    "answer": "Answer",
    "none": "Not asked of this run yet.",
    "numbers": "Numbers",
    "download": "Table (CSV)",
    "fits": "{n} fits. Stop at any time: what is finished is kept.",
    "fits_covariance": "Two or three fits.",
    "fits_multiverse": "At most {n} fits. Stop at any time: what is finished is kept.",
    "fits_replicate": "One or two fits.",
    "studies": "Simulated studies of each kind",
    "on": "What people differ in",
    "on_stay": "staying in a state",
    "effects": "Effects",
    "effects_help": "By how many SDs of people it is higher where the covariate is one SD higher; "
    "0 gives the share of false alarms.",
    "people": "Numbers of people",
    "people_help": "With commas, such as 50, 100, 200.",
    "rows": "Rows per person",
    "rows_help": "With commas, such as 30, 60.",
    "placements": "Placements",
    "level_alone": "level alone",
    "shares": "Shares of each person's rows",
    "shares_help": "With commas, from above 0 to 1. The rows that are kept are the latest.",
    "seeds": "Seeds",
    "about": "The claim is about",
    "about_covariate": "Covariate",
    "about_person": "Person",
    "direction": "Claim",
    "worlds": "Most analyses",
    "study_b": "Study B",
    "halves": "Two halves of this study's people",
    "no_covariates": "This study has no covariates.",
    "no_list": "Write numbers with commas, such as {given}.",
}

"""From a file to a study: the page Study."""

from __future__ import annotations

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

#: On the button that takes files, and beside it.
UPLOAD = {
    "press": "Upload",
    "files": "CSV, Excel, SPSS, Stata, SAS, Parquet …, up to 200 MB",
}

SAMPLE_STUDIES: dict[str | None, str] = {
    None: "Simulated studies with a known truth, for a first look.",
    "dyads": "Simulated: 100 mother–adolescent pairs, four affective states, a depression score "
    "that shifts two transitions.",
    "mood": "Simulated: 60 people, some weeks of daily mood, whose response to sleep differs by "
    "person and is not a straight line.",
    "null": "Simulated: nothing depends on depression here, but people with more depression "
    "answer less often. A test should find nothing.",
}

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

CLINICIAN_ROLES = (
    "Predicted from: {features}. Compared with: {covariates}. The Researcher view changes these."
)

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

SEVERITIES = {
    "stop": "Stops training",
    "look": "Worth a look",
    "info": "For information",
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

#: Columns of the codebook, which has other names in a file.
CODEBOOK_COLUMNS = {
    "name": "name",
    "label": "label",
    "type": "type",
    "unit": "unit",
    "range": "range",
    "missing": "missing",
    "role": "role",
}

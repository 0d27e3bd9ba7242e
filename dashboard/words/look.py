"""What a study's rows show before anything is modelled."""

from __future__ import annotations

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

HEATMAP_LIMIT = "It does not show why values are missing."

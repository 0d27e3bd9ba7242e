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

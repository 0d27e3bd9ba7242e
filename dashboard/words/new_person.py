"""The page New person."""

from __future__ import annotations

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

"""The remedy that keeps one of the rows of a person at one time, or of a person's visits."""

import pandas as pd
import pytest

from nme_core.exceptions import DataError
from nme_core.study import Remedy, Study, read_any
from nme_core.study.check.checks import check_study
from nme_core.study.check.problems import find_problems
from nme_core.study.clean.remedies import apply_remedies, of_second_table
from nme_core.study.reading import read_second


def two_clinics(name="ward", values=("East", "West")) -> pd.DataFrame:
    """Ids 1 to 3 on the same days of two wards; the third has a day of its own in the second."""
    rows = [
        {
            "id": str(person),
            name: value,
            "day": day,
            "sleep": 5 + (day * person) % 3,
            "mood": day % 4,
        }
        for value in values
        for person in (1, 2, 3)
        for day in range(1, 7 + (person == 3 and value == values[1]))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("name", "values"), [("ward", ("East", "West")), ("Klinik", ("A", "B"))])
def test_rows_of_one_id_in_two_clinics_are_told_apart_or_one_of_them_is_kept(name, values):
    table = two_clinics(name, values)
    study = Study.from_frame(
        table, person="id", outcome="mood", time="day", features=["sleep"], group=[name]
    )
    (look,) = [one for one in check_study(study).findings if len(one.fixes) > 1]
    join, *keep = look.fixes
    assert join == Remedy("join_columns", ("id", name))
    assert keep == [Remedy("keep_one", ("id", "day", name), to=value) for value in values]
    assert "18 rows left out; 19 of 37 rows remain, of 3 of 3 people" in look.effects[1]
    kept, _ = apply_remedies(table, [keep[1]], person="id")
    assert kept[name].unique().tolist() == [values[1]]
    kept, _ = apply_remedies(table, [keep[0]], person="id")
    assert (kept[name] == values[1]).sum() == 1  # the day that only the other clinic has


def test_a_value_that_is_nowhere_is_refused():
    with pytest.raises(DataError, match=r"No cell of 'ward' holds 'North'.*'East', 'West'"):
        apply_remedies(two_clinics(), [Remedy("keep_one", ("id", "day", "ward"), to="North")])


VISITS = "Proband;Visite;BDI\n1;T0;12\n1;T1;9\n2;T0;20\n2;T1;18\n3;T0;7\n3;T1;6\n"


def test_of_a_persons_visits_in_the_covariate_table_one_is_kept():
    second = read_second(VISITS.encode(), "id", "people.csv")
    assert "The column 'Proband' has the ids: it is taken as 'id'." in second.notes
    long = two_clinics().query("ward == 'East'")
    roles = {"person": "id", "outcome": "mood", "time": "day", "features": ["sleep"]}
    (stop,) = find_problems(long, covariates=second.frame, **roles)
    fixes = [Remedy("keep_one", ("id", "Visite"), to=value) for value in ("T0", "T1")]
    assert list(stop.fixes) == fixes
    assert "3 of 6 rows remain" in stop.effects[0]
    study = Study.from_frame(long, covariates=second.frame, remedies=fixes[1:], **roles)
    assert study.covariates["BDI"].tolist() == [9, 18, 6]


def test_a_remedy_is_about_the_covariate_table_where_only_that_has_all_its_columns():
    keep = Remedy("keep_one", ("id", "visit"), to="T0")
    assert of_second_table([keep], ["id", "day"], ["id", "visit"]) == ((), (keep,))
    assert of_second_table([keep], ["id", "visit"], ["id", "visit"]) == ((keep,), ())
    alike = Remedy("write_alike", ("id",), ("A",))
    assert of_second_table([alike], ["id"], ["id", "bdi"]) == ((alike,), (alike,))


@pytest.mark.parametrize(
    ("header", "taken"),
    [("ID", "ID"), ("Subject", "Subject"), ("code", None), ("pid,vpnr", None)],
)
def test_ids_in_a_column_of_another_name_are_taken_where_one_alone_can_be_meant(header, taken):
    columns = header.split(",")
    lines = [",".join([*columns, "age"])] + [",".join([f"0{k}"] * len(columns) + [f"{30 + k}"])
                                             for k in range(1, 5)]  # fmt: skip
    reading = read_second("\n".join(lines).encode(), "id", "people.csv")
    if taken is None:
        assert "id" not in reading.frame
    else:
        assert reading.frame["id"].tolist() == ["01", "02", "03", "04"]
    assert list(read_any("\n".join(lines).encode(), "x.csv").frame.columns)[-1] == "age"

"""Figures of a run by name, from Python and the shell."""

import shutil

import pytest
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as Screen

from nme_core import figures
from nme_core.exceptions import OptionError
from nme_core.io import RunFolder


@pytest.fixture(scope="module", params=["nme-mlp", "nme-crf"])
def folder(request, fit_tiny):
    return RunFolder(fit_tiny(request.param, "--epochs", "3", "--baselines", "generic"))


def test_every_name_is_drawn_for_screen_and_print(folder):
    found = figures.names(folder)
    assert {"observations", "variances", "mistakes", "fits", "shrinkage", "map"} <= {*found}
    sequences = {"transitions", "stays", "pair", "people", "sequence", "checks: states"}
    assert sequences & {*found} == (sequences if folder.config["model"] == "nme-crf" else set())
    for name in found:
        assert isinstance(figures.draw(folder.path, name), Screen), name
        one = figures.figure(folder, name)
        assert len(one.numbers()), name
        assert one.sentence.endswith("."), name
    assert isinstance(figures.draw(folder, "fits", target="print"), Figure)


def test_a_figure_of_one_person_is_theirs(folder):
    person = folder.table("random_effects")["person"].iloc[0]
    assert figures.figure(folder, "fits", person).title == f"Fit of {person}"


def test_what_a_figure_is_about_can_be_chosen(folder):
    feature, *_ = folder.roles["features"]
    if folder.config["model"] == "nme-crf":
        one = figures.figure(folder, "transitions", readout="observed")
        assert "Counted in the recorded sequences, no model involved" in one.sentence
        return
    one = figures.figure(folder, "curves", feature=feature)
    assert one.title == f"Response to {feature}"
    assert isinstance(figures.draw(folder, "curves", feature=feature), Screen)


def test_people_are_named_by_their_ids(folder):
    people = {*folder.table("random_effects")["person"]}
    for name in figures.names(folder):
        if name.startswith("caterpillar"):
            assert {*figures.figure(folder, name).numbers()["person"]} == people


@pytest.mark.parametrize("folder", ["nme-crf"], indirect=True)
def test_of_a_state_that_a_person_was_never_in_nothing_is_drawn(folder, tmp_path):
    copy = RunFolder(shutil.copytree(folder.path, tmp_path / "run"))
    table = copy.table("transitions")
    person = table.loc[table["person"] != "", "person"].iloc[0]
    state = table["from"].iloc[0]
    never = (table["person"] == person) & (table["from"] == state)
    copy.write_table("transitions", table.assign(visits=table["visits"].mask(never, 0)))
    for name in ("people", "arrows"):
        matrices = figures.figure(copy, name, person if name == "arrows" else None).arguments
        own = matrices["matrices"].get(person, matrices["matrices"].get(f"Person {person}"))
        assert own.loc[state].isna().all()
        assert own.drop(index=state).notna().all(axis=None)


def test_what_is_not_there_is_named(folder):
    with pytest.raises(OptionError, match="no figure 'moves'") as error:
        figures.draw(folder, "moves")
    assert "observations" in error.value.remedy
    with pytest.raises(OptionError, match="no figure 'moves'"):
        figures.draw(folder, "moves", person="nobody")
    with pytest.raises(OptionError, match="no person 'nobody'"):
        figures.draw(folder, "fits", person="nobody")
    with pytest.raises(OptionError, match="of all people"):
        figures.draw(folder, "observations", person="nobody")
    with pytest.raises(OptionError, match="paper"):
        figures.draw(folder, "fits", target="paper")


def test_the_shell_lists_and_writes(folder, nme, tmp_path):
    listed = nme("figure", folder.path)
    assert listed.code == 0
    assert "observations" in listed.out.splitlines()
    assert any(line.startswith("fits  (of one person") for line in listed.out.splitlines())
    for ending, start in (
        ("png", b"\x89PNG"),
        ("svg", b"<?xml"),
        ("pdf", b"%PDF"),
        ("html", b"<!"),
    ):
        out = tmp_path / f"figure.{ending}"
        said = nme("figure", folder.path, "mistakes", "--out", out)
        assert (said.code, said.err) == (0, "")
        assert out.read_bytes().startswith(start)
    assert nme("figure", folder.path, "mistakes").code == 2
    assert nme("figure", folder.path, "mistakes", "--out", tmp_path / "figure.gif").code == 2

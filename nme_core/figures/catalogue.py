"""Every figure that a run has, by name.

from nme_core import figures
figures.names("run")
figures.draw("run", "transitions", person="27")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from typing import TYPE_CHECKING, Literal, overload

from matplotlib.figure import Figure

from nme_core.exceptions import OptionError
from nme_core.figures import of_run, of_run_fit, of_run_people
from nme_core.figures.run_figure import RunFigure
from nme_core.io import RunFolder

if TYPE_CHECKING:
    import plotly.graph_objects as go

Run = RunFolder | str | PathLike[str]

#: Figures of all people: name, and what makes them.
_OF_ALL: dict[str, Callable[[RunFolder], Iterator[RunFigure]]] = {
    "observations": of_run.observations,
    "losses": of_run.losses,
    "skill": of_run_fit.skill,
    "differences": of_run_fit.differences,
    "mistakes": of_run_fit.mistakes,
    "calibration": of_run_fit.calibration,
    "people": of_run_people.multiples,
    "random-effects": of_run.random_effects,
    "caterpillar": of_run_people.caterpillars,
    "normality": of_run_people.quantiles,
    "covariates": of_run.scatters,
}

#: Figures that can be of one person.
_OF_ONE: dict[str, Callable[[RunFolder, str | None], Iterator[RunFigure]]] = {
    "fits": of_run_fit.fits,
    "transitions": of_run.transitions,
    "arrows": of_run_people.arrows,
    "curves": of_run.responses,
}

#: Figures that can be of one person.
PERSONAL = tuple(_OF_ONE)


def names(run: Run) -> list[str]:
    """Names of the figures that a run has, for `draw`.

    A kind of which there are several is followed by what each is about: ``curves: sleep``.
    """
    return list(_found(_folder(run), None))


def figure(run: Run, name: str, person: str | None = None) -> RunFigure:
    """One figure of a run with its title, sentence and numbers.

    Parameters
    ----------
    run : RunFolder or path
        A finished run.
    name : str
        One of `names`; of several of a kind, the kind alone is the first of them.
    person : str, optional
        Whose figure it is, for those in `PERSONAL`.

    Raises
    ------
    OptionError
        The run has no such figure or no such person, or the figure is of all people.
    """
    folder = _folder(run)
    kind = name.partition(":")[0].strip()
    if person is not None:
        if kind not in PERSONAL:
            raise OptionError(
                f"The figure {name!r} is of all people.",
                remedy=f"Leave the person out; of one person are {', '.join(PERSONAL)}.",
            )
        known = list(dict.fromkeys(folder.table("random_effects")["person"].astype(str)))
        if person not in known:
            some = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
            raise OptionError(f"The run has no person {person!r}.", remedy=f"It has {some}.")
    found = _found(folder, person, kind)
    first = next((one for one in found if one == name or one.startswith(f"{name}:")), None)
    if first is None:
        raise OptionError(
            f"The run has no figure {name!r}.",
            remedy=f"It has {', '.join(names(folder))}.",
        )
    return found[first]


@overload
def draw(
    run: Run, name: str, *, person: str | None = None, target: Literal["screen"] = "screen"
) -> go.Figure: ...


@overload
def draw(run: Run, name: str, *, person: str | None = None, target: Literal["print"]) -> Figure: ...


def draw(
    run: Run,
    name: str,
    *,
    person: str | None = None,
    target: Literal["screen", "print"] = "screen",
) -> go.Figure | Figure:
    """Draw one figure of a run, with plotly (``screen``) or matplotlib (``print``).

    Parameters, errors: as in `figure`.
    """
    if target not in ("screen", "print"):
        raise OptionError(f"target={target!r} does not exist.", remedy="screen or print.")
    found = figure(run, name, person)
    return found.screen if target == "screen" else found.printed


def _folder(run: Run) -> RunFolder:
    return run if isinstance(run, RunFolder) else RunFolder(run)


def _found(folder: RunFolder, person: str | None, kind: str | None = None) -> dict[str, RunFigure]:
    """The figures of a run by name; of one kind where that is given."""
    found: dict[str, RunFigure] = {}
    for name in (*_OF_ALL, *_OF_ONE):
        if kind is None or kind == name:
            drawn = _OF_ONE[name](folder, person) if name in _OF_ONE else _OF_ALL[name](folder)
            found |= {f"{name}: {one.subject}" if one.subject else name: one for one in drawn}
    return found

"""Every figure that a run has, by name.

from nme_core import figures
figures.names("run")
figures.draw("run", "transitions", person="27")
figures.draw("run", "curves", feature="sleep", person="27")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, overload

from matplotlib.figure import Figure

from nme_core.analysis.people import in_order
from nme_core.exceptions import OptionError
from nme_core.figures import of_checks, of_curves, of_effects, of_fit, of_moves
from nme_core.figures.run_figure import RunFigure
from nme_core.io import RunFolder

if TYPE_CHECKING:
    import plotly.graph_objects as go

Run = RunFolder | str | PathLike[str]
Choices = Mapping[str, Any]


def _once(folder: RunFolder) -> Iterable[Choices]:
    return ({},)


@dataclass(frozen=True)
class Kind:
    """A kind of figure: its name, what makes it of choices, and which there are by themselves.

    ``personal`` figures take a person, or are of all where none is named.
    """

    label: str
    make: Callable[..., RunFigure | None]
    each: Callable[[RunFolder], Iterable[Choices]] = _once
    personal: bool = False


def _of_history(
    make: Callable[..., RunFigure | None],
) -> Callable[[RunFolder], RunFigure | None]:
    def of(folder: RunFolder) -> RunFigure | None:
        if not folder.has_table("history") or folder.table("history").empty:
            return None
        return make(folder.table("history"))

    return of


def _covariates(folder: RunFolder) -> Iterator[Choices]:
    yield from ({"covariate": name} for name in folder.covariates)


def _by_curve(folder: RunFolder) -> Iterator[Choices]:
    for covariate in folder.covariates:
        yield from ({**one, "covariate": covariate} for one in of_curves.features(folder))


def _effects(folder: RunFolder) -> Iterator[Choices]:
    if folder.has_table("person_effects"):
        names = folder.table("person_effects")["effect"].unique()
        yield from ({"effect": name} for name in names)


def _first_two(folder: RunFolder) -> Iterator[Choices]:
    if folder.has_table("transitions"):
        people = in_order(folder)[:2]
        if len(people) == 2:
            yield dict(zip(("first", "second"), people, strict=True))


_parameters = of_effects.parameters
#: Every kind of figure of a run, by name.
KINDS = {
    "observations": Kind("Observations per person", of_fit.observations),
    "losses": Kind("Training losses", _of_history(of_fit.losses)),
    "variances": Kind("Variances by epoch", _of_history(of_fit.variances)),
    "skill": Kind("Skill by horizon", of_fit.skill),
    "differences": Kind("Paired differences", of_fit.differences),
    "fits": Kind("Fits of people", of_fit.fits, personal=True),
    "mistakes": Kind("Residuals, or confusion of states", of_fit.mistakes),
    "person-errors": Kind("Errors by person", of_fit.person_errors),
    "calibration": Kind("Calibration", of_fit.calibration),
    "checks": Kind("Simulated and observed", of_checks.checks, of_checks.kinds),
    "person-checks": Kind("Simulated and observed by person", of_checks.person_checks),
    "shrinkage": Kind("Shrinkage", of_fit.shrinkage),
    "transitions": Kind("Transitions of a person", of_moves.transitions, personal=True),
    "arrows": Kind("Moves as arrows", of_moves.arrows, personal=True),
    "stays": Kind("Dwell times", of_moves.stays, personal=True),
    "sequence": Kind("States over time", of_moves.sequence, personal=True),
    "pair": Kind("Transitions of two people", of_moves.pair, _first_two),
    "people": Kind("Transitions of all people", of_moves.multiples),
    "groups": Kind("Transitions by covariate", of_moves.by_group, _covariates),
    "curves": Kind("Response curves", of_curves.curves, of_curves.features, personal=True),
    "curve-groups": Kind("Response curves by covariate", of_curves.by_group, _by_curve),
    "random-effects": Kind(
        "Random-effect distribution", of_effects.distribution, of_effects.parameters
    ),
    "caterpillar": Kind(
        "Random effects of all people", of_effects.caterpillar, of_effects.parameters
    ),
    "levels": Kind("Levels and slopes of all people", of_effects.level, _effects),
    "normality": Kind("Q–Q of random effects", of_effects.quantiles, _parameters),
    "reliability": Kind(
        "Reliability by observations", of_effects.reliability, of_effects.parameters
    ),
    "correlations": Kind("Correlations across parameters", of_effects.correlations),
    "correlation-bands": Kind("Correlations and their bands", of_effects.correlation_bands),
    "map": Kind("Map of people", of_effects.people_map),
    "hsic": Kind("HSIC permutation test", of_curves.hsic, of_curves.tested),
    "covariates": Kind("Parameter against covariate", of_curves.scatter, of_curves.tested),
}

#: Figures that can be of one person.
PERSONAL = tuple(name for name, kind in KINDS.items() if kind.personal)


def names(run: Run) -> list[str]:
    """Names of the figures that a run has, for `draw`.

    A kind of which there are several is followed by what each is about: ``curves: sleep``.
    """
    return [_name(kind, one) for kind in KINDS for one in every(run, kind)]


def every(run: Run, kind: str, person: str | None = None) -> Iterator[RunFigure]:
    """The figures of one kind that a run has by themselves: of features, parameters or covariates.

    ``person``: whose, where the kind is one of `PERSONAL`.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    whose = {} if person is None else {"person": person}
    for choices in KINDS[kind].each(folder):
        found = KINDS[kind].make(folder, **choices, **whose)
        if found is not None:
            yield found


def figure(run: Run, name: str, person: str | None = None, **choices: Any) -> RunFigure:
    """One figure of a run with its title, sentence and numbers.

    Parameters
    ----------
    run : RunFolder or path
        A finished run.
    name : str
        One of `names`; of several of a kind, the kind alone is the first of them.
    person : str, optional
        Whose figure it is, for those in `PERSONAL`.
    **choices
        What it is about, in place of the first of its kind: arguments of the function in `KINDS`.

    Raises
    ------
    OptionError
        The run has no such figure or no such person, or the figure is of all people.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    kind = name.partition(":")[0].strip()
    found = None
    if kind in KINDS:
        whose = {} if person is None else {"person": person}
        if whose:
            _check_person(folder, name, kind, whose["person"])
        if choices:
            found = KINDS[kind].make(folder, **choices, **whose)
        else:
            of_kind = every(folder, kind, person)
            found = next((one for one in of_kind if _name(kind, one).startswith(name)), None)
    if found is None:
        raise OptionError(
            f"The run has no figure {name!r}.", remedy=f"It has {', '.join(names(folder))}."
        )
    return found


@overload
def draw(
    run: Run, name: str, *, person: str | None = None, target: Literal["screen"] = "screen",
    **choices: Any,
) -> go.Figure: ...  # fmt: skip


@overload
def draw(
    run: Run, name: str, *, person: str | None = None, target: Literal["print"], **choices: Any
) -> Figure: ...


def draw(
    run: Run,
    name: str,
    *,
    person: str | None = None,
    target: Literal["screen", "print"] = "screen",
    **choices: Any,
) -> go.Figure | Figure:
    """Draw one figure of a run, with plotly (``screen``) or matplotlib (``print``).

    Parameters, errors: as in `figure`.
    """
    if target not in ("screen", "print"):
        raise OptionError(f"target={target!r} does not exist.", remedy="screen or print.")
    found = figure(run, name, person, **choices)
    return found.screen if target == "screen" else found.printed


def _check_person(folder: RunFolder, name: str, kind: str, person: str) -> None:
    if kind not in PERSONAL:
        raise OptionError(
            f"The figure {name!r} is of all people.",
            remedy=f"Leave the person out; of one person are {', '.join(PERSONAL)}.",
        )
    known = list(dict.fromkeys(folder.table("random_effects")["person"].astype(str)))
    if person not in known:
        some = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
        raise OptionError(f"The run has no person {person!r}.", remedy=f"It has {some}.")


def _name(kind: str, figure: RunFigure) -> str:
    return f"{kind}: {figure.subject}" if figure.subject else kind

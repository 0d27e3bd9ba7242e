"""The analysis of a run as Python code: a script, or a Jupyter notebook of the same cells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pprint import pformat

from nme_core.analysis.covariate_tests import CovariateOptions
from nme_core.io import RunFolder
from nme_core.reports.words import require_finished
from nme_core.runs.recorded import recipe_of
from nme_core.vocabulary.settings import SETTINGS


@dataclass(frozen=True)
class Cell:
    """Some code, and what it does."""

    heading: str
    code: str


def cells(folder: RunFolder) -> list[Cell]:
    """The analysis in steps: read, fit, judge, look at the model, test.

    Raises
    ------
    RunFolderError
        Where the run is not finished.
    """
    require_finished(folder)
    made = [_files(folder), _study(folder), _fit(folder), _judge(folder), _look(folder)]
    if folder.has_table("hsic"):
        made.append(_tests(folder))
    return made


def script(folder: RunFolder) -> str:
    """The analysis as a Python script: ``python analysis.py [LONG.csv [COVARIATES.csv]]``."""
    parts = [f'"""{_title(folder)}"""', *(f"# {one.heading}\n{one.code}" for one in cells(folder))]
    return "\n\n".join(parts) + "\n"


def notebook(folder: RunFolder) -> str:
    """The analysis as a Jupyter notebook (nbformat 4.5), without outputs."""
    made = [_markdown("title", f"# {_title(folder)}")]
    for i, one in enumerate(cells(folder)):
        made.append(_markdown(f"step-{i}", f"## {one.heading}"))
        made.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"code-{i}",
                "metadata": {},
                "outputs": [],
                "source": one.code.splitlines(keepends=True),
            }
        )
    content = {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _markdown(identity: str, text: str) -> dict[str, object]:
    return {
        "cell_type": "markdown",
        "id": identity,
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }


def _title(folder: RunFolder) -> str:
    version = folder.config["versions"]["neural-mixed-effects"]
    return f"An analysis with Neural Mixed Effects {version}. Research use, not diagnosis."


def _files(folder: RunFolder) -> Cell:
    inputs = folder.data["inputs"]
    names = [one["name"] for one in inputs]
    lines = [
        "import sys",
        "from pathlib import Path",
        "",
        "# SHA-256 of the files that the run was fitted on:",
        *(f"# {one['name']!r}: {one['sha256']}" for one in inputs),
        "given = [] if 'ipykernel' in sys.modules else sys.argv[1:]",
        f"LONG = given[0] if given else {names[0] if names else 'long.csv'!r}",
        f"COVARIATES = given[1] if len(given) > 1 else {names[1] if len(names) > 1 else None!r}",
        "OUT = Path('run')",
    ]
    return Cell("Files", "\n".join(lines))


def _study(folder: RunFolder) -> Cell:
    recipe = pformat(recipe_of(folder).to_json(), width=92, sort_dicts=False)
    lines = [
        "from nme_core.study import Recipe",
        "from nme_core.study.loading import load_study",
        "",
        "recipe = Recipe.from_json(",
        f"    {recipe.replace(chr(10), chr(10) + '    ')}",
        ")",
        "study = load_study(recipe, LONG, COVARIATES)",
        "print(study.n_persons, 'people,', study.n_rows, 'rows')",
    ]
    return Cell("The study: which column plays which part", "\n".join(lines))


def _fit(folder: RunFolder) -> Cell:
    config = folder.config
    options = [(name, config[name]) for name in SETTINGS if name in config and name != "tune"]
    lines = [
        "from nme_core.runs.fit import FitOptions, run_experiment",
        "from nme_core.io import RunFolder",
        "",
        "options = FitOptions(",
        *(
            f"    {name}={tuple(value) if isinstance(value, list) else value!r},"
            for name, value in options
        ),
        ")",
        "run = RunFolder(OUT)",
        "files = [path for path in (LONG, COVARIATES) if path]",
        "run_experiment(study, options, run, inputs=files)",
    ]
    return Cell(
        "Fit the model and its baselines on each person's first rows, then on all", "\n".join(lines)
    )


def _judge(folder: RunFolder) -> Cell:
    lines = [
        "metrics = run.table('metrics').query(\"split == 'test' and scope == 'pooled'\")",
        "print(metrics.pivot(index='model', columns='metric', values='value'))",
        "print(run.table('comparison'))",
    ]
    return Cell("Judge them on each person's last rows, in pairs over people", "\n".join(lines))


def _look(folder: RunFolder) -> Cell:
    lines = [
        "from nme_core.estimators import load",
        "",
        "model = load(run.model_path)",
        "print(model.fixed_effects_)",
        "print(model.random_effects_)",
    ]
    if folder.config["model"] == "nme-crf":
        lines.append("print(model.transition_matrix(None, readout='conditional'))")
    return Cell("Look at the model that was fitted on all rows", "\n".join(lines))


def _tests(folder: RunFolder) -> Cell:
    table = folder.table("hsic")
    tested = [str(name) for name in table["covariate"]]
    lines = [
        "from nme_core.analysis import CovariateOptions, covariate_tests",
        "",
        f"options = {CovariateOptions.of_table(table)!r}",
        f"tests = covariate_tests(run, {tested!r}, options)",
        "run.write_table('hsic', tests.hsic)",
        "run.write_table('effects', tests.effects)",
        "print(tests.hsic)",
        "print(tests.effects.sort_values('p').head(10))",
    ]
    return Cell("Test people's parameters against covariates", "\n".join(lines))

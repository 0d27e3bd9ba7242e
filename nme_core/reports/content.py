"""The report of a study: which section says what."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from nme_core.figures.catalogue import every
from nme_core.figures.of_research import of_tool
from nme_core.io import RunFolder
from nme_core.reports import ResultTable, hsic_command, words
from nme_core.reports.blocks import Block, Code, Items, Report, Section, Text
from nme_core.runs.research.answers import answers
from nme_core.vocabulary.choices import COVARIANCES, MODELS, PLACEMENTS
from nme_core.vocabulary.terms import QUESTIONS
from nme_core.vocabulary.text import number, p_phrase

#: Tables that stand in sections of their own.
_PLACED = {
    "data", "flow", "codebook", "findings", "metrics", "comparison", "fixed_effects",
    "random_effects", "transitions", "hsic", "effects", "summary", "checks", "calibration",
    "certificate", "stability", "correlations",
}  # fmt: skip
_TESTED = ("dependence", "effects")
_LEAST_PERSONS = 5


def study_report(folder: RunFolder, title: str | None = None) -> Report:
    """Everything that a reader needs to judge a run, with what it does not show.

    `title` says what the run is called; by default it has the name of its folder.
    """
    said = words(folder)
    tables = {table.name: table for table in said.tables}
    data, model, evaluation, convergence, *tests = said.methods
    config, found = folder.config, said.findings
    fit = [Text(found[name]) for name in ("prediction", "skill", "comparison") if name in found]
    of_data = _given(tables, "flow", "data", "codebook", "findings")
    sections = [
        Section("Data", (Text(data), *of_data, *_inputs(folder))),
        Section("Missing values and compliance", _compliance(folder)),
        Section("Model", (Text(model), *_why(config), Text(convergence), *every(folder, "losses"))),
        Section(
            "Fit and comparison",
            (Text(evaluation), *fit, *_given(tables, "metrics", "comparison")),
        ),
        _judged("Model checks", found, tables, "checks"),
        _judged("Calibration", found, tables, "calibration"),
        _judged("Agreement with the linear mixed model", found, tables, "certificate"),
        _moves(folder, tables),
        _judged("How much people differ", found, tables, "summary"),
        _judged("How well that is repeated", found, tables, "stability"),
        _judged("Whether parameters go together", found, tables, "correlations"),
        Section(
            "Fixed and random effects",
            (*_given(tables, "fixed_effects", "random_effects"), *every(folder, "random-effects")),
        ),
        _covariates(folder, [*tests, *(found.get(name, "") for name in _TESTED)], tables),
        _research(folder),
    ]
    further = [table for table in said.tables if table.name not in _PLACED]
    if further:
        sections.append(Section("Further tables", tuple(further)))
    sections += [
        Section("Limits", (Items(said.limits),)),
        Section("References", (Items(tuple(one.text for one in said.references), cited=True),)),
        _reproduce(folder, said.command),
    ]
    kept = tuple(section for section in sections if section.blocks)
    kind = MODELS.get(config["model"], (config["model"], ""))[0]
    lead = f"{kind}, outcome {folder.roles['outcome']}. Research use, not diagnosis."
    return Report(f"Report: {title or folder.path.resolve().name}", lead, kept)


def _given(tables: dict[str, ResultTable], *names: str) -> list[ResultTable]:
    return [tables[name] for name in names if name in tables]


def _judged(
    title: str, found: dict[str, str], tables: dict[str, ResultTable], name: str
) -> Section:
    """What a table comes to, in a sentence, and the table; empty where the run has none."""
    said = (Text(found[name]),) if found.get(name) else ()
    return Section(title, (*said, *_given(tables, name)))


def _inputs(folder: RunFolder) -> list[Block]:
    """Fingerprints of the files that were read."""
    lines = [f"{one['name']}: SHA-256 {one['sha256']}" for one in folder.data["inputs"]]
    return [Text("Files that were read:"), Items(tuple(lines))] if lines else []


def _why(config: dict[str, Any]) -> list[Block]:
    """Why the model and the placement are what they are, in the words of the app."""
    reasons = [
        MODELS.get(config["model"], ("", ""))[1],
        PLACEMENTS.get(config["placement"], ""),
        COVARIANCES.get(config["covariance"], ""),
    ]
    kept = tuple(reason for reason in reasons if reason)
    return [Text("What this model is for, and what its choices mean:"), Items(kept)] if kept else []


def _compliance(folder: RunFolder) -> tuple[Block, ...]:
    """Missing values by feature, observations by person, and their association with covariates."""
    data = folder.data
    blocks: list[Block] = list(every(folder, "observations"))
    missing = data["n_missing_features"]
    shares = [f"{name} {100 * n / data['n_rows']:.1f} %" for name, n in missing.items()]
    blocks.append(
        Text(
            f"Missing values by feature: {', '.join(shares)} of the observations."
            if shares
            else "No feature has missing values."
        )
    )
    lines = _answering(folder)
    if lines:
        blocks += [
            Text(
                "Whether a covariate is related to answering more often (estimates from few "
                "observations are pulled more towards the population, which alone can look like "
                "dependence; uncorrected):"
            ),
            Items(tuple(lines)),
        ]
    return tuple(blocks)


def _answering(folder: RunFolder) -> list[str]:
    """Spearman correlation of the number of observations with each numeric covariate."""
    from scipy import stats

    effects = folder.table("random_effects")
    n_obs = effects.drop_duplicates("person").set_index("person")["n_obs"]
    lines = []
    for name, values in folder.covariates.items():
        both = pd.concat([n_obs, values.rename("value")], axis=1, join="inner").dropna()
        if not is_numeric_dtype(values) or len(both) < _LEAST_PERSONS or both.nunique().min() < 2:
            continue
        rho, p = stats.spearmanr(both["n_obs"], both["value"])
        lines.append(
            f"{name}: Spearman's ρ({len(both) - 2}) = {number(rho, 2)}, {p_phrase(p)}, "
            f"{len(both)} people."
        )
    return lines


def _moves(folder: RunFolder, tables: dict[str, ResultTable]) -> Section:
    """Transitions of a sequence model, response curves of a network."""
    interpreted = Text(f"From the fit on {folder.data['interpreted_from']}.")
    if "transitions" in tables:
        shown: tuple[Block, ...] = (
            interpreted,
            *_given(tables, "transitions"),
            *every(folder, "transitions"),
        )
        return Section("Transitions", shown)
    curves = tuple(every(folder, "curves"))
    return Section("Response curves", (interpreted, *curves) if curves else ())


def _covariates(
    folder: RunFolder, paragraphs: list[str], tables: dict[str, ResultTable]
) -> Section:
    """Tests against covariates, all of them counted; or that there was none."""
    if "hsic" not in tables:
        return Section("Covariates", (Text("No covariate was tested in this run."),))
    texts = [Text(text) for text in paragraphs if text]
    blocks: tuple[Block, ...] = (
        *texts,
        *_given(tables, "hsic", "effects"),
        *every(folder, "covariates"),
    )
    return Section("Covariates", blocks)


def _research(folder: RunFolder) -> Section:
    """What the research tools were asked of this run, and what they found."""
    blocks: list[Block] = []
    for tool, found in answers(folder).items():
        blocks.append(Text(f"{QUESTIONS[tool]} {found.verdict['answer']}"))
        if found.verdict["notes"]:
            blocks.append(Items(tuple(found.verdict["notes"])))
        figure = of_tool(tool, found.table, found.verdict, folder)
        blocks += [] if figure is None else [figure]
    return Section("Further questions", tuple(blocks))


def _reproduce(folder: RunFolder, command: str) -> Section:
    config = folder.config
    versions = ", ".join(f"{name} {version}" for name, version in config["versions"].items())
    blocks: list[Block] = [Text("This command repeats the run on the same files:"), Code(command)]
    if folder.has_table("hsic"):
        blocks.append(Code(hsic_command(folder)))
    blocks.append(Text(f"Seed {config['seed']}. Versions: {versions}."))
    return Section("How to reproduce", tuple(blocks))

"""What several commands take: the roles of a study's columns, the run folder, where to write."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_type_hints

import typer

from nme_core.exceptions import OptionError
from nme_core.io import RunFolder, durable
from nme_core.vocabulary.settings import Setting, names

if TYPE_CHECKING:
    import pandas as pd

    from nme_core.study import Finding, Recipe, Study
    from nme_core.study.columns import OutcomeKind
    from nme_core.study.loading import Tables

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `nme fit` wrote.")]
Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same machine, same numbers.")
]
Sheet = Annotated[
    str | None,
    typer.Option(help="Sheet of a workbook (.xlsx); default: the one with the columns named."),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="utf-8|cp1252|…", help="Encoding of a text table; default: recognised."),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        metavar=";|tab|…", help="What parts the columns of a text table; default: recognised."
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(metavar=".|,", help="Decimal mark of a text table; default: recognised."),
]
Header = Annotated[
    str | None,
    typer.Option(
        metavar="LINE|none",
        help="Line of a text table that names the columns, or none; default: recognised.",
    ),
]
Step = Annotated[
    str | None,
    typer.Option(
        metavar="1s|none",
        help="Length of the steps that events with a start and an end become (BORIS, ELAN);"
        " default: one row per event.",
    ),
]
Instrument = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|none",
        help="Repeating instrument of an export of REDCap whose rows are the occasions; none: rows"
        " of no instrument; default: the one with the most rows.",
    ),
]
_MARKS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";"}


def mark(word: str | None) -> str | None:
    """A delimiter, which may be given by its name."""
    return None if word is None else _MARKS.get(word.lower(), word)


@dataclass(frozen=True)
class StudyOptions:
    """Files of a study and the roles of their columns; each field is an option."""

    long: Annotated[
        Path,
        typer.Argument(
            metavar="LONG.csv",
            help="One row per person and occasion: text, .xlsx, .sav, .dta, .sas7bdat or .parquet.",
        ),
    ]
    person: Annotated[str | None, typer.Option(help="Column with the person's id.")] = None
    outcome: Annotated[
        str | None, typer.Option(help="Column to predict: a number, a class or a state.")
    ] = None
    covariates: Annotated[
        Path | None,
        typer.Option(metavar="C.csv", help="One row per person, with the same id column."),
    ] = None
    time: Annotated[str | None, typer.Option(help="Column that orders a person's rows.")] = None
    sequence: Annotated[str | None, typer.Option(help="Column with the session or sequence.")] = (
        None
    )
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="Column of a further grouping factor; may be repeated."),
    ] = None
    features: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="Columns to predict from; default: all that fit."),
    ] = None
    exclude: Annotated[
        str | None, typer.Option(metavar="D,E", help="Columns that are not used.")
    ] = None
    outcome_kind: Annotated[
        str | None, typer.Option(metavar="number|class", help="Default: read off the column.")
    ] = None
    max_gap: Annotated[
        str | None,
        typer.Option(
            metavar="8h|none",
            help="Longest gap in time within a sequence (s, min, h, d; a number where times are"
            " numbers); default: nights break sequences of several rows a day.",
        ),
    ] = None
    sheet: Sheet = None
    covariates_sheet: Annotated[
        str | None,
        typer.Option(
            help="Sheet with one row per person; of LONG where --covariates is not given. Default: "
            "the one where each id stands once."
        ),
    ] = None
    encoding: Encoding = None
    delimiter: Delimiter = None
    decimal: Decimal = None
    header: Header = None
    step: Step = None
    instrument: Instrument = None
    metadata: Annotated[
        Path | None,
        typer.Option(
            metavar="META.json|META.csv",
            help="What explains the columns (openESM, m-Path); default: the file beside the table.",
        ),
    ] = None
    remedy: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.json",
            help="Changes to the table that are made first; a file, or JSON itself.",
        ),
    ] = None
    missing: Annotated[
        str | None,
        typer.Option(
            metavar="indicator|carry|drop",
            help="Missing features: mean beside an indicator (default), the person's last value, "
            "or the row is left out.",
        ),
    ] = None
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="RECIPE.json",
            help="How another study was made, from the folder of its run: roles, changes and all "
            "that is not given here.",
        ),
    ] = None

    @property
    def second(self) -> Path | None:
        """The file of the covariate table."""
        return self.covariates or (self.long if self.covariates_sheet is not None else None)

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return [path for path in (self.long, self.second) if path is not None]

    @property
    def named_files(self) -> dict[str, object]:
        """The files that options name, by neutral words for them."""
        remedy = self.remedy if self.remedy and not self.remedy.lstrip().startswith("[") else None
        return {
            "LONG_csv": self.long,
            "COVARIATES_csv": self.covariates,
            "METADATA_json": self.metadata,
            "REMEDIES_json": remedy,
            "recipe_json": self.recipe,
        }

    @property
    def reading(self) -> dict[str, Any]:
        """How the long table is read, as `read_any` takes it."""
        return {
            "sheet": self.sheet,
            "encoding": self.encoding,
            "delimiter": mark(self.delimiter),
            "decimal": self.decimal,
            "header": self.header,
            "step": self.step,
            "instrument": self.instrument,
            "metadata": self.metadata,
        }

    @cached_property
    def made(self) -> Recipe:
        """How the study is made: as the recipe says, or the options where they are given."""
        from nme_core.study import read_remedies
        from nme_core.study.recipe import read_recipe, recipe_of

        given = {
            "person": self.person,
            "outcome": self.outcome,
            "time": self.time,
            "sequence": self.sequence,
            "groups": self.group,
            "features": names(self.features),
            "exclude": names(self.exclude),
            "outcome_kind": self.outcome_kind,
            "max_gap": self.max_gap,
            "missing": self.missing,
            "remedies": None if self.remedy is None else read_remedies(self.remedy),
        }
        return recipe_of(None if self.recipe is None else read_recipe(self.recipe), **given)

    @cached_property
    def tables(self) -> Tables:
        """The files, each of them parsed once."""
        from nme_core.study.loading import read_tables

        return read_tables(self.made, self.long, self.second, self.covariates_sheet, **self.reading)

    def read(self, outcome_kind: OutcomeKind | None = None) -> Study:
        """Read the study; `outcome_kind` is taken where the user gave none."""
        made = self.made
        return self.tables.study(replace(made, outcome_kind=made.outcome_kind or outcome_kind))

    def read_filled(self, *, states: bool) -> Study:
        """Read the study and deal with missing features; `states` are classes unless said so."""
        from nme_core.study.clean.missing import check_missing, fill_features

        check_missing(self.made.missing)
        return fill_features(self.read("class" if states else None), self.made.missing)

    def problems(self) -> tuple[Finding, ...]:
        """Everything that keeps the table from being a study."""
        return self.tables.problems(self.made)


def takes(*kinds: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of dataclasses, which it gets as its first arguments."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    hints = {kind: get_type_hints(kind, include_extras=True) for kind in kinds}
    shared = [
        inspect.Parameter(
            field.name,
            keyword,
            **_as_option(field, hints[kind][field.name]),
        )
        for kind in kinds
        for field in fields(kind)
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(command, eval_str=True).parameters.values())[len(kinds) :]
        own = [parameter.replace(kind=keyword) for parameter in own]

        def with_options(**given: Any) -> None:
            made = [
                kind(**{one.name: _value(hints[kind][one.name], given.pop(one.name))
                        for one in fields(kind)})
                for kind in kinds
            ]  # fmt: skip
            command(*made, **given)

        parameters = [*shared, *own]
        with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
        with_options.__annotations__ = {one.name: one.annotation for one in parameters}
        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return with_options

    return decorate


def _setting(hint: Any) -> Setting | None:
    """What a field's annotation says of it as a setting of a fit."""
    return next((one for one in get_args(hint) if isinstance(one, Setting)), None)


def _as_option(field: Field[Any], hint: Any) -> dict[str, Any]:
    """Annotation and default of the option that a field is; a `Setting` becomes one of typer."""
    empty = inspect.Parameter.empty
    default = empty if field.default is MISSING else field.default
    setting = _setting(hint)
    if setting is None:
        return {"annotation": hint, "default": default}
    kind = get_args(hint)[0]
    if setting.read is not None:
        kind = str if default is not None else str | None
        default = ",".join(default) if isinstance(default, tuple) else default
    switch = [f"--{field.name}"] if kind is bool else []
    option = typer.Option(
        *switch, metavar=setting.metavar, min=setting.low, max=setting.high, help=setting.help
    )
    return {"annotation": Annotated[kind, option], "default": default}


def _value(hint: Any, given: Any) -> Any:
    """What an option was given, as its field holds it."""
    setting = _setting(hint)
    if setting is None or setting.read is None or given is None:
        return given
    return setting.read(given)


def takes_study(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `StudyOptions`, which it gets as its first argument."""
    return takes(StudyOptions)(command)


def repeating_command(**files: object) -> str:
    """The command as it was given, with neutral words for the files: their names may tell people.

    Parameters
    ----------
    **files : path or None
        What stands for a file (``LONG_csv`` for ``LONG.csv``), and the file.
    """
    words = {Path(str(path)): name.replace("_", ".") for name, path in files.items() if path}
    told = ["nme"]
    for word in sys.argv[1:]:
        option, mark, value = word.partition("=") if word.startswith("--") else ("", "", word)
        path = Path(value if mark or not option else word)
        told.append(f"{option}{mark}{words[path]}" if path in words else word)
    return shlex.join(told)


def check_folder(out: Path) -> None:
    """Raise OptionError where a folder cannot be made, because a file has its name."""
    for path in (out, *out.parents):
        if path.exists() and not path.is_dir():
            raise OptionError(
                f"--out {out}: {path} is a file, not a folder.",
                remedy="Name a folder; it is made where it does not exist.",
            )


def write_csv(out: Path, table: pd.DataFrame) -> None:
    """Write a table for the user, whole or not at all; its folder is made where there is none."""
    out.parent.mkdir(parents=True, exist_ok=True)
    packed = {"method": "gzip" if out.suffix == ".gz" else None}
    with durable.beside(out, private=False) as new:
        table.to_csv(new, index=False, lineterminator="\n", compression=packed)


def check_file(out: Path, new: Path, folder: RunFolder) -> None:
    """Raise OptionError where predictions would replace something else."""
    check_folder(out.parent)
    if out.is_dir():
        raise OptionError(
            f"--out {out} is a folder.", remedy=f"Name a file, such as {out / 'predictions.csv'}."
        )
    own = folder.writes(out)
    if own or (out.exists() and new.exists() and out.samefile(new)):
        what = "a table of the run" if own else "the rows to predict"
        raise OptionError(
            f"The predictions would overwrite {out}, {what}.",
            remedy="Name another file (--out).",
        )


def check_ending(out: Path, endings: tuple[str, ...]) -> None:
    """Raise OptionError where a file cannot be written so: by its ending, or where it is to be."""
    if out.suffix.lower() not in endings:
        raise OptionError(
            f"--out {out} is none of {', '.join(endings)}.",
            remedy=f"Let the name end in one of {', '.join(endings)}.",
        )
    check_folder(out.parent)
    if out.is_dir():
        name = out / f"{out.stem}{endings[0]}"
        raise OptionError(f"--out {out} is a folder.", remedy=f"Name a file, such as {name}.")

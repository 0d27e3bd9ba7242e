"""The command ``nme``: samples, data report, fits, tests against covariates, predictions."""

from nme_core.cli import covariates, dashboard, fit, persons, study
from nme_core.cli.app import app, main

__all__ = ["app", "covariates", "dashboard", "fit", "main", "persons", "study"]

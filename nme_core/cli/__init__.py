"""The command ``nme``: samples, data report, fits, tests against covariates, predictions."""

from nme_core.cli import (
    bundle,
    certify,
    compare,
    covariates,
    curve,
    dashboard,
    figure,
    fit,
    persons,
    report,
    research,
    research_grids,
    scoreboard,
    study,
)
from nme_core.cli.app import app, main

__all__ = ["app", "main"]

#: In the order of the help.
COMMANDS = (
    study.sample,
    study.check,
    fit.fit,
    certify.certify,
    compare.compare,
    research.covariance,
    research.calibrate,
    research.replicate,
    covariates.hsic,
    covariates.stability,
    persons.predict,
    persons.adapt,
    curve.adapt_curve,
    research_grids.power,
    research_grids.ablate,
    research_grids.multiverse,
    report.report,
    figure.figure,
    bundle.bundle,
    bundle.rerun,
    scoreboard.scoreboard,
    dashboard.dashboard,
)

for command in COMMANDS:
    app.command()(command)

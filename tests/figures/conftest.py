"""Tables as the pages give them to the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

STATES = ["Other", "Aggressive", "Dysphoric", "Positive"]


def square(values: list[list[float]], states: list[str] = STATES) -> pd.DataFrame:
    return pd.DataFrame(values, index=states, columns=states, dtype=float)


def skill() -> pd.DataFrame:
    """Skill against two rivals at two horizons and in the block."""
    rows = [
        ("nme", reference, "mse", "pooled", horizon, value, value - 0.1, value + 0.1, 20)
        for reference, values in (("last", (-0.2, 0.1, 0.4)), ("generic", (0.3, 0.3, 0.3)))
        for horizon, value in zip((1, 5, None), values, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[
        "model", "reference", "metric", "scope", "horizon", "skill", "ci_low", "ci_high",
        "n_persons",
    ])  # fmt: skip
    return table.astype({"horizon": "Int64"})


def board() -> pd.DataFrame:
    """Two tables; NME loses to one rival, and saves nearly all of another's loss."""
    rows = [("a", "lme", -0.1, -0.2, 0.0), ("a", "nme", np.nan, np.nan, np.nan),
            ("a", "generic", 0.9, 0.8, 0.95), ("b", "last", 0.2, 0.1, 0.3)]  # fmt: skip
    return pd.DataFrame(rows, columns=["protocol", "rival", "saved", "ci_low", "ci_high"])


@pytest.fixture
def person() -> pd.DataFrame:
    """Asymmetric; the person was never in the second state."""
    nan = np.nan
    return square([[0.7, 0.1, 0.2, 0.0], [nan] * 4, [0.05, 0.15, 0.5, 0.3], [0.4, 0.1, 0.1, 0.4]])


@pytest.fixture
def population() -> pd.DataFrame:
    return square(
        [[0.6, 0.1, 0.1, 0.2], [0.1, 0.5, 0.3, 0.1], [0.2, 0.1, 0.6, 0.1], [0.3, 0.0, 0.1, 0.6]]
    )


@pytest.fixture
def counts() -> pd.DataFrame:
    return square([[70, 10, 20, 0], [0, 0, 0, 0], [1, 3, 10, 6], [1204, 1, 1, 4]])


@pytest.fixture
def estimates() -> pd.Series:
    values = np.random.default_rng(0).normal(0, 0.5, 60)
    values[3] = np.nan
    return pd.Series(values, index=[f"{i:03d}" for i in range(60)])


@pytest.fixture
def history() -> pd.DataFrame:
    epochs = np.arange(1, 21)
    rows = [
        pd.DataFrame(
            {
                "model": model,
                "epoch": epochs,
                "train_loss": scale + scale / epochs,
                "validation_loss": np.where(epochs < 3, np.nan, scale + scale / epochs + 0.1),
            }
        )
        for model, scale in (("generic", 2.0), ("nme", 1.0))
    ]
    return pd.concat(rows, ignore_index=True)


@pytest.fixture
def curves() -> pd.DataFrame:
    x = np.linspace(4, 10, 7)
    parts = [
        pd.DataFrame({"person": name, "feature": feature, "x": x[::-1], "value": (x - best) ** 2})
        for feature in ("sleep", "steps")
        for name, best in (("", 7.0), ("007", 6.0), ("b", 8.0))
    ]
    return pd.concat(parts, ignore_index=True)


def correlation_table(values: list[float], names: list[str]) -> pd.DataFrame:
    """Rows of ``correlations.csv`` of three parameters, each with a band from -0.2 to 0.2."""
    row, column = np.triu_indices(3, k=1)
    return pd.DataFrame(
        {"parameter": np.array(names)[row], "parameter_2": np.array(names)[column],
         "correlation": values, "model_correlation": 0.25,
         "simulated_mean": 0.0, "simulated_low": -0.2,
         "simulated_high": 0.2, "p_adjusted": [0.001, 0.9, 0.06]}
    )  # fmt: skip


@pytest.fixture(scope="session")
def examples() -> dict[str, dict[str, object]]:
    """Arguments for every kind of figure that there is, by its name."""
    rng = np.random.default_rng(5)
    ids = pd.Index([f"{i:03d}" for i in range(30)], name="person")

    def matrix() -> pd.DataFrame:
        return square(list(rng.dirichlet(np.full(4, 9.0), 4)))

    first, second, counts = matrix(), matrix(), square(list(rng.integers(1, 40, (4, 4))))
    estimates = pd.Series(rng.normal(0, 0.5, 30), ids, name="w")
    score = pd.Series(rng.integers(0, 40, 30).astype(float), ids, name="score")
    models = ("generic", "nme", "specific")
    training = pd.DataFrame({"model": np.repeat(models, 12), "epoch": np.tile(np.arange(1, 13), 3)})
    training["train_loss"] = 1 + rng.random(36)
    training["validation_loss"] = 2 + rng.random(36)
    training["residual_variance"] = rng.random(36) + 0.5
    training["mean_random_variance"] = rng.random(36)
    x = np.linspace(4, 10, 6)
    curves = pd.concat(
        pd.DataFrame({"person": name, "feature": "sleep", "x": x, "value": rng.normal(5, 1, 6)})
        for name in ("", "007", "008", "009")
    )
    groups = pd.concat(
        pd.DataFrame({"group": name, "n_persons": 10, "x": x, "value": rng.normal(5, 1, 6)})
        for name in ("low", "high")
    )
    grid = pd.DataFrame(rng.random((5, 8)), [f"{i:03d}" for i in range(5)], np.arange(8.0))
    grid.iloc[1, 4:] = np.nan
    ribbon = pd.DataFrame(
        {
            "time": np.arange(25),
            "sequence": np.repeat(["a", "b"], [10, 15]),
            "split": np.repeat(["train", "test"], [20, 5]),
            "observed": rng.choice(STATES, 25),
            "predicted": "Positive",
        }
        | {f"p_{state}": rng.random(25) for state in STATES}
    )
    dwell = pd.DataFrame(
        {"state": STATES * 4, "who": np.repeat(["person 7", "population"], 8),
         "how": np.tile(np.repeat(["expected", "observed"], 4), 2),
         "steps": rng.uniform(2, 4, 16), "low": [1.5] * 12 + [np.nan] * 4,
         "high": [5.0] * 12 + [np.nan] * 4}
    )  # fmt: skip
    persons = pd.DataFrame(
        {
            "estimate": estimates,
            "ci_low": estimates - 0.4,
            "ci_high": estimates + 0.4,
            "n_obs": 20,
            "reliability": rng.random(30),
        },
        index=ids,
    )
    places = pd.DataFrame(rng.normal(size=(30, 2)), ids, ["first", "second"])
    correlations = correlation_table([0.7, 0.05, -0.3], ["transitions[a,b]", "w", "bias"])
    narrowing = pd.DataFrame(
        {"what": np.repeat(["stay in a", "stay in b"], 3), "k": [5, 10, 20] * 2,
         "value": 0.5, "ci_low": [0.1, 0.2, 0.3] * 2, "ci_high": [0.9, 0.8, 0.7] * 2}
    )  # fmt: skip
    ablation = pd.DataFrame(
        {"placement": ["last", "all"] * 3, "share": np.repeat([0.2, 0.5, 1.0], 2),
         "reference": "generic", "difference": [0.1, 0.2, -0.1, 0.0, -0.3, -0.2], "p": 0.1,
         "rows": np.repeat([5.0, 12.0, 24.0], 2), "metric": "mse", "n_persons": 9, "loss": 1.0,
         "reference_loss": 1.2}
    )  # fmt: skip
    ablation = ablation.assign(ci_low=ablation["difference"] - 0.2,
                               ci_high=ablation["difference"] + 0.2)  # fmt: skip
    worlds = pd.DataFrame(
        {"world": np.arange(1, 9), "missing": ["drop", "carry"] * 4,
         "covariance": np.repeat(["full", "diagonal"], 4), "seed": 0,
         "estimate": np.linspace(0.5, -0.1, 8), "holds": [True] * 6 + [False] * 2, "note": ""}
    )  # fmt: skip
    worlds = worlds.assign(ci_low=worlds["estimate"] - 0.2, ci_high=worlds["estimate"] + 0.2)
    power = pd.DataFrame(
        {"n_persons": [50, 100] * 2, "n_rows": [30, 30, 60, 60], "effect": 0.5, "test": "hsic",
         "power": [0.4, 0.7, 0.6, 0.9], "ci_low": [0.3, 0.6, 0.5, 0.8],
         "ci_high": [0.5, 0.8, 0.7, 0.95], "reps": 100}
    )  # fmt: skip
    coverage = pd.DataFrame(
        {"quantity": ["variances", "scores"], "coverage": [0.95, 0.85], "ci_low": [0.9, 0.8],
         "ci_high": [0.98, 0.9], "status": ["within", "outside"]}
    )  # fmt: skip
    replication = pd.DataFrame(
        {"parameter": ["a", "b"], "estimate_a": [0.5, -0.2], "ci_low_a": [0.3, -0.4],
         "ci_high_a": [0.7, 0.0], "estimate_b": [0.4, 0.1], "ci_low_b": [0.1, -0.2],
         "ci_high_b": [0.6, 0.4], "prediction_low": [0.1, -0.6], "prediction_high": [0.8, 0.2]}
    )  # fmt: skip
    return {
        "learning_curve": {"summary": ablation},
        "power_curve": {"table": power, "test": "hsic"},
        "replication": {"table": replication, "names": {"a": "a → a", "b": "b → b"}},
        "study_coverage": {"table": coverage, "names": dict.fromkeys(coverage["quantity"], "q"),
                           "band": (0.92, 0.97)},
        "specification_curve": {"worlds": worlds, "claim": "level rises with score"},
        "transition_comparison": {
            "person": first, "population": second, "person_label": "007", "readout": "observed",
            "counts": counts, "low": first - 0.05, "high": first + 0.05,
        },
        "random_effect_distribution": {"estimates": estimates, "variance": 0.3, "parameter": "w"},
        "hsic_null": {"null": rng.gamma(2, 0.01, 200), "statistic": 0.09, "p": 0.01,
                      "covariate": "score"},
        "covariate_scatter": {"values": estimates, "covariate": score, "parameter": "w",
                              "covariate_name": "score"},
        "loss_curves": {"history": training},
        "response_curves": {"curves": curves, "feature": "sleep", "outcome": "mood",
                            "person": "007"},
        "group_curves": {"curves": groups, "feature": "sleep", "outcome": "mood",
                         "covariate_name": "score"},
        "observations_per_person": {"n_obs": pd.Series(rng.integers(20, 60, 30), ids)},
        "outcome_overview": {"y": pd.Series(rng.choice(STATES, 90), name="state"), "kind": "class"},
        "missing_values": {"grid": grid, "by": "person", "time": "days"},
        "variance_traces": {"history": training},
        "transition_multiples": {"matrices": {name: matrix() for name in ids[:6]},
                                 "readout": "conditional", "notes": {"000": "(3)"}},
        "group_transitions": {"groups": {"low": (9, first), "high": (8, second)},
                              "readout": "conditional", "covariate": "score",
                              "contrast": "low − high",
                              "intervals": {"low": (first - 0.05, first + 0.05)},
                              "sizes": {"low": 0 * first + 9}},
        "transition_arrows": {"matrices": {"Person 7": first, "Population": second}},
        "dwell_times": {"table": dwell},
        "state_ribbon": {"rows": ribbon, "person": "7", "states": STATES},
        "caterpillar": {"rows": persons, "parameter": "w"},
        "effect_qq": {"estimates": estimates, "parameter": "w"},
        "effect_correlations": {"table": correlations},
        "correlation_bands": {"table": correlations},
        "reliability_by_observations": {"rows": persons, "parameter": "w"},
        "person_map": {"places": places, "shares": [0.6, 0.2], "covariate": score,
                       "covariate_name": "score"},
        "newcomer_curve": {
            "own": pd.DataFrame({"x": x, "value": x, "ci_low": x - 1, "ci_high": x + 1}),
            "population": pd.DataFrame({"x": x, "value": x / 2}), "person": "7",
            "feature": "sleep", "outcome": "mood",
        },
        "narrowing": {"table": narrowing, "population": {"stay in a": 0.4, "stay in b": 0.6},
                      "value_name": "probability", "probability": True},
        **_of_the_fit(rng),
    }  # fmt: skip


def _of_the_fit(rng: np.random.Generator) -> dict[str, dict[str, object]]:
    """Arguments of figures of fit and model checks."""

    def checks(names: list[tuple[str, str]]) -> pd.DataFrame:
        table = pd.DataFrame(names, columns=["check", "statistic"])
        values = {"observed": rng.uniform(0.1, 0.6, len(table)), "simulated_mean": 0.3}
        return table.assign(person="", simulated_low=0.2, simulated_high=0.5, **values)

    def calibration(kind: str, name: str) -> pd.DataFrame:
        expected = np.linspace(0.05, 0.95, 5)
        ends = {"low": expected - 0.05, "high": expected + 0.05}
        intervals = {"ci_low": expected - 0.04, "ci_high": expected + 0.06}
        told = {"expected": expected, "observed": expected + 0.01, "n": 50, "model": "nme"}
        return pd.DataFrame({"kind": kind, "class": name, **ends, **told, **intervals})

    of_numbers = [("distribution", name) for name in ("quantile 0.25", "mean", "sd", "skewness")]
    of_numbers += [("persons", "sd of means"), ("autocorrelation", "lag 1")]
    moves = [f"transitions[{a},{b}]" for a in STATES for b in STATES]
    of_states = [(check, state) for check in ("share", "dwell") for state in STATES]
    of_states += [("persons", f"sd of share of {state}") for state in STATES]
    states = checks([*of_states, *(("transition", move) for move in moves)])
    by_person = checks([("person", name) for name in ("mean", "sd") for _ in range(6)])
    by_person["person"] = list("abcdef") * 2
    paired = pd.DataFrame(
        [(m, k, 0.1, -0.1, 0.3) for k in ("mse", "ccc") for m in ("lme", "generic")],
        columns=["model", "metric", "difference", "ci_low", "ci_high"],
    )
    predicted = pd.DataFrame({"person": "1", "observed": rng.normal(size=40)})
    predicted["predicted"] = predicted["observed"] + rng.normal(0, 0.3, 40)
    errors = pd.DataFrame(
        {"model": ["nme", "generic"] * 4, "person": "1", "n_obs": np.arange(8) + 20,
         "value": rng.random(8)}
    )  # fmt: skip
    fitted = pd.DataFrame({"split": ["train"] * 6 + ["validation", "test"]})
    for name in ("observed", "predicted", "population_predicted"):
        fitted[name] = rng.normal(size=8)
    shrunk = pd.DataFrame(
        {"sd": [1.0, 2], "shrinkage": [0.2, 0.9], "mean_reliability": [0.8, 0.1]},
        pd.Index(["b", "a"], name="parameter"),
    )
    return {
        "check_numbers": {"checks": checks(of_numbers)},
        "check_persons": {"checks": by_person},
        "check_states": {"checks": states},
        "check_transitions": {"checks": states},
        "calibration_curve": {
            "calibration": pd.concat([calibration("probability", state) for state in STATES[:2]])
        },
        "calibration_numbers": {
            "calibration": pd.concat([calibration("interval", ""), calibration("pit", "")])
        },
        "skill_by_horizon": {"rows": skill(), "names": {"last": "last value"}},
        "scoreboard_skill": {"rows": board(), "names": {"a": "Table A"}},
        "paired_differences": {"rows": paired, "names": {"lme": "linear mixed model"}},
        "confusion": {"counts": square(list(rng.integers(1, 9, (4, 4)))), "model": "NME"},
        "residuals": {"rows": predicted, "outcome": "mood"},
        "person_errors": {"table": errors, "metric": "MSE", "names": {"nme": "NME"}},
        "individual_fits": {"rows": {"a": fitted, "b": fitted}, "outcome": "mood"},
        "shrinkage": {"summary": shrunk},
        **of_rows(),
    }


def of_rows() -> dict[str, dict[str, object]]:
    """Arguments of the figures of a study's rows."""
    rng = np.random.default_rng(9)
    names = ["mood", "sleep", "stress"]
    within = pd.DataFrame(np.corrcoef(rng.normal(size=(3, 9))), index=names, columns=names)
    between = pd.DataFrame(np.corrcoef(rng.normal(size=(3, 9))), index=names, columns=names)
    series = {
        who: pd.DataFrame({"at": np.arange(6.0), "value": rng.normal(5, 1, 6)}) for who in "ab"
    }
    moments = pd.DataFrame(
        {
            "unit": ["hour"] * 3 + ["weekday"] * 4,
            "at": [8, 14, 20, 0, 1, 2, 3],
            "state": "",
            "value": rng.normal(5, 1, 7),
            "n": 12,
        }
    )
    moments = moments.assign(ci_low=moments["value"] - 0.3, ci_high=moments["value"] + 0.3)
    bins = pd.DataFrame(
        {"column": ["mood"] * 5 + ["sleep"] * 4, "centre": np.arange(9.0), "count": np.arange(9)}
    )
    return {
        "by_moment": {"table": moments, "outcome": "mood"},
        "correlations_apart": {"within": within, "between": between},
        "distributions": {"table": bins},
        "raw_series": {"rows": series, "outcome": "mood", "time": "day"},
    }

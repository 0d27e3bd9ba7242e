"""The file of a fitted model: safetensors, with JSON in its header; no pickle."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nme_core.batches.scaling import FeatureScaler
from nme_core.estimators.encoding import RowEncoder
from nme_core.estimators.mixture import Candidate, Mixture, Setting
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.variance_intervals import VarianceIntervals
from nme_core.exceptions import RunFolderError
from nme_core.training import Likelihood

if TYPE_CHECKING:
    from nme_core.estimators.base import NeuralMixedEffects
    from nme_core.estimators.mlp_model import MLPModel

#: Kinds of models by the name of their class.
MODELS: dict[str, type[NeuralMixedEffects]] = {}
_SCALES = ("mean", "sd", "low", "high")


def save(model: NeuralMixedEffects, path: str | os.PathLike[str]) -> None:
    """Write a fitted model to one safetensors file (JSON in its header); no pickle."""
    model._check_fitted()
    write_file(path, *packed(model))


def packed(model: NeuralMixedEffects) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What goes into a file: JSON, and tensors by name."""
    content = {"model": type(model).__name__, "parameters": model.get_params()}
    if model._mixture is not None:
        candidates, tensors = _packed_mixture(model._mixture)
        return {**content, "candidates": candidates}, tensors
    encoder, posterior, history = model._encoder, model._posterior, model.history_.astype(float)
    hidden = model.hidden if isinstance(model.hidden, str) else list(model.hidden)
    state, extra = model._extra()
    tensors = {
        **posterior.tensors(),
        **{f"feature_{name}": torch.from_numpy(getattr(encoder.scaler, name)) for name in _SCALES},
        "n_obs": torch.from_numpy(model._counts),
        "history": torch.from_numpy(np.array(history.to_numpy(), order="C")),
        **extra,
    }
    if model._variances is not None:
        tensors.update(model._variances.tensors())
    content |= {
        "parameters": {**content["parameters"], "hidden": hidden},
        "factors": {name: levels.tolist() for name, levels in encoder.factors.items()},
        "features": list(encoder.scaler.names),
        "flagged": list(encoder.scaler.flagged),
        "left_out": list(encoder.scaler.left_out),
        "residual_variance": posterior.residual_variance,
        "verdict": model.verdict_,
        "method": model.method_,
        "likelihood": None if model._likelihood is None else asdict(model._likelihood),
        "history": list(history.columns),
        "outcome": {**encoder.outcome.state(), **state},
    }
    return content, tensors


def unpacked(content: dict[str, Any], tensors: dict[str, Tensor]) -> NeuralMixedEffects:
    """Return the fitted model that was packed."""
    hidden = content["parameters"]["hidden"]
    hidden = hidden if isinstance(hidden, str) else tuple(hidden)
    model = MODELS[content["model"]](**{**content["parameters"], "hidden": hidden})
    if "candidates" in content:
        mixture = _unpacked_mixture(content["candidates"], tensors)
        return cast("MLPModel", model)._take(mixture)
    mean = tensors["feature_mean"]
    model._encoder = RowEncoder(
        FeatureScaler(
            tuple(content["features"]),
            mean.numpy(),
            tensors["feature_sd"].numpy(),
            tuple(content["flagged"]),
            # models of before know no range: nothing lies outside
            tensors.get("feature_low", mean - torch.inf).numpy(),
            tensors.get("feature_high", mean + torch.inf).numpy(),
            tuple(content.get("left_out", ())),
        ),
        {name: np.array(levels) for name, levels in content["factors"].items()},
        model._outcomes.restored(content["outcome"]),
        alone=model.pooling == "none",
    )
    model._restore_extra(content["outcome"], tensors)
    mixed = model._mixed()
    model._posterior = Posterior.from_tensors(
        mixed, tensors, content["residual_variance"], model._free(mixed)
    )
    model._counts = tensors["n_obs"].numpy()
    found = content.get("likelihood")  # models of before have none
    model._likelihood = None if found is None else Likelihood(**found)
    model._variances = VarianceIntervals.from_tensors(tensors)
    model.history_ = pd.DataFrame(tensors["history"].numpy(), columns=content["history"])
    model.history_["epoch"] = model.history_["epoch"].astype(int)
    model.verdict_, model.n_epochs_ = content["verdict"], len(model.history_)
    model.method_ = content.get("method", "")  # models of before do not say
    return model


def load(path: str | os.PathLike[str]) -> NeuralMixedEffects:
    """Read a fitted model of any kind; RunFolderError if the file is missing or not a model."""
    content, tensors = read_file(path)
    try:
        return unpacked(content, tensors)
    except KeyError as error:
        raise RunFolderError(
            f"{os.fspath(path)} was written by another version of this software: it lacks {error}.",
            remedy="Fit the model again.",
        ) from error


def _packed_mixture(mixture: Mixture) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """A record of each candidate, and tensors by name."""
    records: list[dict[str, Any]] = []
    tensors: dict[str, Tensor] = {}
    for number, one in enumerate(mixture.candidates):
        content, own = packed(one.model)
        tensors |= {f"{number}.{name}": value for name, value in own.items()}
        kept = {name: getattr(one, name) for name in ("weight", "validation_loss", "seconds")}
        records.append({"setting": asdict(one.setting), **kept, "content": content})
    return records, tensors


def _unpacked_mixture(records: list[dict[str, Any]], tensors: dict[str, Tensor]) -> Mixture:
    candidates = []
    for number, record in enumerate(records):
        mark, setting = f"{number}.", record["setting"]
        own = {k.removeprefix(mark): v for k, v in tensors.items() if k.startswith(mark)}
        candidates.append(
            Candidate(
                Setting(**{**setting, "hidden": tuple(setting["hidden"])}),
                cast("MLPModel", unpacked(record["content"], own)),
                record["weight"],
                record["validation_loss"],
                record["seconds"],
            )
        )
    return Mixture(tuple(candidates))


def write_file(
    path: str | os.PathLike[str], content: dict[str, Any], tensors: dict[str, Tensor]
) -> None:
    """Write tensors, and everything else as JSON."""
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    header = {"nme": json.dumps(content, default=np.generic.item)}
    try:
        save_file(whole, os.fspath(path), metadata=header)
    except SafetensorError as error:
        code = re.search(r"os error (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), os.fspath(path)) from error


def read_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Undo `write_file`; RunFolderError if the file is missing or not a model."""
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            content = json.loads(file.metadata()["nme"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise RunFolderError(f"The file {os.fspath(path)} was not found.") from None
    except Exception as error:
        raise RunFolderError(f"{os.fspath(path)} is not a saved model ({error}).") from error
    return content, tensors

"""The file of a fitted model: safetensors, with JSON in its header; no pickle."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from sklearn.base import BaseEstimator
from torch import Tensor

from nme_core.batches.scaling import FeatureScaler
from nme_core.estimators.adapting import Adaptable
from nme_core.estimators.posterior import Posterior
from nme_core.estimators.variance_intervals import VarianceIntervals
from nme_core.exceptions import RunFolderError
from nme_core.training import Likelihood

_MODELS: dict[str, type[Saveable]] = {}


class Saveable(Adaptable, BaseEstimator):  # type: ignore[misc]
    """Writes a fitted model to a file, and reads it."""

    history_: pd.DataFrame
    verdict_: str
    method_: str
    n_epochs_: int

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _MODELS[cls.__name__] = cls

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted model to one safetensors file (JSON in its header); no pickle."""
        self._check_fitted()
        write_file(path, *self._packed())

    def _packed(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """What goes into a file: JSON, and tensors by name."""
        tensors = self._posterior.tensors()
        tensors["feature_mean"] = torch.from_numpy(self._scaler.mean)
        tensors["feature_sd"] = torch.from_numpy(self._scaler.sd)
        tensors["feature_low"] = torch.from_numpy(self._scaler.low)
        tensors["feature_high"] = torch.from_numpy(self._scaler.high)
        tensors["n_obs"] = torch.from_numpy(self._counts)
        history = self.history_.astype(float)
        tensors["history"] = torch.from_numpy(np.array(history.to_numpy(), order="C"))
        tensors.update(self._extra_tensors())
        if self._variances is not None:
            tensors.update(self._variances.tensors())
        content = {
            "model": type(self).__name__,
            "parameters": {**self.get_params(), "hidden": _as_json(self.hidden)},
            "factors": {name: levels.tolist() for name, levels in self.factors_.items()},
            "features": list(self._scaler.names),
            "flagged": list(self._scaler.flagged),
            "residual_variance": self._posterior.residual_variance,
            "verdict": self.verdict_,
            "method": self.method_,
            "likelihood": None if self._likelihood is None else asdict(self._likelihood),
            "history": list(history.columns),
            "outcome": {**self._outcome.state(), **self._extra_state()},
        }
        return content, tensors

    def _restore(self, content: dict[str, Any], tensors: dict[str, Tensor]) -> Self:
        self._set_factors(content["factors"])
        self._scaler = FeatureScaler(
            tuple(content["features"]),
            tensors["feature_mean"].numpy(),
            tensors["feature_sd"].numpy(),
            tuple(content["flagged"]),
            # models of before know no range: nothing lies outside
            tensors.get("feature_low", tensors["feature_mean"] - torch.inf).numpy(),
            tensors.get("feature_high", tensors["feature_mean"] + torch.inf).numpy(),
        )
        self.feature_names_in_ = np.array(content["features"])
        self.n_features_in_ = len(self.feature_names_in_)
        self._outcome = self._outcomes.restored(content["outcome"])
        self._restore_extra(content["outcome"], tensors)
        mixed = self._mixed(self._network())
        self._posterior = Posterior.from_tensors(
            mixed, tensors, content["residual_variance"], self._free(mixed)
        )
        self._counts = tensors["n_obs"].numpy()
        found = content.get("likelihood")  # models of before have none
        self._likelihood = None if found is None else Likelihood(**found)
        self._variances = VarianceIntervals.from_tensors(tensors)
        self.history_ = pd.DataFrame(tensors["history"].numpy(), columns=content["history"])
        self.history_["epoch"] = self.history_["epoch"].astype(int)
        self.verdict_, self.n_epochs_ = content["verdict"], len(self.history_)
        self.method_ = content.get("method", "")  # models of before do not say
        return self

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a fitted model that `save` wrote; RunFolderError if the file is not one."""
        model = load(path)
        if not isinstance(model, cls):
            raise RunFolderError(
                f"{os.fspath(path)} holds a {type(model).__name__}, not a {cls.__name__}.",
                remedy=f"Use {type(model).__name__}.load.",
            )
        return model


def load(path: str | os.PathLike[str]) -> Saveable:
    """Read a fitted model of any kind; RunFolderError if the file is missing or not a model."""
    content, tensors = read_file(path)
    try:
        return unpacked(content, tensors)
    except KeyError as error:
        raise RunFolderError(
            f"{os.fspath(path)} was written by another version of this software: it lacks {error}.",
            remedy="Fit the model again.",
        ) from error


def unpacked(content: dict[str, Any], tensors: dict[str, Tensor]) -> Saveable:
    """Return the fitted model that was packed."""
    hidden = content["parameters"]["hidden"]
    hidden = hidden if isinstance(hidden, str) else tuple(hidden)
    parameters = {**content["parameters"], "hidden": hidden}
    return _MODELS[content["model"]](**parameters)._restore(content, tensors)


def _as_json(hidden: str | Sequence[int]) -> str | list[int]:
    return hidden if isinstance(hidden, str) else list(hidden)


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

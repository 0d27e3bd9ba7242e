"""The file of a fitted model: safetensors, with JSON in its header; no pickle."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from nme_core.exceptions import RunFolderError


def write_file(
    path: str | os.PathLike[str], content: dict[str, Any], tensors: dict[str, Tensor]
) -> None:
    """Write tensors, and everything else as JSON."""
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    header = {"nme": json.dumps(content, default=np.generic.item)}
    save_file(whole, os.fspath(path), metadata=header)


def read_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Undo `write_file`; RunFolderError if the file is missing or not a model."""
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            content = json.loads(file.metadata()["nme"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise RunFolderError(f"There is no file {os.fspath(path)}.") from None
    except Exception as error:
        raise RunFolderError(f"{os.fspath(path)} is not a saved model ({error}).") from error
    return content, tensors

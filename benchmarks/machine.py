"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
import torch

PACKAGES = (
    "torch", "numpy", "pandas", "numba", "statsmodels", "pytorch-crf", "hyppo", "gpboost",
)  # fmt: skip


def describe() -> str:
    """Processor, memory, threads and versions, as a line of text each."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":")[1].strip() if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} –")
    return "\n".join(
        [
            f"- {model}, {cores} cores, {memory:.0f} GiB, GPU: {device}",
            f"- {platform.system()}, Python {platform.python_version()}, one torch thread",
            f"- {', '.join(found)}",
        ]
    )

"""Compiles what else the first training of an installation would wait for, some twenty seconds.

Numba compiles a kernel at its first use and keeps it on disk. The server lets a process of its own
do that while somebody looks at the first page.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import warnings
from pathlib import Path
from threading import Thread

import nme_core

#: Modules of `nme_core` whose functions are compiled.
KERNELS = (
    "nn.chain_kernel", "nn.chain_marginals", "nn.chain_third", "nn.crf_kernel",
    "independence.kernel_sums",
)  # fmt: skip


def compile_ahead() -> None:
    """Begin to compile in the background, unless that is done."""
    if not all(_is_kept(name) for name in KERNELS):
        quiet = subprocess.DEVNULL
        work = subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=quiet, stdout=quiet, stderr=quiet,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        atexit.register(work.terminate)
        Thread(target=work.wait, daemon=True).start()  # else it stays in the list of processes


def _is_kept(module: str) -> bool:
    """Whether compiled functions of a module lie where Numba keeps them; imports nothing."""
    file = Path(nme_core.__path__[0], *module.split("."))
    folder = os.environ.get("NUMBA_CACHE_DIR") or file.parent / "__pycache__"
    return any(Path(folder).rglob(f"{file.name}.*.nbi"))


def compile_kernels() -> None:
    """Use every kernel once, on a small study."""
    import numpy as np
    import pandas as pd

    from nme_core.estimators import NMECRF
    from nme_core.independence import conditional_test, hsic_test
    from nme_core.simulate.sequences import simulate_dyads

    sample = simulate_dyads(20, 40, missing=0)
    long, roles = sample.long, sample.roles
    X, y, groups = long[roles["features"]], long[roles["outcome"]], long[roles["person"]]
    model = NMECRF((), "transitions").fit(X, y, groups=groups)
    model.predict_proba(X, groups=groups)
    model.predict(X, groups=groups)
    next(model.simulate(X, groups))
    NMECRF((2,), epochs=2).fit(X, y, groups=groups, uncertainty=False)
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 2)))
    hsic_test(x, x[0], reps=99)
    conditional_test(x, x[0], x[[1]], reps=99)


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)
    warnings.simplefilter("ignore")
    compile_kernels()

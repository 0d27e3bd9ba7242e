"""A few kills at chosen steps: whatever is killed, all that is left is whole, or said not to be."""

import os
import warnings
from collections import Counter

import pytest

from benchmarks import kills
from benchmarks.home import at_home

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def killed_at(step: int, what: str) -> bool:
    """Do a piece of work that ends itself before a step of the disk; whether it did."""

    def work(name: str) -> None:
        steps = iter(range(step))

        def counted(real):
            def call(*words, **options):
                if next(steps, None) is None:
                    os.kill(os.getpid(), 9)
                return real(*words, **options)

            return call

        for name_of in ("replace", "rename", "unlink", "mkdir"):
            setattr(os, name_of, counted(getattr(os, name_of)))
        warnings.simplefilter("ignore")
        kills.work(name)

    return not kills.ended(kills.forked(what, work))


@pytest.mark.parametrize(
    ("what", "steps"),
    [(kills.UPLOAD, (2, 6, 9)), (kills.TRAIN, (1, 3, 30)), (kills.DELETE_STUDY, (0, 1))],
)
def test_what_is_killed_leaves_what_is_whole_or_gone(tmp_path, what, steps):
    with at_home(tmp_path / "home"):
        kills.ended(kills.forked(kills.UPLOAD, kills.work))
        for step in steps:
            assert killed_at(step, what)
            found = Counter(kills.look(tmp_path / "home"))
            whole = found["study", "whole"]
            assert whole == (1 if what != kills.DELETE_STUDY else 1 - step), found
            assert found["run", "unfinished"] <= len(steps)
            assert not [kind for kind, state in found if state == "damaged"]

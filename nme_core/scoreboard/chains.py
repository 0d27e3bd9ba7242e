"""Chains of other packages: pytorch-crf with linear emissions, hmmlearn's hidden Markov model."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nme_core.scoreboard.sample import TEST, TRAIN, VALIDATION, Chosen, Floats, Numbers, Sample

#: Strength of the pull of people's biases towards 0, chosen by the validation rows; of weights.
_PULLS, _DECAY = (0.1, 0.3, 1.0, 3.0), 1e-3
#: Score that makes a label certain.
_CERTAIN = 1e4
_STEPS = 60
#: Hidden states, chosen by the validation rows.
_HIDDEN = (2, 3, 4, 5)
_A_LITTLE_MORE_THAN_FLAT = 1.1


def crf_generic(sample: Sample, seed: int) -> Floats:
    """One chain for everybody."""
    return _Chain.fitted(sample, sample.learned, None, seed).losses(sample, TEST)


def crf_bias(sample: Sample, seed: int) -> Floats:
    """A chain whose emission scores have a bias of each person's own, pulled towards 0."""
    watched = {}
    for pull in _PULLS:
        chain = _Chain.fitted(sample, sample.part == TRAIN, pull, seed)
        watched[pull] = np.nansum(chain.losses(sample, VALIDATION))
    best = min(watched, key=lambda pull: watched[pull])
    return _Chain.fitted(sample, sample.learned, best, seed).losses(sample, TEST)


@dataclass
class _Chain:
    """Emission scores x W + b + b_i, and pytorch-crf on top."""

    crf: Any
    weights: Tensor  # (F, K)
    bias: Tensor  # (1 + P, K): everybody's, then what is added for each person

    @classmethod
    def fitted(cls, sample: Sample, chosen: Chosen, pull: float | None, seed: int) -> _Chain:
        torch.manual_seed(seed)
        k, n_people = len(sample.classes), int(sample.person.max()) + 1
        crf = import_module("torchcrf").CRF(k, batch_first=True).double()
        weights = torch.zeros(sample.filled.shape[1], k, dtype=torch.float64, requires_grad=True)
        bias = torch.zeros(1 + n_people, k, dtype=torch.float64, requires_grad=True)
        chain = cls(crf, weights, bias)
        learned = [weights, bias, *crf.parameters()]
        search = torch.optim.LBFGS(learned, max_iter=_STEPS, line_search_fn="strong_wolfe")
        batch = _padded(sample.segments(chosen))

        def loss() -> Tensor:
            search.zero_grad()
            value = -chain.log_paths(sample, batch).sum() + _DECAY * weights.square().sum()
            value = value + (1e6 if pull is None else pull) * bias[1:].square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        search.step(loss)  # type: ignore[no-untyped-call]
        return chain

    def log_paths(self, sample: Sample, batch: Numbers, known: Numbers | None = None) -> Tensor:
        """log p of the labels of each sequence, given those in the columns that are `known`."""
        mask, rows = torch.from_numpy(batch >= 0), np.maximum(batch, 0)
        x, person = torch.from_numpy(sample.filled[rows]), torch.from_numpy(sample.person[rows])
        y = torch.from_numpy(sample.y[rows].astype(np.int64))
        scores = x @ self.weights + self.bias[0] + self.bias[1 + person]
        if known is not None:
            sure = _CERTAIN * nn.functional.one_hot(y[:, 0], len(sample.classes)).double()
            told = torch.from_numpy(known)[:, None]
            scores = torch.cat([torch.where(told, sure, scores[:, 0])[:, None], scores[:, 1:]], 1)
        paths: Tensor = self.crf(scores, y, mask=mask, reduction="none")
        return paths

    @torch.no_grad()
    def losses(self, sample: Sample, part: int) -> Floats:
        """Share in −log p of its segment, given the label before, of each row of a part."""
        segments = sample.segments(sample.part == part)
        before = [sample.before(int(rows[0])) for rows in segments]
        longer = [
            rows if row is None else np.append(row, rows)
            for rows, row in zip(segments, before, strict=True)
        ]
        known = np.array([row is not None for row in before])
        logs = self.log_paths(sample, _padded(longer), known).numpy()
        return _shared(segments, logs, sample.part == part)


def hmm(sample: Sample, seed: int) -> Floats:
    """A hidden Markov model of the labels alone; as many states as predict validation rows best."""
    watched = {}
    for states in _HIDDEN:
        model = _hidden(sample, sample.part == TRAIN, states, seed)
        watched[states] = np.nansum(_hidden_losses(model, sample, sample.part == VALIDATION))
    best = min(watched, key=lambda states: watched[states])
    model = _hidden(sample, sample.learned, best, seed)
    return _hidden_losses(model, sample, sample.test)


def _hidden(sample: Sample, chosen: Chosen, states: int, seed: int) -> Any:
    package = import_module("hmmlearn.hmm")
    logging.getLogger("hmmlearn").setLevel(logging.ERROR)
    flat = _A_LITTLE_MORE_THAN_FLAT
    model = package.CategoricalHMM(
        states, startprob_prior=flat, transmat_prior=flat, emissionprob_prior=flat,
        n_features=len(sample.classes), n_iter=100, random_state=seed,
    )  # fmt: skip
    segments = sample.segments(chosen)
    rows = np.concatenate(segments)
    return model.fit(sample.y[rows][:, None].astype(int), [len(part) for part in segments])


def _hidden_losses(model: Any, sample: Sample, chosen: Chosen) -> Floats:
    """By the difference of the log-likelihoods with and without the segment."""
    segments = sample.segments(chosen)
    logs = np.empty(len(segments))
    for number, rows in enumerate(segments):
        begin = int(np.searchsorted(sample.sequences, sample.sequences[rows[0]]))
        whole = sample.y[begin : rows[-1] + 1][:, None].astype(int)
        first = whole[: rows[0] - begin]
        logs[number] = model.score(whole) - (model.score(first) if len(first) else 0.0)
    return _shared(segments, logs, chosen)


def _shared(segments: list[Numbers], logs: Floats, chosen: Chosen) -> Floats:
    """Each row's share of −log p of its segment, of the chosen rows in their order."""
    found = np.full(len(chosen), np.nan)
    for rows, log in zip(segments, logs, strict=True):
        found[rows] = -log / len(rows)
    return found[chosen]


def _padded(segments: list[Numbers]) -> Numbers:
    """Rows of each sequence, (B, T), −1 after its end."""
    batch = np.full((len(segments), max(map(len, segments))), -1, dtype=np.intp)
    for place, rows in enumerate(segments):
        batch[place, : len(rows)] = rows
    return batch

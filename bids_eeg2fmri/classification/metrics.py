"""How well decisions tell classes apart."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

METRICS = ("accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1", "auc")


def predict(decisions: Float[np.ndarray, "targets units"]) -> Int[np.ndarray, " units"]:
    """Class of every unit: by the sign of the one target of two classes, else the target with the largest value."""
    return (decisions[0] > 0).astype(int) if len(decisions) == 1 else decisions.argmax(axis=0)


def classification_scores(
    truth: Int[np.ndarray, " units"],
    decisions: Float[np.ndarray, "targets units"],
    weights: Float[np.ndarray, " units"] | None = None,
) -> dict[str, float]:
    """The scores of :data:`METRICS`; NaN where a class has no weight.

    Of two classes, class 1 is the positive one. With more, sensitivity, specificity, F1 and AUC are means over the
    classes, each against the rest.

    Parameters
    ----------
    truth
        Class of every unit, 0, 1, ...
    decisions
        One row of decision values for two classes (positive: class 1), else one per class.
    weights
        How often every unit counts; once by default.
    """
    weights = np.ones(len(truth)) if weights is None else np.asarray(weights, float)
    predicted = predict(decisions)
    positives = [1] if len(decisions) == 1 else range(len(decisions))
    rows = [
        (*_rates(truth == positive, predicted == positive, weights), auc(truth == positive, decision, weights))
        for positive, decision in zip(positives, decisions, strict=True)
    ]
    sensitivity, specificity, f1, area = np.mean(rows, axis=0)
    balanced = (sensitivity + specificity) / 2 if len(decisions) == 1 else sensitivity
    accuracy = _share(weights[predicted == truth].sum(), weights.sum())
    values = (accuracy, balanced, sensitivity, specificity, f1, area)
    return {name: float(value) for name, value in zip(METRICS, values, strict=True)}


def auc(
    positive: Int[np.ndarray, " units"],
    decisions: Float[np.ndarray, " units"],
    weights: Float[np.ndarray, " units"] | None = None,
) -> float:
    """Probability that a positive unit has a larger decision value than a negative one; ties count half."""
    weights = np.ones(len(decisions)) if weights is None else weights
    _, rank = np.unique(decisions, return_inverse=True)
    above = np.bincount(rank, weights * positive)
    below = np.bincount(rank, weights * np.logical_not(positive))
    return _share((above * (below.cumsum() - below / 2)).sum(), above.sum() * below.sum())


def _rates(truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    """Sensitivity, specificity and F1."""
    hits, misses = weights[truth & predicted].sum(), weights[truth & ~predicted].sum()
    alarms, rejections = weights[~truth & predicted].sum(), weights[~truth & ~predicted].sum()
    known = hits + misses > 0
    f1 = 2 * hits / (2 * hits + misses + alarms) if known else float("nan")
    return _share(hits, hits + misses), _share(rejections, rejections + alarms), float(f1)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")

"""What came out of a classification, as tables with their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .analysis import EEG, LENGTH, MAJORITY, NOTHING, SYNTHETIC, Classification
from .inference import N_RESAMPLES, TESTED
from .metrics import METRICS, predict
from .view_features import AMPLITUDE, CONNECTIVITY, RESPONSE

_SCORES = {
    "accuracy": "Share of units whose class is predicted.",
    "balanced_accuracy": "Mean over the classes of the share of their units that is predicted: 0.5 by chance with two.",
    "sensitivity": "Share of the positive class that is predicted as such; of more than two classes, the mean of all.",
    "specificity": "Share of the other units that is predicted as such; of more than two classes, the mean of all.",
    "f1": "Harmonic mean of sensitivity and precision; of more than two classes, the mean of all.",
    "auc": "Chance that a unit of the positive class has a larger decision value than another; 0.5 says nothing.",
}
FEATURES = {
    SYNTHETIC: "synthetic BOLD: log amplitude of every parcel and connectivity of networks, or responses to events",
    EEG: "log band power of every electrode in the EEG that the synthetic BOLD was made from",
    LENGTH: "length of the recordings alone",
    NOTHING: "nothing",
}
_BLOCKS = {
    AMPLITUDE: "natural logarithm of the parcel's sd over time",
    CONNECTIVITY: "mean Fisher z of correlations between two networks' parcels",
    RESPONSE: "mean of the parcel weighted by the response expected of the event, in z",
}


def scores_table(result: Classification) -> pd.DataFrame:
    """One row per classifier and kind of features."""
    rows = []
    for scored in result.scored:
        row: dict[str, Any] = {"classifier": scored.classifier, "features": scored.features}
        for name in METRICS:
            low, high = scored.intervals[name]
            row |= {name: scored.scores[name], f"{name}_low": low, f"{name}_high": high}
        row |= {f"{name}_p": scored.p[name] for name in TESTED}
        rows.append(row | {"n_permutations": scored.n_permutations})
    return pd.DataFrame(rows)


def scores_definitions(result: Classification) -> dict[str, Any]:
    """What the columns of :func:`scores_table` mean, and how the analysis was made."""
    definitions: dict[str, Any] = {
        "classifier": {
            "Description": "linear: discriminant with a ridge. polynomial: the same on the features, their squares and "
            "cubes. variational: logistic regression whose weights are normal distributions. siamese: Fourier latent "
            "trained on pairs, contrastive loss with margin pi and cross-entropy. majority: always the most frequent "
            "class."
        },
        "features": {"Levels": FEATURES},
    }
    for name, text in _SCORES.items():
        definitions[name] = {"Description": text}
        for end in ("low", "high"):
            definitions[f"{name}_{end}"] = {
                "Description": f"{end.capitalize()} end of the 95 % interval of {name}: percentiles over "
                f"{N_RESAMPLES} bootstrap samples of people, the decisions staying as they are."
            }
    for name in TESTED:
        definitions[f"{name}_p"] = {
            "Description": f"Share of permuted labellings, the true one among them, whose {name} is as large."
        }
    definitions["n_permutations"] = {"Description": "Permutations drawn; everything was fitted again for each."}
    return {"Analysis": analysis(result), **definitions}


def analysis(result: Classification) -> dict[str, Any]:
    """How a classification was made."""
    problem, units = result.problem, result.units
    names = problem.class_names
    within = problem.within_people
    return {
        "Labels": units.source,
        "Unit": "event" if units.window_s is None else "recording or person",
        "Classes": list(names),
        "PositiveClass": names[1] if len(names) == 2 else "each against the rest",
        "UnitsPerClass": np.bincount(problem.classes, minlength=len(names)).tolist(),
        "PeoplePerClass": [len(np.unique(problem.people[problem.classes == number])) for number in range(len(names))],
        "People": len(problem.people_names),
        "Folds": problem.folds,
        "CrossValidation": "Over people, with all of their recordings; penalties are chosen by cross-validation over "
        "the training people of each fold, by AUC.",
        "Permutations": "Labels are permuted within people." if within else "Labels are permuted between people.",
        "WindowSeconds": units.window_s,
    }


def predictions_table(result: Classification) -> pd.DataFrame:
    """One row per unit: its class, and what every classifier made of it when fitted to other people."""
    problem = result.problem
    names = np.array(problem.class_names)
    columns: dict[str, Any] = {
        "unit": [unit.name for unit in result.units.units],
        "participant_id": [unit.person for unit in result.units.units],
        "label": names[problem.classes],
    }
    for scored in result.scored:
        if scored.classifier == MAJORITY:
            continue
        stem = f"{scored.classifier}_{scored.features}"
        columns[stem] = names[predict(scored.decisions)]
        if len(scored.decisions) == 1:
            columns[f"{stem}_decision"] = scored.decisions[0]
    return pd.DataFrame(columns)


def predictions_definitions(result: Classification) -> dict[str, Any]:
    """What the columns of :func:`predictions_table` mean."""
    definitions: dict[str, Any] = {
        "unit": {"Description": "What is classified: a person, a recording, or an event of a recording."},
        "participant_id": {"Description": "Whose it is."},
        "label": {"Description": f"True class: {result.units.source}."},
    }
    for column in predictions_table(result).columns[3:]:
        text = "Class predicted by a classifier fitted to other people."
        if column.endswith("_decision"):
            text = f"Decision value; above zero it predicts {result.problem.class_names[1]}."
        definitions[column] = {"Description": text}
    return definitions


def pattern_table(result: Classification) -> pd.DataFrame:
    """One row per feature of the synthetic BOLD: correlation with the linear decision, and means of the classes."""
    pattern = result.pattern
    columns: dict[str, Any] = {"feature": pattern.names, "block": pattern.blocks}
    for label, values in zip(pattern.classes, pattern.correlation, strict=True):
        columns[f"pattern_{label}"] = values
    for label, values in zip(result.problem.class_names, pattern.means, strict=True):
        columns[f"mean_{label}"] = values
    return pd.DataFrame(columns)


def pattern_definitions(result: Classification) -> dict[str, Any]:
    """What the columns of :func:`pattern_table` mean."""
    definitions: dict[str, Any] = {
        "feature": {"Description": "Parcel, or pair of networks."},
        "block": {"Levels": {block: _BLOCKS[block] for block in dict.fromkeys(result.pattern.blocks)}},
    }
    for label in result.pattern.classes:
        definitions[f"pattern_{label}"] = {
            "Description": f"Correlation over units with the decision for {label} of the linear classifier fitted to "
            "everybody (pattern of Haufe et al. 2014): where the decision comes from, not whether it is right."
        }
    for label in result.problem.class_names:
        definitions[f"mean_{label}"] = {"Description": f"Mean over the people of {label}."}
    return definitions

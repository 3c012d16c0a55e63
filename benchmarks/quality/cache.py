"""Names of cached files: they change with everything that the files depend on, and not with the model's weights."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

import bids_eeg2fmri
from bids_eeg2fmri.network.neuralfield import NeuralFieldConfig

_PACKAGE = Path(bids_eeg2fmri.__file__).parent
_BENCHMARK = Path(__file__).parent
_ROOTS = ("learning.simulated", "learning.recorded", "learning.altered_eeg", "phantom.neural_mass")
# They count, but what they import does not: models, their training and their scores.
_LEAVES = ("learning.baselines",)
# What examples take from them are names and the shape of the features, which have a place in the digest.
_LEFT_OUT = frozenset({"network.neuralfield", "network.novelty"})
_OWN = ("people.py", "conditions.py", "oracle.py")


def digest(config: NeuralFieldConfig) -> str:
    """Short name of the features' specification and of the code that simulates people and computes features."""
    shape = (config.n_parcels, config.n_bands, tuple(config.peaks_s), tuple(config.widths_s))
    return hashlib.sha256(repr((shape, _source_digest())).encode()).hexdigest()[:10]


@lru_cache(maxsize=1)
def _source_digest() -> str:
    found = {name: _PACKAGE.joinpath(*name.split(".")).with_suffix(".py") for name in _LEAVES}
    waiting = list(_ROOTS)
    while waiting:
        name = waiting.pop()
        path = _PACKAGE.joinpath(*name.split(".")).with_suffix(".py")
        if name in found or name in _LEFT_OUT or not path.is_file():
            continue
        found[name] = path
        waiting += imported(path.read_text("utf-8"), name)
    files = [found[name] for name in sorted(found)] + [_BENCHMARK / name for name in _OWN]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def imported(source: str, module: str) -> list[str]:
    """Modules of the package that a module imports relatively, by names such as ``"eeg.recording"``.

    Parameters
    ----------
    source
        Its text.
    module
        Its own name.
    """
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = module.split(".")[: -node.level]
            target = [*base, *(node.module or "").split(".")] if node.module else base
            names.append(".".join(target))
            names += [".".join([*target, alias.name]) for alias in node.names]
    return names

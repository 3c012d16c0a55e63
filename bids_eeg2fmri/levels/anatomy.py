"""Whose anatomy goes beside the synthetic BOLD: the person's own, the template's, or nobody's."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..settings import Settings
from .attempt import failed
from .logs import RunLogs
from .summary import Outcome

logger = logging.getLogger(__name__)


def provide_anatomy(outcomes: Sequence[Outcome], settings: Settings, logs: RunLogs) -> list[Outcome]:
    """Give everybody with outputs the anatomy that was asked for; return the failures to do so.

    Parameters
    ----------
    outcomes
        What became of the recordings.
    settings, logs
        What was asked for, and where failures are written down.
    """
    if not (settings.derivatives or settings.template_anat):
        return []
    faults = []
    for subject in sorted({outcome.subject for outcome in outcomes if outcome.status in ("written", "done")}):
        try:
            _provide(subject, settings)
        except Exception as error:
            faults.append(failed(f"sub-{subject}_anat", subject, None, error, settings, logs))
    return faults


def _provide(subject: str, settings: Settings) -> None:
    from ..bids.anatomy_files import find_anatomy
    from ..derivatives.anatomy import link_anatomy, lost_anatomy, write_stand_in

    found = find_anatomy(settings.derivatives, subject)
    if found is not None and not found.missing:
        link_anatomy(settings.output_dir, subject, found)
        logger.debug("sub-%s: anatomy linked from %s", subject, found.folder)
        return
    if found is not None:
        logger.warning(
            "sub-%s: anatomy not linked: %s lacks %s (or its content).",
            subject,
            found.folder,
            ", ".join(found.missing),
        )
    if _needs_stand_in(subject, settings):
        write_stand_in(settings.output_dir, subject)
        logger.debug("sub-%s: the template stands in for anatomy", subject)
    elif settings.template_anat and (lost := lost_anatomy(settings.output_dir, subject)):
        logger.warning(
            "sub-%s: links to anatomy lead nowhere; give --derivatives again, or remove %s to have the template.",
            subject,
            ", ".join(map(str, lost)),
        )


def planned_anatomy(subject: str, settings: Settings) -> str | None:
    """Where :func:`provide_anatomy` would take a person's anatomy from; ``None`` from nowhere."""
    from ..bids.anatomy_files import find_anatomy

    found = find_anatomy(settings.derivatives, subject)
    if found is not None and not found.missing:
        return str(found.folder)
    return "the template" if _needs_stand_in(subject, settings) else None


def _needs_stand_in(subject: str, settings: Settings) -> bool:
    from ..derivatives.anatomy import has_own_anatomy

    return settings.template_anat and not has_own_anatomy(settings.output_dir, subject)

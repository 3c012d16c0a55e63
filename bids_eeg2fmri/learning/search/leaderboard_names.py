"""Names of a search's files beside the model."""

from __future__ import annotations

TABLE_NAME, JSON_NAME, PICTURE_NAME = "leaderboard.tsv", "leaderboard.json", "leaderboard.svg"

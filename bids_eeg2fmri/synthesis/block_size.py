"""How many volumes are predicted at once."""

from __future__ import annotations

VOLUMES_PER_BLOCK = 64
# With --low-mem.
LOW_MEMORY_VOLUMES = 16

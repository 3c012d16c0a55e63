#!/bin/bash
# Every person of a dataset as a task of one array, and when all have ended, the group level:
#     submit.sh BIDS_DIR OUTPUT_DIR [OPTION OF THE PARTICIPANT LEVEL...]
set -euo pipefail
bids=$(realpath "$1") out=$(realpath -m "$2")
shift 2
job=$(dirname "$(realpath "$0")")/eeg2fmri.sbatch

people=("$bids"/sub-*/)
array=$(sbatch --parsable --array="0-$((${#people[@]} - 1))" "$job" "$bids" "$out" participant "$@")
group=$(sbatch --parsable --dependency="afterany:$array" "$job" "$bids" "$out" group)
echo "$array $group"

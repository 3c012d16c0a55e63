#!/bin/bash
# A dask scheduler and its workers on this machine, until they are interrupted:
#     dask-scheduler.sh SCHEDULER_FILE N_WORKERS [NETWORK_INTERFACE]
# Workers of other machines join with the same `dask worker` line.
set -euo pipefail
file=$1 workers=$2
network=(${3:+--interface "$3"})
trap 'kill $(jobs -p) 2> /dev/null; wait' EXIT

# The file of an earlier scheduler would lead the workers astray.
rm -f "$file"
dask scheduler --scheduler-file "$file" --port 0 --no-dashboard "${network[@]}" &
scheduler=$!
while [ ! -s "$file" ]; do
    kill -0 "$scheduler" 2> /dev/null || exit 1
    sleep 0.2
done
for _ in $(seq "$workers"); do
    dask worker --scheduler-file "$file" --nthreads 1 --memory-limit 0 --no-dashboard "${network[@]}" &
done
wait

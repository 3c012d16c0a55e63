"""Where a run of the program spends its time, seen from outside: nothing in the package knows of it."""

# Two commands on a fresh machine: `make demo` and `make test`. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint typecheck layers docs container-test hpc-test lock clean

$(BIN)/bids-eeg2fmri: requirements/build.lock requirements/run.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/build.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.test: $(BIN)/bids-eeg2fmri requirements/test.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/test.lock
	@touch $@

demo: $(BIN)/bids-eeg2fmri
	$(BIN)/bids-eeg2fmri examples/ds-eegmat demo-output participant --work-dir demo-work
	$(BIN)/bids-eeg2fmri examples/ds-eegmat demo-output group --work-dir demo-work
	@echo "Reports: $(CURDIR)/demo-output/group.html" $(CURDIR)/demo-output/sub-*.html

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(VENV)/.test
	$(BIN)/mypy

layers: $(VENV)/.test
	$(BIN)/lint-imports

docs: $(VENV)/.test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Site: $(CURDIR)/build/site/index.html"

# Not part of the gate: builds the image and runs it, which needs root, buildah, podman and runc, and takes 10 minutes.
container-test: $(VENV)/.test
	CONTAINER_TEST=1 $(BIN)/python -m pytest tests/container -v -o log_cli=true -o log_cli_level=INFO -o log_cli_format="%(message)s"

# Not part of the gate: arrays and lost jobs on a real Slurm of this machine, which needs root; takes 5 minutes.
hpc-test: $(VENV)/.test
	HPC_TEST=1 $(BIN)/python -m pytest tests/hpc -v -s

lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra dask pyproject.toml -o requirements/run.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra dask --extra test --extra docs -c requirements/run.lock pyproject.toml -o requirements/test.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra dask --extra cuda12 -c requirements/run.lock pyproject.toml -o requirements/cuda12.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate -c requirements/test.lock requirements/build.in -o requirements/build.lock

clean:
	rm -rf demo-output demo-work build $(VENV)

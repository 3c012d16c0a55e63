# Two commands on a fresh machine: `make demo` and `make test`. See README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint typecheck layers lock clean

$(BIN)/bids-eeg2fmri: requirements/run.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==0.13.9
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
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

lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/run.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra test -c requirements/run.lock pyproject.toml -o requirements/test.lock

clean:
	rm -rf demo-output demo-work $(VENV)

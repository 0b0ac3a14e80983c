# make lecture: set everything up and open the app to the local network, to look at and not to touch.
# make app: set everything up and open the app. make test: set everything up and run all tests.
# make test-hard: faults, fuzz, load and cluster in full. make soak: an hour of use. make audit: known vulnerabilities.
# Without make: pip install -r requirements.txt, then streamlit run app.py.

PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)
# Tests that drive a browser, and those that wait for processes of their own, run file by file on two processors, apart
# from each other; the others as they come. Of those that wait, the longest files begin, so that both end together.
BROWSER := tests/browser
WAITING := tests/hard/test_faults.py tests/runs/test_processes.py tests/test_cli.py tests/hard \
	tests/runs/test_measuring_processes.py

.PHONY: app lecture test test-hard soak bench audit pictures clean

app: .venv/app
	$(BIN)/streamlit run app.py

lecture: .venv/app
	$(BIN)/python -m samviz.ui.lecture

test: .venv/dev .venv/programs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 $(addprefix --ignore=,$(BROWSER) $(WAITING))
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(WAITING)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile $(BROWSER)

test-hard: .venv/dev .venv/programs
	$(BIN)/python -m tests.hard.load
	$(BIN)/python -m tests.hard.watch
	$(BIN)/python -m tests.hard.faults
	$(BIN)/python -m tests.hard.fuzz
	$(BIN)/python -m tests.hard.cluster
	$(BIN)/python -m tests.hard.two_machines

soak: .venv/dev
	$(BIN)/python -m tests.hard.soak

# Known vulnerabilities of the pinned packages; needs the network, and gates no build.
audit: .venv/dev
	$(BIN)/python -m tests.audit

bench: .venv/dev
	$(BIN)/python -m tests.bench

pictures: .venv/dev
	$(BIN)/python -m tests.pictures

# What the tests of the store, of faults and of clocks drive, from the system's packages: on Debian they are installed.
.venv/programs: .venv/dev
	ls /usr/lib/postgresql/*/bin/postgres && command -v strace && command -v faketime || \
	$(SUDO) apt-get install -y -q --no-install-recommends postgresql strace faketime
	touch $@

clean:
	rm -rf .venv

.venv/app: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

# The browser tests drive the system's Chromium or Chrome; where there is none, Playwright's own is fetched.
.venv/dev: requirements-dev.txt requirements-cluster.txt .venv/app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	command -v chromium || command -v chromium-browser || command -v google-chrome || $(BIN)/playwright install chromium
	touch $@

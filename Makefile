# The work on adiz, by name. `make` alone lists the targets.
#
# Every target makes what it needs: `.venv` in this folder, with the packages of requirements.lock
# (versions and hashes fixed) and adiz built from this source. It is made again only when the lock,
# the build or the kernels change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
FRAMES ?= 10000000
OUT := out
KERNELS := $(wildcard src/adiz/*/*.c src/adiz/*/*.h src/adiz/*/*.px[id] src/adiz/*/*.pyx)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test check proofs fuzz kills kafka bench docs dist lock clean

help:
	@echo "make demo    find the stays of a real aircraft, draw the map, write the dossier of 2019"
	@echo "make test    all tests"
	@echo "make check   style, types, layering, documentation in step with the code"
	@echo "make proofs  the tests against independent methods again, far more cases"
	@echo "make fuzz    mutated frames against the decoders of feeds, FRAMES=10000000 a format (hours)"
	@echo "make kafka   a real Kafka for the tests of that feed (46 MB; needs Java and Maven)"
	@echo "make kills   end the watch with kill -9 a thousand times and compare (an hour)"
	@echo "make bench   speed beside other tools (20 minutes; benchmarks/README.md)"
	@echo "make docs    run the examples of the documentation, draw its pictures anew"
	@echo "make dist    a wheel, and the proof that it runs where there is no compiler"
	@echo "make lock    settle requirements.lock anew, after a change of dependencies"
	@echo "make clean   remove what was made, except .venv"

# ---- environment ---------------------------------------------------------------------------------

$(VENV)/.packages: requirements.lock requirements-compiler.lock
	@$(PYTHON) tools/check_machine.py
	@echo "Making $(VENV): downloads about 200 MB the first time, then takes a minute or two."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes -r requirements.lock
	@command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || { \
	  echo "No C compiler here: taking the one in the Python package ziglang."; \
	  $(PIP) install --require-hashes -r requirements-compiler.lock; }
	@touch $@

$(VENV)/.adiz: $(VENV)/.packages pyproject.toml setup.py $(KERNELS)
	@echo "Compiling the kernels of adiz."
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# ---- what users do -------------------------------------------------------------------------------

demo: $(VENV)/.adiz
	@BIN=$(BIN) OUT=$(OUT) sh tools/demo.sh

# ---- what developers do --------------------------------------------------------------------------

test: $(VENV)/.adiz
	@$(BIN)/pytest -q -n $(JOBS) --dist loadfile

check: $(VENV)/.adiz
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/contract

proofs: $(VENV)/.adiz
	ADIZ_WORLDS=200 ADIZ_ALIBI_CASES=20000 ADIZ_FUZZ_ROUNDS=2000 $(BIN)/pytest -q -n $(JOBS) tests/oracle \
	  tests/unit/test_read_damage.py
	ADIZ_HYPOTHESIS=long $(BIN)/pytest -q -n $(JOBS) tests/property

fuzz: $(VENV)/.adiz
	POLARS_MAX_THREADS=1 nice -n 15 $(BIN)/python -m tools.fuzz_feeds --frames $(FRAMES)

kafka: $(VENV)/.packages
	mvn --quiet --batch-mode --file tests/kafka/pom.xml dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/$(VENV)/kafka

kills: $(VENV)/.adiz
	ADIZ_KILLS=100 nice -n 15 $(BIN)/pytest -q tests/property/test_watch_kills.py
	nice -n 15 $(BIN)/python tools/kill_watch.py --kills 1000 --out benchmarks/results/kills.md

bench: $(VENV)/.adiz
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/encounters.py --sizes 1000000 10000000

docs: $(VENV)/.adiz
	@$(BIN)/python -m tests.pages README.md docs/tutorial/first-stays.md
	@$(BIN)/pytest -q tests/contract tests/unit/test_read_guide.py
	@$(BIN)/python tools/make_pictures.py

dist: $(VENV)/.adiz
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation --wheel >$(VENV)/build.log 2>&1 || { cat $(VENV)/build.log; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)/wheel
	@CC=/bin/false PATH=/nowhere $(VENV)/wheel/bin/python -m pip --disable-pip-version-check --quiet \
	  install --only-binary :all: dist/*.whl
	@cd dist && CC=/bin/false PATH=/nowhere ../$(VENV)/wheel/bin/adiz stays \
	  ../src/adiz/data/c2a-san-diego-2020-09.parquet --zones US-CONUS-2
	@echo "It installs and runs without a compiler: $$(ls dist/*.whl)"

lock:
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
	  --extra dev --output-file requirements.lock pyproject.toml
	echo 'ziglang>=0.13' | $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	  --no-annotate --python-version 3.11 --output-file requirements-compiler.lock -

clean:
	rm -rf build dist $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src -name '*.so' -delete
	rm -f $(VENV)/.adiz

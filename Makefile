# Every target makes the environment it needs. `make` alone lists the targets.

# The interpreter the environments are made from.
PYTHON ?= python3
# Processes that run tests at once: one a core that this process may use (nproc), or that there is.
JOBS ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# For `make compat`: names of subjects (`python -m compat_tests --list`); ARGS are further arguments,
# for `make bench` too.
SUBJECTS ?=
ARGS ?=

# Subjects that need other frameworks.
PEERS := all keras% torch% jax% onnx% openvino% litert%

# Files of compat_tests that compute, by the family of cases.
FAMILIES := axis explicit plane channels dtype layout edge gradient dynamic models capability layer

# The lowest TensorFlow and Keras that setup.cfg allows; TensorFlow 2.16 brings NumPy 1.
OLDEST := 'tensorflow==2.16.*' 'keras==3.0.5'

VENV := .venv
VENV_OLDEST := .venv-oldest
PY := $(VENV)/bin/python
PY_OLDEST := $(VENV_OLDEST)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
# Tests that share what is costly to make name a group, which one process runs.
PYTEST := -m pytest --numprocesses $(JOBS) --dist loadgroup
VERSION = $(shell sed -n 's/^version = //p' setup.cfg)

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# One environment is shared by most targets, and two pips at once would spoil it.
.NOTPARALLEL:

# Hide what TensorFlow logs at start, unless asked for.
export TF_CPP_MIN_LOG_LEVEL ?= 2

# Run by the interpreter in question, whichever it is: says in one sentence why it will not do.
define CHECK_PYTHON
import os, sys
folder, last, what = sys.argv[1:]
version = sys.version_info[:2]
if not (3, 10) <= version <= (3, int(last)):
    sys.exit("%s needs Python 3.10 to 3.%s, but this is Python %d.%d: "
             "name another interpreter with PYTHON=..." % ((what, last) + version))
if os.path.isdir(folder) and not os.path.isdir(folder + "/lib/python%d.%d" % version):
    sys.exit("%s was made from another Python than %d.%d: "
             "run 'make distclean' to have it made again" % ((folder,) + version))
endef
export CHECK_PYTHON

# $(call interpreter,ENVIRONMENT): what will run there: PYTHON if the caller named one or there is
# no environment yet, else what the environment was made from.
interpreter = $(or $(if $(filter file,$(origin PYTHON)),$(and $(realpath $(1)/bin/python),$(1)/bin/python)),$(PYTHON))

##@ Using it

.PHONY: help
help: ## list the targets (the default)
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "%s%s\n", (n++ ? "\n" : ""), substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: env
env: $(VENV)/.stamp-dev ## make .venv: the library in editable form, with all developer tools

.PHONY: compat
compat: $(VENV)/.stamp-$(if $(filter $(PEERS),$(SUBJECTS)),compat,suite) ## run the compatibility suite (SUBJECTS, ARGS), then the photograph
	@echo '$(PY) -m compat_tests $(addprefix --subject ,$(SUBJECTS)) $(ARGS)'; status=0; \
	$(PY) -m compat_tests $(addprefix --subject ,$(SUBJECTS)) \
		--json build/compat.json --html build/compat.html $(ARGS) || status=$$?; \
	if [ $$status != 130 ]; then $(PY) examples/photograph.py || status=$$(( status ? status : $$? )); fi; \
	exit $$status

.PHONY: bench
bench: $(VENV)/.stamp-bench ## time ours against TensorFlow's op (ARGS: tf-tconv bench --help; --peers for other frameworks)
	@mkdir -p build
	$(VENV)/bin/tf-tconv bench --json build/bench.json --markdown build/bench.md --plot build/bench.png $(ARGS)

.PHONY: bench-scaling
bench-scaling: $(VENV)/.stamp-bench ## plot time against stride, kernel, channels and size
	@mkdir -p build
	$(VENV)/bin/tf-tconv bench --scaling build/scaling.png $(ARGS)

.PHONY: notebooks
notebooks: $(VENV)/.stamp-notebooks ## execute every notebook on a clean kernel (ARGS=--check compares instead of writing)
	$(PY) notebooks/build_notebooks.py $(ARGS)

.PHONY: docs
docs: $(VENV)/.stamp-docs ## build the documentation site, build/site/index.html, and check its links
	$(PY) docs/build_site.py

##@ Checking it

.PHONY: test
test: $(VENV)/.stamp-dev ## run the tests of every change, JOBS at a time (default: one a core)
	$(PY) $(PYTEST) -m "not peers and not exhaustive"

.PHONY: test-all
test-all: test test-peers test-oldest test-no-onednn test-every-lowering ## run every test that there is, in each environment

.PHONY: test-fast
test-fast: $(VENV)/.stamp-dev ## run those of them not marked slow
	$(PY) $(PYTEST) -m "not slow and not peers and not exhaustive"

.PHONY: test-slow
test-slow: $(VENV)/.stamp-dev ## run those of them marked slow
	$(PY) $(PYTEST) -m "slow and not peers and not exhaustive"

.PHONY: test-oldest
test-oldest: $(VENV_OLDEST)/.stamp-test ## run the tests marked neither slow nor peers on the oldest TensorFlow allowed
	$(PY_OLDEST) $(PYTEST) -m "not slow and not peers and not exhaustive"

.PHONY: test-peers
test-peers: $(VENV)/.stamp-dev $(VENV)/.stamp-compat ## run the tests of the other frameworks' adapters, with all of them installed
	COMPAT_PEERS=required $(PY) $(PYTEST) -m "peers and not exhaustive"

.PHONY: test-no-onednn
test-no-onednn: $(VENV)/.stamp-dev ## run what depends on TensorFlow's kernels, slow or not, without oneDNN
	TF_ENABLE_ONEDNN_OPTS=0 $(PY) $(PYTEST) -k "not xla" -m "not peers and not exhaustive" \
		tests/test_cells.py tests/test_illegal_calls.py tests/test_run_time_sizes.py \
		tests/test_differentiation.py $(FAMILIES:%=compat_tests/test_%.py)

.PHONY: test-every-lowering
test-every-lowering: $(VENV)/.stamp-dev ## judge every lowering in TensorFlow on every case of the suite
	$(PY) $(PYTEST) -m exhaustive

.PHONY: faults
faults: $(VENV)/.stamp-dev ## plant small faults in copies of the library, and list which test catches each
	$(PY) -m tools.plant_faults --jobs $(JOBS) --json build/faults.json --markdown build/faults.md $(ARGS)

.PHONY: explorer-test
explorer-test: $(VENV)/.stamp-dev ## drive docs/explorer.html in Debian's Chromium, which has to be installed
	$(PY) docs/build_explorer.py --check
	COMPAT_BROWSER=required $(PY) -m pytest tests/explorer

.PHONY: lint
lint: $(VENV)/.stamp-dev ## check style, formatting and types
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

.PHONY: wheel-test
wheel-test: $(VENV)/.stamp-dev ## build sdist and wheel, and try the wheel alone in a fresh environment
	rm -rf dist
	$(PY) -m build --quiet
	@set -euo pipefail; scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	mkdir "$$scratch/empty"; \
	$(PY) -m venv "$$scratch/venv"; \
	echo "installing dist/*.whl alone"; \
	"$$scratch/venv/bin/python" $(PIP_INSTALL) dist/*.whl; \
	cd "$$scratch/empty"; \
	"$$scratch/venv/bin/python" -I - "$$scratch/venv" $(VERSION) < "$(CURDIR)/.ci/check_installed.py"

##@ Tidying it

.PHONY: format
format: $(VENV)/.stamp-dev ## put the code into the form that lint asks for
	$(PY) -m ruff check --fix-only
	$(PY) -m ruff format

.PHONY: clean
clean: ## remove builds and caches
	rm -rf build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path './.*' -prune -o -type d -name __pycache__ -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## remove the environments too
	rm -rf $(VENV) $(VENV_OLDEST)

# Environments. A stamp records an extra as installed; it is made again when the extra may differ.

$(VENV)/.stamp-%: setup.cfg pyproject.toml | $(PY)
	$(PY) $(PIP_INSTALL) --editable '.[$*]'
	@touch $@

$(VENV_OLDEST)/.stamp-%: setup.cfg pyproject.toml | $(PY_OLDEST)
	$(PY_OLDEST) $(PIP_INSTALL) --editable '.[$*]' $(OLDEST)
	@touch $@

$(PY): | python-version
	$(PYTHON) -m venv --clear $(VENV)

$(PY_OLDEST): | python-version-oldest
	$(PYTHON) -m venv --clear $(VENV_OLDEST)

.PHONY: python-version python-version-oldest
python-version:
	@$(call interpreter,$(VENV)) -c "$$CHECK_PYTHON" $(VENV) 13 tf_tconv

python-version-oldest:
	@$(call interpreter,$(VENV_OLDEST)) -c "$$CHECK_PYTHON" $(VENV_OLDEST) 12 "TensorFlow 2.16"

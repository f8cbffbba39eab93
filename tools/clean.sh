#!/usr/bin/env bash
# Leaves the machine as it was before make demo and make test: make clean.
# What stays: Debian packages that were installed on the way, Docker Engine among them.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# The data that they protect goes now. The last two are of demos made before: no playbook stumbles over a vault it cannot read.
rm -f inventories/local/group_vars/all/{secrets.yml,.secrets.yml.new,vault.yml} .demo-vault-password

uninstall() {
  .venv/bin/ansible-playbook -i inventories/local playbooks/uninstall.yml -e confirm=yes -e wa_remove_data=true \
    -e wa_remove_database=waentDatabase
}

remove_images() {
  # Each of them whatever becomes of the others; step ends here with the code, as nothing in a condition ends by itself.
  local failed=0
  .venv/bin/python emulator/build.py --remove || failed=1
  remove_images_labelled waent.fleet.test || failed=1
  docker volume ls --quiet --filter label=waent.fleet.test | xargs --no-run-if-empty docker volume rm >/dev/null || failed=1
  [ "$failed" = 0 ] || echo "Not clean: what stands above is still there. Fix that and run make clean again." >&2
  return "$failed"
}

if timeout 30 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then
  step "Python environment" tools/venv.sh demo
  step "Cluster" uninstall
  step "Images" remove_images
else
  echo "No Docker Engine answers, so there is nothing of the demo in one."
fi
rm -rf .venv .cache .ansible .pytest_cache .mypy_cache .ruff_cache .hypothesis
find . -name __pycache__ -type d -prune -exec rm -rf {} +
echo "Clean. Debian packages that were installed on the way (docker.io, mmdebstrap ...) stay: remove them with apt-get if you like."

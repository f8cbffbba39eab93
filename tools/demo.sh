#!/usr/bin/env bash
# From nothing to a healthy cluster on this machine: make demo. Run again, it changes nothing and takes seconds.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

started=$(now_ms)
echo "A cluster of the WhatsApp Business On-Premises API client, with emulated images, on this machine"
step "Python environment" tools/venv.sh demo
step "Docker Engine" tools/engine.sh
step "Images" .venv/bin/python emulator/build.py
step "Secrets" .venv/bin/python tools/demo_secrets.py
echo "Cluster"
[ -t 1 ] && export ANSIBLE_FORCE_COLOR=1
site_started=$(now_ms)
.venv/bin/ansible-playbook -i inventories/local playbooks/site.yml ||
  die "The cluster is not complete: the failed task above says why. Fix the cause and run make demo again, or make clean to start over."
printf '%-24s%s\n' "  Cluster" "$(seconds_since "$site_started")"
printf '%-24s%s\n' "All of it" "$(seconds_since "$started")"
cat <<'END'

What to try next:
  .venv/bin/ansible-playbook playbooks/status.yml    the table again, read from the running cluster
  docker kill wa-coreapp-1                           take a coreapp away: within 35 s the table names the other one as owner,
                                                     and make demo brings the lost one back
  make clean                                         remove the demo
END

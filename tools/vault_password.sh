#!/bin/sh
# Prints the password of the demo's vault; the word none where there is no demo, so that everything without a vault works.
cat "$(dirname "$0")/../.demo-vault-password" 2>/dev/null || echo none

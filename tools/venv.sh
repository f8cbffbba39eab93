#!/usr/bin/env bash
# Makes .venv hold the pinned packages of one set: tools/venv.sh demo|test
# Does nothing, in milliseconds, while the set's lock file is the one that was installed last.
# The import path that pyproject.toml gives to pytest is given to every program of .venv, so that the collection has its full name in
# scripts too.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

set_name=${1:?usage: tools/venv.sh demo|test}
lock=requirements/$set_name.txt
[ -f "$lock" ] || die "There is no $lock: the sets are demo and test."
needed=$(sha256sum "$lock")
stamp=.venv/.installed-$set_name
import_path=.venv/.import-path

# A path file of Python: what is relative in it is so to its own directory, so that the checkout may be moved.
write_import_path() {
  [ "$import_path" -nt pyproject.toml ] && return
  .venv/bin/python - <<'PYTHON'
import os, pathlib, sysconfig, tomllib
paths = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["pythonpath"]
packages = pathlib.Path(sysconfig.get_path("purelib"))
lines = [os.path.relpath(path, packages) + "\n" for path in paths]
packages.joinpath("checkout.pth").write_text("".join(lines))
PYTHON
  touch "$import_path"
}

if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$needed" ]; then
  write_import_path
  exit 0
fi

# usable PYTHON: it runs (a pyenv shim may not) and is a version that ansible-core 2.19 runs on.
usable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }
# complete PYTHON: it can make a virtual environment; Debian packs that apart.
complete() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
  local candidate found=""
  for candidate in python3.11 /usr/bin/python3.11 python3.12 python3.13 python3 /usr/bin/python3; do
    usable "$candidate" || continue
    if complete "$candidate"; then
      command -v "$candidate"
      return
    fi
    found=${found:-$candidate}
  done
  [ -n "$found" ] || die "Python 3.11, 3.12 or 3.13 is needed and none was found: install one (on Debian 12: apt-get install python3-venv)."
  install_packages "Making .venv" "python3-venv" >&2
  complete "$found" || die "$found cannot make virtual environments: install the venv package that belongs to it."
  command -v "$found"
}

if ! usable .venv/bin/python; then
  python=$(find_python)
  echo "making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
fi

count=$(grep -c == "$lock")
echo "installing $count pinned packages"
rm -f .venv/.installed-*
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Not byte-compiling the 20,000 files of the package "ansible" up front saves three quarters of the time;
# Python compiles what it imports.
if ! .venv/bin/python -m pip --require-virtualenv --disable-pip-version-check --no-input \
  install --quiet --no-compile --no-deps -r "$lock" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  die "The packages of $lock could not be installed: see the lines above."
fi
write_import_path
echo "$needed" >"$stamp"
# The test set holds the demo's packages too.
[ "$set_name" = test ] && sha256sum requirements/demo.txt >.venv/.installed-demo
exit 0

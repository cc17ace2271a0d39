#!/usr/bin/env bash
# Proves what sizing, bounty, stress cover and flow promise, for every parameter set that the engine accepts, with z3 from PyPI; and
# compares the examples that the engine is tested on with the model that was proved. With --write it writes them.
set -euo pipefail
cd "$(dirname "$0")/.."
version=5.4.1.0
home=${BREAKWATER_CACHE:-$HOME/.cache/breakwater}/z3-$version
figures=${BREAKWATER_ASSURANCE:-$PWD/target/assurance}

if [[ ! -f $home/.installed ]]; then
  if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
    command -v apt-get >/dev/null || { echo "smt: needs Python 3 with venv" >&2; exit 1; }
    root=()
    [[ $(id -u) == 0 ]] || root=(sudo)
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends python3-venv >/dev/null
  fi
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check "z3-solver==$version"
  touch "$home/.installed"
fi
mkdir -p "$figures"
export PYTHONDONTWRITEBYTECODE=1
"$home/bin/python" scripts/smt/vectors.py "$@"
"$home/bin/python" scripts/smt/prove.py "$figures/smt.json"

#!/usr/bin/env bash
# Installs what clients/js needs, and runs its npm scripts of the names given.
set -euo pipefail
cd "$(dirname "$0")/../clients/js"
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null ||
  { echo "clients/js needs Node 20.19 or newer: https://nodejs.org" >&2; exit 1; }
# npm leaves its own list there; installed anew only when the committed one is newer.
[[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci --no-audit --no-fund --loglevel=error
for script; do npm run --silent "$script"; done

#!/usr/bin/env bash
# solders 0.26.0, the newest that anchorpy 0.21.0 can be installed with, and 0.29.0 (PyPI): getSignatureStatuses.
#
# Expected: the statuses of two transactions, of which one failed with BorshIoError, a program error like any other.
# Happens: the error is written as {"BorshIoError": "Unknown"} by the types up to solana-instruction 2.3, and as
#   "BorshIoError" by those since. 0.26 refuses the new form and 0.29 the old, and not that entry but the whole answer:
#   "data did not match any variant of untagged enum Resp". Two nodes of different age need two versions.
# Matters: a keeper asks for the statuses of up to 256 transactions at once. One of them that failed so, anyone's
#   instruction with data that could not be read, hides the outcome of all, and the message names neither the
#   transaction nor the error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
for version in 0.26.0 0.29.0; do
  python3 -m venv "$version"
done
0.26.0/bin/pip install --quiet --disable-pip-version-check anchorpy==0.21.0 solders==0.26.0
0.29.0/bin/pip install --quiet --disable-pip-version-check solders==0.29.0
cat > run.py <<'PY'
import json
import sys
from importlib.metadata import version

from solders.rpc.responses import GetSignatureStatusesResp


def read(error):
    failed = {"slot": 5, "confirmations": None, "confirmationStatus": "finalized"}
    failed |= {"err": {"InstructionError": [2, error]}, "status": {"Err": {"InstructionError": [2, error]}}}
    fine = {"slot": 5, "confirmations": None, "confirmationStatus": "finalized", "err": None, "status": {"Ok": None}}
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"context": {"slot": 9}, "value": [fine, failed]}}
    try:
        return f"{len(GetSignatureStatusesResp.from_json(json.dumps(answer)).value)} statuses"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


print("solders", version("solders"))
got = {"custom": read({"Custom": 6001}), "old": read({"BorshIoError": "Unknown"}), "new": read("BorshIoError")}
for name, result in got.items():
    print(f"  {name}: {result}")
readable, refused = ("old", "new") if version("solders") == "0.26.0" else ("new", "old")
assert got["custom"] == got[readable] == "2 statuses"
assert "did not match any variant" in got[refused]
PY
for version in 0.26.0 0.29.0; do
  "$version/bin/python" run.py
done
if 0.26.0/bin/pip install --quiet --disable-pip-version-check --dry-run anchorpy==0.21.0 solders==0.29.0 2> /dev/null; then
  echo "anchorpy 0.21.0 can be installed with solders 0.29.0 now"
  exit 1
fi
echo "anchorpy 0.21.0 cannot be installed with solders 0.29.0"

#!/usr/bin/env bash
# solana 0.41.0 with solders 0.29.0 (PyPI, solana-py): an error from the RPC node whose code solders does not know.
#
# Expected: get_transaction is declared to return GetTransactionResp, and an error of the node is raised as RPCException,
#   as that of code -32603 is.
# Happens: for other codes the call returns the bare code, an int, as if it had succeeded; the node's message is gone.
#   So for -32019, LONG_TERM_STORAGE_UNREACHABLE, which solana-py itself lists by name, and for every code of a
#   provider's own.
# Matters: `except RPCException: ask another node` does not see it. The next line fails with "'int' object has no
#   attribute 'value'", far from the cause, or, where only `if answer` is asked, goes on as with a transaction: an
#   index of liquidations then has a hole where the storage of old transactions was down.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check solana==0.41.0 solders==0.29.0
cat > run.py <<'PY'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from solana.rpc.async_api import AsyncClient
from solana.rpc.core import RPCException
from solana.rpc.jsonrpc import JsonRpcErrorCode
from solders.signature import Signature


class Node(BaseHTTPRequestHandler):
    code = 0

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        error = {"code": Node.code, "message": "what went wrong"}
        body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


async def ask(url, code):
    Node.code = code
    async with AsyncClient(url) as client:
        try:
            answer = await client.get_transaction(Signature.default())
        except RPCException as error:
            return f"raised RPCException: {error}"
    return f"returned {answer!r}, of type {type(answer).__name__}"


print("solana 0.41.0, solders 0.29.0")
server = HTTPServer(("127.0.0.1", 0), Node)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
answers = {code: asyncio.run(ask(url, code)) for code in (-32603, -32019, 7429)}
server.shutdown()
for code, answer in answers.items():
    print(f"error {code}: {answer}")
assert answers.pop(-32603).startswith("raised RPCException")
assert answers == {code: f"returned {code}, of type int" for code in answers}
print("solana-py's name for -32019:", JsonRpcErrorCode(-32019).name)
PY
venv/bin/python run.py

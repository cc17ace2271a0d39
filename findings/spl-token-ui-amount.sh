#!/usr/bin/env bash
# @solana/spl-token 0.4.15: uiAmountToAmountForMintWithoutSimulation, amountToUiAmountForMintWithoutSimulation.
#
# Expected: its documentation says that it "implements the same logic" as the token program, which works on the text:
#   "8.2" of a mint with 6 decimals is 8200000 atoms, and one atom of a mint with 9 is "0.000000001".
# Happens: it goes through a float and cuts off: 8199999 atoms; "0.29" with 2 decimals is 28. Back, one atom is "1e-9",
#   and a large balance is another number. @solana-program/token-2022 0.15.0, the successor, is exact for both.
# Matters: "repay 8.2" leaves an atom of debt behind, so the loan is not closed and its account cannot be either; about
#   one amount in 70 below 0.1 is an atom short with six decimals. "1e-9" is refused by parsers, or read as 1.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  @solana/spl-token@0.4.15 @solana/web3.js@1.98.4 @solana-program/token-2022@0.15.0 @solana/sysvars@8.4.0 @solana/kit@8.4.0 \
  > install.log 2>&1 || { cat install.log; exit 1; }
cat > run.cjs <<'JS'
const assert = require("node:assert/strict");
const spl = require("@solana/spl-token");
const { PublicKey } = require("@solana/web3.js");
const kit = require("@solana/kit");
const next = require("@solana-program/token-2022");
console.log("@solana/spl-token 0.4.15");

/** Connections that show a plain mint with these decimals. */
function mint(decimals) {
  const data = Buffer.alloc(spl.MintLayout.span);
  const nobody = PublicKey.default;
  const authorities = { mintAuthorityOption: 0, mintAuthority: nobody, freezeAuthorityOption: 0, freezeAuthority: nobody };
  spl.MintLayout.encode({ ...authorities, supply: 0n, decimals, isInitialized: true }, data);
  const account = { lamports: 1461600n, owner: next.TOKEN_2022_PROGRAM_ADDRESS, executable: false, space: 82n, rentEpoch: 0n };
  const value = { ...account, data: [data.toString("base64"), "base64"] };
  return {
    old: { getAccountInfo: async () => ({ data, owner: spl.TOKEN_PROGRAM_ID, lamports: 1461600, executable: false }) },
    rpc: { getAccountInfo: () => ({ send: async () => ({ context: { slot: 1n }, value }) }) },
  };
}

async function main() {
  const address = kit.address("So11111111111111111111111111111111111111112");
  for (const [text, decimals, got, right] of [
    ["8.2", 6, 8199999n, 8200000n],
    ["0.29", 2, 28n, 29n],
    ["0.000249", 6, 248n, 249n],
  ]) {
    const { old, rpc } = mint(decimals);
    const atoms = await spl.uiAmountToAmountForMintWithoutSimulation(old, PublicKey.default, text);
    const successor = await next.uiAmountToAmountForMintWithoutSimulation(rpc, address, text);
    console.log(`"${text}" with ${decimals} decimals: ${atoms} atoms; the successor: ${successor}`);
    assert.deepEqual([atoms, successor], [got, right]);
  }
  for (const [atoms, decimals, got, right] of [
    [1n, 9, "1e-9", "0.000000001"],
    [9007199254740993n, 6, "9007199254.740992", "9007199254.740993"],
  ]) {
    const { old, rpc } = mint(decimals);
    const text = await spl.amountToUiAmountForMintWithoutSimulation(old, PublicKey.default, atoms);
    const successor = await next.amountToUiAmountForMintWithoutSimulation(rpc, address, atoms);
    console.log(`${atoms} atoms with ${decimals} decimals: "${text}"; the successor: "${successor}"`);
    assert.deepEqual([text, successor], [got, right]);
  }
  let short = 0;
  const { old } = mint(6);
  for (let atoms = 1; atoms < 100000; atoms++) {
    const text = `0.${String(atoms).padStart(6, "0")}`;
    if ((await spl.uiAmountToAmountForMintWithoutSimulation(old, PublicKey.default, text)) === BigInt(atoms - 1)) short++;
  }
  console.log(`of the 99999 amounts below 0.1 with six decimals ${short} are an atom short`);
  assert.equal(short, 1438);
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
JS
node run.cjs 2> /dev/null || { node run.cjs; exit 1; }

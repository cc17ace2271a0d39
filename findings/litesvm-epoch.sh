#!/usr/bin/env bash
# litesvm 1.5.0 (npm) with the Token-2022 program that it brings: warpToSlot and a transfer fee that is announced.
#
# Expected: "Warps the clock to the specified slot", and the clock's epoch is that slot's. A transfer fee that is to
#   hold from epoch 2 holds four epochs of slots later.
# Happens: only the slot is set. A new LiteSVM stands at slot 447552000, epoch 0, time 0, though its own schedule puts
#   that slot into epoch 1048; warping on leaves epoch and time where they were, and warping to slot 5 goes back. The
#   fee of 1% never comes: the receiver is paid in full, four epochs later as well. It comes once the epoch is set by
#   hand with setClock.
# Matters: a lending protocol that takes Token-2022 collateral tests there that it books what arrived, not what was
#   sent. The test passes without ever meeting the fee; anything else that counts epochs is not tested either.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  litesvm@1.5.0 @solana/kit@8.4.0 @solana-program/token-2022@0.15.0 @solana/sysvars@8.4.0
cat > run.mjs <<'JS'
import assert from "node:assert/strict";
import * as kit from "@solana/kit";
import { FailedTransactionMetadata, LiteSVM } from "litesvm";
import * as token from "@solana-program/token-2022";

console.log("litesvm 1.5.0");
const svm = new LiteSVM();
const owner = await kit.generateKeyPairSigner();
svm.airdrop(owner.address, kit.lamports(1_000_000_000n));
const fresh = async () => (await kit.generateKeyPairSigner()).address;
const [mint, source, destination] = await Promise.all([fresh(), fresh(), fresh()]);

const put = (address, data) =>
  svm.setAccount({
    address,
    data,
    executable: false,
    lamports: kit.lamports(10_000_000n),
    programAddress: token.TOKEN_2022_PROGRAM_ADDRESS,
    space: BigInt(data.length),
  });
const fee = (epoch, transferFeeBasisPoints) => ({ epoch, maximumFee: 1_000_000_000n, transferFeeBasisPoints });
const nobody = kit.address("11111111111111111111111111111111");
const config = token.extension("TransferFeeConfig", {
  transferFeeConfigAuthority: nobody,
  withdrawWithheldAuthority: nobody,
  withheldAmount: 0n,
  olderTransferFee: fee(0n, 0),
  newerTransferFee: fee(2n, 100),
});
const common = { isInitialized: true, freezeAuthority: null, mintAuthority: null, decimals: 6, supply: 1_000_000_000n };
put(mint, token.getMintEncoder().encode({ ...common, extensions: [config] }));
const account = { mint, owner: owner.address, delegate: null, isNative: null, delegatedAmount: 0n, closeAuthority: null };
const extensions = [token.extension("TransferFeeAmount", { withheldAmount: 0n })];
for (const [address, amount] of [[source, 1_000_000_000n], [destination, 0n]]) {
  put(address, token.getTokenEncoder().encode({ ...account, amount, state: token.AccountState.Initialized, extensions }));
}

/** Transfers 1000000 atoms, and says how many arrive. */
async function transfer() {
  const balance = () => token.getTokenDecoder().decode(svm.getAccount(destination).data).amount;
  const before = balance();
  const accounts = { source, mint, destination, authority: owner };
  const instruction = token.getTransferCheckedInstruction({ ...accounts, amount: 1_000_000n, decimals: 6 });
  const message = kit.pipe(
    kit.createTransactionMessage({ version: 0 }),
    (m) => kit.setTransactionMessageFeePayerSigner(owner, m),
    (m) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(m),
    (m) => kit.appendTransactionMessageInstruction(instruction, m),
  );
  const result = svm.sendTransaction(await kit.signTransactionMessageWithSigners(message));
  assert.ok(!(result instanceof FailedTransactionMetadata), String(result));
  svm.expireBlockhash();
  return balance() - before;
}
async function step(name) {
  const { slot, epoch, unixTimestamp } = svm.getClock();
  const arrived = await transfer();
  console.log(`${name}: slot ${slot}, epoch ${epoch}, time ${unixTimestamp}; of 1000000 atoms arrive ${arrived}`);
  return { slot, epoch, unixTimestamp, arrived };
}
const schedule = svm.getEpochSchedule();
const start = await step("new");
assert.deepEqual([start.slot, start.epoch, start.unixTimestamp], [447_552_000n, 0n, 0n]);
const due = schedule.firstNormalEpoch + (start.slot - schedule.firstNormalSlot) / schedule.slotsPerEpoch;
console.log(`by its own schedule slot ${start.slot} is in epoch ${due}`);
assert.equal(due, 1048n);

svm.warpToSlot(start.slot + 4n * schedule.slotsPerEpoch);
const warped = await step("four epochs later");
assert.deepEqual([warped.epoch, warped.unixTimestamp, warped.arrived], [0n, 0n, 1_000_000n]);

const clock = svm.getClock();
clock.epoch = 2n;
svm.setClock(clock);
assert.equal((await step("epoch set by hand")).arrived, 990_000n);

svm.warpToSlot(5n);
assert.equal(svm.getClock().slot, 5n);
JS
node run.mjs

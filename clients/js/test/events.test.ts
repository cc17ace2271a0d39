import assert from "node:assert/strict";
import { test } from "node:test";
import { address, getBase64Decoder } from "@solana/kit";
import { BREAKWATER_PROGRAM_ADDRESS, decodeEvents, EVENTS, getEmergencyAdminSetEncoder } from "breakwater-client";

const OTHER = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
const EMERGENCY_ADMIN = address("SysvarC1ock11111111111111111111111111111111");

function entry(discriminator: string): string {
  const data = Buffer.from(getEmergencyAdminSetEncoder().encode({ emergencyAdmin: EMERGENCY_ADMIN }));
  return `Program data: ${getBase64Decoder().decode(Buffer.concat([Buffer.from(discriminator, "hex"), data]))}`;
}

test("only what this program has logged is an event of it", () => {
  const genuine = entry(EVENTS.EmergencyAdminSet.discriminator);
  const logs = [
    genuine,
    `Program ${BREAKWATER_PROGRAM_ADDRESS} invoke [1]`,
    `Program log: Program ${OTHER} success`,
    genuine,
    `Program ${OTHER} invoke [2]`,
    genuine,
    `Program ${OTHER} success`,
    entry("00".repeat(8)),
    "Program log: Instruction: SetEmergencyAdmin",
    genuine,
    `Program ${BREAKWATER_PROGRAM_ADDRESS} consumed 1 of 2 compute units`,
    `Program ${BREAKWATER_PROGRAM_ADDRESS} success`,
    genuine,
    `Program ${OTHER} invoke [1]`,
    genuine,
    `Program ${OTHER} failed: custom program error: 0x1`,
  ];
  const event = { name: "EmergencyAdminSet", data: { emergencyAdmin: EMERGENCY_ADMIN } };
  assert.deepEqual(decodeEvents(logs), [event, event]);
});

test("what a program says of itself moves nothing", () => {
  const genuine = entry(EVENTS.EmergencyAdminSet.discriminator);
  const event = { name: "EmergencyAdminSet", data: { emergencyAdmin: EMERGENCY_ADMIN } };
  const called = (...said: string[]) => [
    `Program ${BREAKWATER_PROGRAM_ADDRESS} invoke [1]`,
    `Program ${OTHER} invoke [2]`,
    ...said.map((text) => `Program log: ${text}`),
    // Of the other one, that would pass for this one's.
    genuine,
    `Program ${OTHER} success`,
    genuine,
    `Program ${BREAKWATER_PROGRAM_ADDRESS} success`,
  ];
  for (const said of [
    ["success", "failed: not really"],
    ["success"],
    ["failed to find it, using the default"],
    ["invoke [3]"],
    ["invoke the oracle"],
  ])
    assert.deepEqual(decodeEvents(called(...said)), [event], said.join());
});

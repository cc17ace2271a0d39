import { getBase64Encoder } from "@solana/kit";
import { BREAKWATER_PROGRAM_ADDRESS, EVENTS } from "./generated/index.js";

/** The name of an event. */
export type EventName = keyof typeof EVENTS;

/** What an event of this name says. */
export type EventData<N extends EventName> = ReturnType<ReturnType<(typeof EVENTS)[N]["decoder"]>["decode"]>;

/** An event, told apart by its name. Liquidations come as one event with a list: `AccountsLiquidated`. */
export type BreakwaterEvent = { [N in EventName]: { name: N; data: EventData<N> } }[EventName];

const BY_DISCRIMINATOR = new Map(Object.entries(EVENTS).map(([name, event]) => [event.discriminator as string, name]));
const DISCRIMINATOR_BYTES = 8;
const DATA = "Program data: ";

/** Every event that the program has emitted in a transaction, in order, from the transaction's log. */
export function decodeEvents(logs: readonly string[]): BreakwaterEvent[] {
  return ownLines(logs)
    .filter((line) => line.startsWith(DATA))
    .flatMap((line) => decode(line.slice(DATA.length)));
}

/** An event of a version of the program that this client does not know is left out. */
function decode(base64: string): BreakwaterEvent[] {
  const entry = getBase64Encoder().encode(base64);
  const discriminator = Array.from(entry.slice(0, DISCRIMINATOR_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  const name = BY_DISCRIMINATOR.get(discriminator.join("")) as EventName | undefined;
  if (!name) return [];
  return [{ name, data: EVENTS[name].decoder().decode(entry, DISCRIMINATOR_BYTES) } as BreakwaterEvent];
}

/** What the runtime itself says of a program: that it begins, or has ended. A program's own text has `log:` or `data:` there. */
const RUNTIME = /^Program ([1-9A-HJ-NP-Za-km-z]{32,44}) (invoke \[\d+\]$|success$|failed: )/;

/** The lines that this program has printed, and not another one of the transaction. */
function ownLines(logs: readonly string[]): string[] {
  const running: string[] = [];
  return logs.filter((line) => {
    const [, program, verb = ""] = line.match(RUNTIME) ?? [];
    const begins = verb.startsWith("invoke");
    if (program && begins) running.push(program);
    const own = running.at(-1) === BREAKWATER_PROGRAM_ADDRESS;
    if (program && !begins) running.pop();
    return own;
  });
}

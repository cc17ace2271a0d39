import { isSolanaError, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM } from "@solana/kit";
import { ERRORS } from "./generated/index.js";

/** The name of an error of the program. */
export type ErrorName = keyof typeof ERRORS;

const NAMES = new Map(Object.entries(ERRORS).map(([name, { code }]) => [code as number, name as ErrorName]));

/** The name of the error with this code, one of the program's. */
export function errorName(code: number): ErrorName {
  const error = NAMES.get(code);
  if (!error) throw new RangeError(`${code} is no error code of Breakwater`);
  return error;
}

/** The program refused, or would refuse. */
export class BreakwaterError extends Error {
  override readonly name = "BreakwaterError";
  /** As in the program's sources and its IDL, for example `MarketHalted`. */
  readonly error: ErrorName;
  /** The custom error code of the transaction. */
  readonly code: number;

  constructor(code: number, options?: ErrorOptions) {
    const error = errorName(code);
    super(`${error}: ${ERRORS[error].message}`, options);
    this.error = error;
    this.code = code;
  }
}

/**
 * The program's error behind one of kit's: what sending or simulating threw. `undefined` if there is none. Codes say
 * nothing about the program: where other programs' instructions are in the transaction, look at the instruction first.
 */
export function breakwaterErrorOf(thrown: unknown): BreakwaterError | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (isSolanaError(error, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM) && NAMES.has(error.context.code)) {
      return new BreakwaterError(error.context.code, { cause: thrown });
    }
  }
  return undefined;
}

const FRACTION_BITS = 64n;

/**
 * A Q64.64 price of one collateral atom as a decimal number of whole quote tokens for one whole collateral token, rounded to
 * nearest. For people to read: nothing is computed with it.
 */
export function showPrice(
  price: bigint,
  market: { collateralDecimals: number; quoteDecimals: number },
  digits = 6,
): string {
  const unit = (10n ** BigInt(market.quoteDecimals)) << FRACTION_BITS;
  const scaled = price * 10n ** BigInt(market.collateralDecimals + digits);
  return showAmount((scaled + unit / 2n) / unit, digits);
}

/** Atoms as a decimal number of whole tokens, cut off after `digits` decimals. */
export function showAmount(atoms: bigint, decimals: number, digits = decimals): string {
  if (atoms < 0n) return `-${showAmount(-atoms, decimals, digits)}`;
  const text = atoms.toString().padStart(decimals + 1, "0");
  const point = text.length - decimals;
  return digits === 0 ? text.slice(0, point) : `${text.slice(0, point)}.${text.slice(point, point + digits)}`;
}

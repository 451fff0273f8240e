/**
 * Figures as a person reads them.
 *
 * @module
 */

/** Nanoseconds with three digits and the unit that fits. */
export function nanoseconds(value: number): string {
  if (value < 1e3) return `${three_digits(value)} ns`;
  if (value < 1e6) return `${three_digits(value / 1e3)} µs`;
  if (value < 1e9) return `${three_digits(value / 1e6)} ms`;
  return `${three_digits(value / 1e9)} s`;
}

/** Bytes with three digits and the unit that fits. */
export function bytes(value: number): string {
  if (value < 1e4) return `${Math.round(value)} B`;
  return value < 1e6 ? `${three_digits(value / 1e3)} kB` : `${three_digits(value / 1e6)} MB`;
}

/** Three digits, or all that stand before the point. */
function three_digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

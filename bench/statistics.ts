// The few numbers the benchmarks report.

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/**
 * Mann–Whitney: the probability that a value of `left` is greater than one of `right`, ties counting half.
 * 0.5 means that a value does not tell which of the two it came from.
 */
export function areaUnderCurve(left: readonly number[], right: readonly number[]): number {
  let wins = 0;
  for (const mine of left) for (const other of right) wins += mine > other ? 1 : mine === other ? 0.5 : 0;
  return wins / (left.length * right.length);
}

/** Rounded for a report. */
export const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));

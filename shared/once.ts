// A schema takes 25 µs to build in a cold process, and a cold start needs few of them.

/** Builds a value with its first use. */
export function once<T extends object>(build: () => T): () => T {
  let built: T | undefined;
  return () => (built ??= build());
}

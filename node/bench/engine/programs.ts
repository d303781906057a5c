/** The programs of the benchmark and how much work each does in one measured call: some 20 to 60 ms. */
export const PROGRAMS: readonly (readonly [name: string, work: number])[] = [
  ["sha256", 60_000],
  ["nbody", 150_000],
  ["matmul", 200],
  ["sorting", 100_000],
  ["json", 20],
  ["fib", 31],
  ["regex", 25],
];

// Seven kinds of programs that the engine's benchmark compares: hashing, floats, matrices, sorting with a comparator,
// parsing, calls, backtracking. Each takes how much work to do and returns something that depends on all of it.

// --- SHA-256

const K: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
  0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
  0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
  0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];
const schedule = new StaticArray<u32>(64);
const state: StaticArray<u32> = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

function compress(block: StaticArray<u32>): void {
  for (let i = 0; i < 16; i++) unchecked((schedule[i] = block[i]));
  for (let i = 16; i < 64; i++) {
    const x = unchecked(schedule[i - 15]);
    const y = unchecked(schedule[i - 2]);
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >> 10);
    unchecked((schedule[i] = schedule[i - 16] + s0 + schedule[i - 7] + s1));
  }
  let a = unchecked(state[0]);
  let b = unchecked(state[1]);
  let c = unchecked(state[2]);
  let d = unchecked(state[3]);
  let e = unchecked(state[4]);
  let f = unchecked(state[5]);
  let g = unchecked(state[6]);
  let h = unchecked(state[7]);
  for (let i = 0; i < 64; i++) {
    const first = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) + unchecked(K[i] + schedule[i]);
    const second = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
  }
  unchecked((state[0] += a));
  unchecked((state[1] += b));
  unchecked((state[2] += c));
  unchecked((state[3] += d));
  unchecked((state[4] += e));
  unchecked((state[5] += f));
  unchecked((state[6] += g));
  unchecked((state[7] += h));
}

export function sha256(blocks: i32): i32 {
  const block = new StaticArray<u32>(16);
  for (let i = 0; i < blocks; i++) {
    unchecked((block[i & 15] ^= state[0]));
    compress(block);
  }
  return state[0] ^ state[7];
}

// --- n-body: 5 bodies, 7 numbers each

const BODIES = 5;
const bodies: StaticArray<f64> = [
  0, 0, 0, 0, 0, 0, 39.47, 4.84, -1.16, -0.1, 0.6, 2.8, -0.02, 0.037, 8.34, 4.12, -0.4, -1.01, 1.8, 0.008, 0.011, 12.89,
  -15.11, -0.22, 1.08, 0.86, -0.01, 0.0017, 15.37, -25.9, 0.179, 0.97, 0.59, -0.03, 0.002,
];

export function nbody(steps: i32): i32 {
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < BODIES; i++) {
      const p = i * 7;
      for (let j = i + 1; j < BODIES; j++) {
        const q = j * 7;
        const dx = unchecked(bodies[p] - bodies[q]);
        const dy = unchecked(bodies[p + 1] - bodies[q + 1]);
        const dz = unchecked(bodies[p + 2] - bodies[q + 2]);
        const inverse = 1.0 / Math.sqrt(dx * dx + dy * dy + dz * dz);
        const pull = 0.001 * inverse * inverse * inverse;
        const mine = unchecked(bodies[p + 6]) * pull;
        const theirs = unchecked(bodies[q + 6]) * pull;
        unchecked((bodies[p + 3] -= dx * theirs));
        unchecked((bodies[p + 4] -= dy * theirs));
        unchecked((bodies[p + 5] -= dz * theirs));
        unchecked((bodies[q + 3] += dx * mine));
        unchecked((bodies[q + 4] += dy * mine));
        unchecked((bodies[q + 5] += dz * mine));
      }
    }
    for (let i = 0; i < BODIES * 7; i += 7) {
      unchecked((bodies[i] += 0.001 * bodies[i + 3]));
      unchecked((bodies[i + 1] += 0.001 * bodies[i + 4]));
      unchecked((bodies[i + 2] += 0.001 * bodies[i + 5]));
    }
  }
  const bits = reinterpret<u64>(unchecked(bodies[0] + bodies[8] + bodies[16]));
  return <i32>(bits ^ (bits >> 32));
}

// --- matrix product of n × n doubles

const MAX_MATRIX = 256;
const left = new StaticArray<f64>(MAX_MATRIX * MAX_MATRIX);
const right = new StaticArray<f64>(MAX_MATRIX * MAX_MATRIX);

export function matmul(n: i32): i32 {
  for (let i = 0; i < n * n; i++) {
    unchecked((left[i] = <f64>(i % 17) * 0.5));
    unchecked((right[i] = <f64>(i % 13) * 0.25));
  }
  let total: f64 = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum: f64 = 0;
      for (let k = 0; k < n; k++) sum += unchecked(left[i * n + k] * right[k * n + j]);
      total += sum * <f64>(j & 7);
    }
  }
  return <i32>(<i64>total);
}

// --- quicksort with a comparator that is called through the table

const MAX_NUMBERS = 100_000;
const numbers = new StaticArray<u32>(MAX_NUMBERS);

function quicksort(first: i32, last: i32, compare: (a: u32, b: u32) => i32): void {
  while (first < last) {
    const pivot = unchecked(numbers[(first + last) >> 1]);
    let i = first;
    let j = last;
    while (i <= j) {
      while (compare(unchecked(numbers[i]), pivot) < 0) i++;
      while (compare(unchecked(numbers[j]), pivot) > 0) j--;
      if (i <= j) {
        const swapped = unchecked(numbers[i]);
        unchecked((numbers[i] = numbers[j]));
        unchecked((numbers[j] = swapped));
        i++;
        j--;
      }
    }
    quicksort(first, j, compare);
    first = i;
  }
}

export function sorting(count: i32): i32 {
  let seed: u32 = 12345;
  for (let i = 0; i < count; i++) {
    seed = seed * 1664525 + 1013904223;
    unchecked((numbers[i] = seed));
  }
  quicksort(0, count - 1, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  let result: u32 = 0;
  for (let i = 0; i < count; i++) result = result * 31 + unchecked(numbers[i]);
  return result;
}

// --- a JSON document, parsed byte by byte with recursion

const DOCUMENT_OBJECTS = 2000;
let text: ArrayBuffer | null = null;
let cursor: usize = 0;

function at(): u32 {
  return load<u8>(cursor);
}

function spaces(): void {
  while (at() == 0x20 || at() == 0x0a || at() == 0x09) cursor++;
}

function parseText(): u32 {
  let hash: u32 = 2166136261;
  cursor++;
  while (at() != 0x22) {
    if (at() == 0x5c) cursor++;
    hash = (hash ^ at()) * 16777619;
    cursor++;
  }
  cursor++;
  return hash;
}

function parseNumber(): f64 {
  let value: f64 = 0;
  let sign: f64 = 1;
  if (at() == 0x2d) {
    sign = -1;
    cursor++;
  }
  while (at() >= 0x30 && at() <= 0x39) {
    value = value * 10 + <f64>(at() - 0x30);
    cursor++;
  }
  if (at() == 0x2e) {
    cursor++;
    let place: f64 = 0.1;
    while (at() >= 0x30 && at() <= 0x39) {
      value += <f64>(at() - 0x30) * place;
      place *= 0.1;
      cursor++;
    }
  }
  return sign * value;
}

function parseValue(): f64 {
  spaces();
  let result: f64 = 0;
  switch (at()) {
    case 0x7b:
      cursor++;
      spaces();
      while (at() != 0x7d) {
        spaces();
        result += <f64>(parseText() & 255);
        spaces();
        cursor++;
        result += parseValue();
        spaces();
        if (at() == 0x2c) cursor++;
        spaces();
      }
      cursor++;
      return result;
    case 0x5b:
      cursor++;
      spaces();
      while (at() != 0x5d) {
        result += parseValue();
        spaces();
        if (at() == 0x2c) cursor++;
      }
      cursor++;
      return result;
    case 0x22:
      return <f64>(parseText() & 1023);
    case 0x74:
      cursor += 4;
      return 1;
    case 0x66:
      cursor += 5;
      return 2;
    case 0x6e:
      cursor += 4;
      return 3;
    default:
      return parseNumber();
  }
}

function makeDocument(): ArrayBuffer {
  const parts = new Array<string>();
  for (let i = 0; i < DOCUMENT_OBJECTS; i++) {
    parts.push(
      '{"id": ' + i.toString() + ', "name": "user ' + (i * 7919).toString() +
        '", "ok": true, "v": [1.5, -2.25, null, {"k": "z\\n"}], "w": ' + (i * 31).toString() + ".125}",
    );
  }
  return String.UTF8.encode("[" + parts.join(",") + "]", true);
}

export function json(times: i32): i32 {
  if (text === null) text = makeDocument();
  let result: f64 = 0;
  for (let i = 0; i < times; i++) {
    cursor = changetype<usize>(text);
    result += parseValue();
  }
  return <i32>(<i64>result);
}

// --- calls

export function fib(n: i32): i32 {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

// --- a backtracking matcher of *, . and $

function matchHere(pattern: usize, subject: usize): bool {
  const first = load<u8>(pattern);
  if (first == 0) return true;
  if (load<u8>(pattern + 1) == 0x2a) return matchStar(first, pattern + 2, subject);
  if (first == 0x24 && load<u8>(pattern + 1) == 0) return load<u8>(subject) == 0;
  const next = load<u8>(subject);
  if (next != 0 && (first == 0x2e || first == next)) return matchHere(pattern + 1, subject + 1);
  return false;
}

function matchStar(repeated: u32, pattern: usize, subject: usize): bool {
  while (true) {
    if (matchHere(pattern, subject)) return true;
    const next = load<u8>(subject);
    if (next == 0 || (next != repeated && repeated != 0x2e)) return false;
    subject++;
  }
}

const SUBJECT_BYTES = 500;
const subject = memory.data(SUBJECT_BYTES + 1);
const patterns: ArrayBuffer[] = [String.UTF8.encode("a.*b.*c*d$", true), String.UTF8.encode("x.*y", true)];

export function regex(subjects: i32): i32 {
  let result = 0;
  for (let i = 0; i < subjects; i++) {
    for (let j = 0; j < SUBJECT_BYTES; j++) store<u8>(subject + j, 97 + ((i * 7 + j * j) % 23));
    for (let from = 0; from <= SUBJECT_BYTES; from++) {
      for (let p = 0; p < 2; p++) {
        if (matchHere(changetype<usize>(unchecked(patterns[p])), subject + from)) result++;
      }
    }
  }
  return result;
}

// A chain of SHA-256: hash n = sha256(hash n-1), hash 0 = the ASCII bytes "outlayer". Prints the last as hexadecimal.
import { fail, print, readInput } from "../../wasi/assembly/index";

const MAX_ROUNDS: i32 = 10_000_000;

const K: StaticArray<u32> = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

const schedule = new StaticArray<u32>(64);
const state = new StaticArray<u32>(8);

/** One block: the message stands in schedule[0..16), the digest comes into `state`. */
function digest(): void {
  const w = schedule;
  for (let i = 16; i < 64; i++) {
    const x = unchecked(w[i - 15]);
    const y = unchecked(w[i - 2]);
    const s0 = rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
    const s1 = rotr(y, 17) ^ rotr(y, 19) ^ (y >> 10);
    unchecked((w[i] = w[i - 16] + s0 + w[i - 7] + s1));
  }
  let a: u32 = 0x6a09e667, b: u32 = 0xbb67ae85, c: u32 = 0x3c6ef372, d: u32 = 0xa54ff53a;
  let e: u32 = 0x510e527f, f: u32 = 0x9b05688c, g: u32 = 0x1f83d9ab, h: u32 = 0x5be0cd19;
  for (let i = 0; i < 64; i++) {
    const s1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + unchecked(K[i]) + unchecked(w[i]);
    const s0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  unchecked((state[0] = 0x6a09e667 + a));
  unchecked((state[1] = 0xbb67ae85 + b));
  unchecked((state[2] = 0x3c6ef372 + c));
  unchecked((state[3] = 0xa54ff53a + d));
  unchecked((state[4] = 0x510e527f + e));
  unchecked((state[5] = 0x9b05688c + f));
  unchecked((state[6] = 0x1f83d9ab + g));
  unchecked((state[7] = 0x5be0cd19 + h));
}

/** Pads a message of `words` 32-bit words that fits one block. */
function pad(words: i32): void {
  schedule[words] = 0x80000000;
  for (let i = words + 1; i < 15; i++) schedule[i] = 0;
  schedule[15] = words * 32;
}

function roundsOf(text: string): i32 {
  if (text.length == 0 || text.length > 8) fail("expected a number of rounds");
  let rounds = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) fail("expected a number of rounds");
    rounds = rounds * 10 + digit;
  }
  if (rounds < 1 || rounds > MAX_ROUNDS) fail("rounds must be within 1 to " + MAX_ROUNDS.toString());
  return rounds;
}

const rounds = roundsOf(String.UTF8.decode(readInput()).trim());
schedule[0] = 0x6f75746c;
schedule[1] = 0x61796572;
pad(2);
digest();
for (let round = 1; round < rounds; round++) {
  for (let i = 0; i < 8; i++) unchecked((schedule[i] = state[i]));
  pad(8);
  digest();
}
let hex = "";
for (let i = 0; i < 8; i++) hex += state[i].toString(16).padStart(8, "0");
print(hex);

/**
 * Hostile calls against the contract for as long as the box allows, 100,000 at most; prints `N passed, N failed` last.
 * A whole run: `OUTLAYER_CONFORMANCE_MS=3600000 node contract/conformance/contract-adversarial.ts` (100,000 cases take
 * 10 minutes of an idle core).
 */
import { CASES_PER_WORLD, faultOf, populatedWorld } from "../test/contract/hostile.ts";

const MOST_CASES = 100_000;
const DEFAULT_BOX_MS = 60_000;

const boxMs = Number(process.env.OUTLAYER_CONFORMANCE_MS ?? DEFAULT_BOX_MS);
if (!(boxMs > 0)) throw new RangeError("OUTLAYER_CONFORMANCE_MS must be a positive number");
const endMs = performance.now() + boxMs;

let passed = 0;
let failed = 0;
let world = populatedWorld();
for (let number = 0; number < MOST_CASES && performance.now() < endMs; number++) {
  if (number > 0 && number % CASES_PER_WORLD === 0) world = populatedWorld();
  const fault = faultOf(world, number);
  if (fault === undefined) passed++;
  else {
    failed++;
    console.error(fault);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

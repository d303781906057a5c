/** Every scenario over as many seeds as the time box holds, at least one each. */
import { SCENARIOS, simulate } from "../src/index.ts";

const MAX_SEEDS = 1_000;
const endAtMs = performance.now() + Number(process.env.OUTLAYER_CONFORMANCE_MS ?? 60_000) * 0.9;

let passed = 0;
let failed = 0;
for (let seed = 1; seed <= MAX_SEEDS && (seed === 1 || performance.now() < endAtMs); seed++) {
  for (const scenario of SCENARIOS) {
    const report = simulate(scenario, `conformance ${seed}`);
    if (report.violations.length === 0) passed++;
    else failed++;
    for (const violation of report.violations) console.log(`${scenario.name} seed conformance ${seed}: ${violation}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

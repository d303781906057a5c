/** `npm run sim`: runs scenarios over seeds and prints their ends. `--trace` prints every step. */
import { parseArgs } from "node:util";
import { SCENARIOS } from "./scenario.ts";
import { simulate } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    scenario: { type: "string" },
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const chosen = SCENARIOS.filter((scenario) => values.scenario === undefined || scenario.name === values.scenario);
if (chosen.length === 0) {
  console.error(`no scenario ${values.scenario}; there are ${SCENARIOS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const seeds =
  Number(values.seeds) > 1 ? Array.from({ length: Number(values.seeds) }, (_, i) => String(i + 1)) : [values.seed];

let violations = 0;
for (const scenario of chosen) {
  for (const seed of seeds) {
    const report = simulate(scenario, seed, values.trace ? { onTrace: (line) => console.error(line) } : {});
    violations += report.violations.length;
    if (values.json) console.log(JSON.stringify(report));
    else {
      const resolved = report.requests.filter(({ status }) => status === "resolved").length;
      console.log(
        `${report.scenario} seed ${seed}: ${resolved} of ${report.requests.length} resolved, ` +
          `${report.events} events, ${report.messages.sent} messages (${report.messages.lost} lost), trace ${report.traceHash}`,
      );
    }
    for (const violation of report.violations) console.error(`  violated: ${violation}`);
  }
}
process.exit(violations === 0 ? 0 : 1);

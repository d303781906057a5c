/**
 * The embedded chain against nearcore's own runner, on random modules and random host calls: gas burnt and used,
 * storage, logs, return, errors and promises of every call must be equal. Needs cargo; without it, or when the build
 * that devchain-oracle.prepare.ts began does not end in half of the time there is, nothing is compared, which is said
 * and counts as nothing passed. Where OUTLAYER_REQUIRE_ORACLE is set, as it is for the run whose result counts, that
 * is a failure.
 * OUTLAYER_CONFORMANCE_SEED repeats a run. With `--write-fixtures [set ...]` it makes the fixtures of the tests instead.
 */
import { randomBytes } from "node:crypto";
import { generateHostScenario } from "../devchain/oracle/host-call-generator.ts";
import { writeFixtures } from "../devchain/oracle/make-fixtures.ts";
import { generateModuleScenario } from "../devchain/oracle/module-generator.ts";
import { Random } from "../devchain/oracle/random.ts";
import { askOracle, buildOracle, OracleError } from "../devchain/oracle/run-oracle.ts";
import { compareAnswers, type OracleScenario } from "../devchain/oracle/scenario.ts";

const BATCH = 100;
const SHOWN_DIFFERENCES = 5;
const ORACLE_TIMEOUT_MS = 120_000;

const limitMs = Number(process.env.OUTLAYER_CONFORMANCE_MS ?? 120_000);
if (!(limitMs > 0)) throw new RangeError("OUTLAYER_CONFORMANCE_MS must be a positive number");
const endAtMs = performance.now() + limitMs;
const seed = BigInt(process.env.OUTLAYER_CONFORMANCE_SEED ?? `0x${randomBytes(8).toString("hex")}`);

let passed = 0;
let failed = 0;

function report(scenario: OracleScenario, lines: readonly string[]): void {
  const differences = compareAnswers(scenario, lines);
  passed += scenario.calls.length - differences.length;
  failed += differences.length;
  if (failed > SHOWN_DIFFERENCES) return;
  for (const { call, ours, theirs } of differences) {
    console.log(`different: ${JSON.stringify({ wasm: scenario.wasm, calls: [call] })}`);
    console.log(`  embedded chain ${JSON.stringify(ours)}\n  nearcore       ${JSON.stringify(theirs)}`);
  }
}

async function compare(program: string): Promise<void> {
  const random = new Random(seed);
  console.log(`comparing with near-vm-runner 0.38.0, OUTLAYER_CONFORMANCE_SEED=${seed}`);
  do {
    const scenarios = Array.from({ length: BATCH }, () =>
      random.chance(2) ? generateModuleScenario(random) : generateHostScenario(random),
    );
    const lines = await askOracle(program, scenarios, ORACLE_TIMEOUT_MS);
    let first = 0;
    for (const scenario of scenarios) {
      report(scenario, lines.slice(first, first + scenario.calls.length));
      first += scenario.calls.length;
    }
  } while (performance.now() < endAtMs && failed <= SHOWN_DIFFERENCES);
}

const [flag, ...sets] = process.argv.slice(2);
if (flag === "--write-fixtures") {
  await writeFixtures(sets);
  process.exit(0);
}
try {
  await compare(await buildOracle(limitMs / 2));
} catch (error) {
  if (!(error instanceof OracleError)) throw error;
  console.log(`not compared with nearcore: ${error.code}: ${error.message}`);
  const couldNot = error.code === "NO_CARGO" || error.code === "BUILD_TIMEOUT";
  if (!couldNot || process.env.OUTLAYER_REQUIRE_ORACLE !== undefined) failed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

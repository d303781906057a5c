import { rewriteModule } from "@outlayer/protocol/execution/index";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { assemble, type Code, drop, i32 } from "../../../protocol/test/execution/assembler.ts";
import { EAGER_BODY_BYTES, EAGER_MODULE_BYTES } from "../../src/engine/engine-limits.ts";
import { hasLargeBodies } from "../../src/engine/large-bodies.ts";
import { QUIET } from "./guests.ts";

const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** A module with so many functions whose bodies have about this many bytes, as an engine gets it. */
function rewritten(functions: number, bodyBytes: number): Uint8Array {
  const body: Code = Array.from({ length: bodyBytes / 3 }, (): Code => [i32(1), drop]);
  const code = assemble({
    functions: Array.from({ length: functions }, (_, index) => (index === 0 ? { export: "_start", body } : { body })),
  });
  return rewriteModule(code, { costVersion: 1, maxMemoryPages: 0 }).bytes;
}

test("one body beyond the bound, or many that are large, and not many small ones", () => {
  assert.ok(hasLargeBodies(rewritten(1, EAGER_MODULE_BYTES + 3_000)));
  assert.ok(hasLargeBodies(rewritten(20, EAGER_BODY_BYTES + 3_000)));
  assert.not.ok(hasLargeBodies(rewritten(1, EAGER_MODULE_BYTES - 3_000)));
  assert.not.ok(hasLargeBodies(rewritten(40, EAGER_BODY_BYTES - 3_000)));
});

test("modules without bodies or with tiny ones", () => {
  assert.not.ok(hasLargeBodies(EMPTY));
  assert.not.ok(hasLargeBodies(rewriteModule(QUIET, { costVersion: 1, maxMemoryPages: 1 }).bytes));
});

test.run();

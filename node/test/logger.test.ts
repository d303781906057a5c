import { test } from "uvu";
import * as assert from "uvu/assert";
import { OperatingError } from "../src/errors.ts";
import { createLogger, type LogLevel } from "../src/logger.ts";

interface Line {
  level: string;
  message: string;
  part?: string;
  height?: string;
  hash?: string;
  error?: { code: string; cause: { message: string } };
}

function recorder(level: LogLevel) {
  const lines: Line[] = [];
  const logger = createLogger({ level, destination: { write: (line) => lines.push(JSON.parse(line)) } });
  return { lines, logger };
}

test("a line carries message, context and error, and what its parent adds", () => {
  const { lines, logger } = recorder("info");
  const error = new OperatingError("store_locked", { directory: "/data" }, new Error("held"));
  logger.child({ part: "store" }).warn("cannot open", { height: 10n, hash: Uint8Array.of(1, 255) }, error);
  const [line] = lines;
  assert.is(line?.level, "warn");
  assert.is(line?.message, "cannot open");
  assert.is(line?.part, "store");
  assert.is(line?.height, "10");
  assert.is(line?.hash, "01ff");
  assert.is(line?.error?.code, "store_locked");
  assert.is(line?.error?.cause.message, "held");
});

test("lines below the level are not written", () => {
  const { lines, logger } = recorder("warn");
  logger.debug("no");
  logger.info("no");
  logger.warn("yes");
  logger.error("yes");
  assert.equal(
    lines.map(({ level }) => level),
    ["warn", "error"],
  );
  const silent = recorder("silent");
  silent.logger.error("no");
  assert.equal(silent.lines, []);
});

test.run();

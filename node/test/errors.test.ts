import { test } from "uvu";
import * as assert from "uvu/assert";
import { isOperatingError, OPERATOR_ADVICE, OperatingError } from "../src/errors.ts";

test("an error says its code, its facts, its cause and what to do", () => {
  const cause = new Error("EADDRINUSE");
  const error = new OperatingError(
    "p2p_listen_failed",
    { listen: "/ip4/0.0.0.0/tcp/1", tries: 2, peer: undefined },
    cause,
  );
  assert.is(error.message, "p2p_listen_failed (listen=/ip4/0.0.0.0/tcp/1 tries=2): EADDRINUSE");
  assert.is(error.cause, cause);
  assert.is(error.advice, OPERATOR_ADVICE.p2p_listen_failed);
  assert.ok(isOperatingError(error) && isOperatingError(error, "p2p_listen_failed"));
  assert.not.ok(isOperatingError(error, "store_locked") || isOperatingError(cause));
  assert.is(new OperatingError("store_closed").message, "store_closed");
});

test("every code is a plain name with a sentence of advice", () => {
  for (const [code, advice] of Object.entries(OPERATOR_ADVICE)) {
    assert.match(code, /^[a-z0-9]+(_[a-z0-9]+)+$/);
    assert.match(advice, /^[A-Z].*\.$/s, code);
  }
});

test.run();

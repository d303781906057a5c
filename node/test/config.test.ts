import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { environmentName, loadConfig } from "../src/config.ts";
import { isOperatingError, type OperatingErrorCode } from "../src/errors.ts";

const required = {
  accountId: "node.near",
  contractId: "outlayer.near",
  rpc: ["https://rpc.example"],
  dataDirectory: "data",
  accountKeyFile: "key.json",
};

function withFile<T>(content: string, use: (file: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "outlayer-config-"));
  try {
    const file = join(directory, "config.json");
    writeFileSync(file, content);
    return use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function refused(code: OperatingErrorCode, says: RegExp, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    assert.ok(isOperatingError(error, code), String(error));
    assert.match((error as Error).message, says);
    return;
  }
  assert.unreachable("was accepted");
}

test("flags beat the environment, the environment the file, the file the defaults", () => {
  withFile(JSON.stringify({ ...required, httpPort: 1_111, logLevel: "warn", engineChildren: 3 }), (file) => {
    const environment = { OUTLAYER_HTTP_PORT: "2222", OUTLAYER_LOG_LEVEL: "error" };
    const { config, sources } = loadConfig({ httpPort: "3333", rpc: undefined }, environment, file);
    assert.is(config.httpPort, 3_333);
    assert.is(config.logLevel, "error");
    assert.is(config.engineChildren, 3);
    assert.is(config.httpHost, "127.0.0.1");
    assert.equal(
      [sources.httpPort, sources.logLevel, sources.engineChildren, sources.httpHost],
      ["flag", "environment", "file", "default"],
    );
  });
});

test("lists come from the environment separated by commas", () => {
  const { config } = loadConfig(
    required,
    { OUTLAYER_BOOTSTRAP: "/ip4/1.2.3.4/tcp/1,/dns4/a.example/tcp/2" },
    undefined,
  );
  assert.is(config.bootstrap.length, 2);
  assert.is(environmentName("contentTimeoutMs"), "OUTLAYER_CONTENT_TIMEOUT_MS");
});

test("an unknown key, a missing one and a wrong value are each named", () => {
  refused("config_invalid", /httpPrt/, () =>
    withFile(JSON.stringify({ ...required, httpPrt: 1 }), (f) => loadConfig({}, {}, f)),
  );
  refused("config_invalid", /contractId/, () => loadConfig({ ...required, contractId: undefined }, {}, undefined));
  refused("config_invalid", /httpPort/, () => loadConfig({ ...required, httpPort: "70000" }, {}, undefined));
  refused("config_invalid", /rpc/, () => loadConfig({ ...required, rpc: ["file:///etc/passwd"] }, {}, undefined));
  refused("config_invalid", /accountId/, () => loadConfig({ ...required, accountId: "UPPER" }, {}, undefined));
  refused("config_unreadable", /not a JSON object/, () => withFile("[]", (f) => loadConfig({}, {}, f)));
  refused("config_unreadable", /no-such-file/, () => loadConfig({}, {}, "no-such-file"));
});

test.run();

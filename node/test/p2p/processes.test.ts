/** Nodes in processes of their own: gossip, direct frames and content between real sockets and event loops. */
import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { until } from "./cluster.ts";

interface Report {
  ready?: string[];
  publicKey?: string;
  gossip?: string;
  direct?: string;
  from?: string;
  provided?: number;
  fetched?: string;
  failed?: string;
}

class HostProcess {
  readonly child: ChildProcess;
  readonly reports: Report[] = [];

  constructor(bootstrap = "-") {
    this.child = fork(new URL("./host-process.ts", import.meta.url), [bootstrap]);
    this.child.on("message", (report: Report) => this.reports.push(report));
  }

  async first<K extends keyof Report>(name: K): Promise<NonNullable<Report[K]>> {
    await until(`a report of ${name}`, () => {
      const failed = this.reports.find((report) => report.failed);
      if (failed) throw new Error(failed.failed);
      return this.reports.some((report) => report[name] !== undefined);
    });
    return this.reports.find((report) => report[name] !== undefined)![name] as NonNullable<Report[K]>;
  }

  do(command: object): void {
    this.child.send(command);
  }

  async stop(): Promise<number | null> {
    const exited = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    this.do({ stop: true });
    return exited;
  }
}

test("three processes that know only the first of them gossip, send direct frames and fetch over the DHT", async () => {
  const boot = new HostProcess();
  const [address] = await boot.first("ready");
  const [a, b] = [new HostProcess(address), new HostProcess(address)];
  const aKey = await a.first("publicKey");
  const bKey = await b.first("publicKey");

  let n = 0;
  await until("gossip from a reaches b and the bootstrap node", () => {
    if (n++ % 10 === 0) a.do({ publish: `intent ${n}` });
    return [b, boot].every((host) => host.reports.some((report) => report.gossip?.startsWith("intent")));
  });
  const seen = b.reports.filter((report) => report.gossip).map((report) => report.gossip);
  assert.is(new Set(seen).size, seen.length, "each message once");

  a.do({ send: { to: bKey, text: "reveal" } });
  assert.is(await b.first("direct"), "reveal");
  assert.is(b.reports.find((report) => report.direct)?.from, aKey);
  b.do({ send: { to: aKey, text: "thanks" } });
  assert.is(await a.first("direct"), "thanks");

  const content = "a module ".repeat(40_000);
  a.do({ provide: content });
  assert.ok((await a.first("provided")) > 0);
  b.do({ fetch: createHash("sha256").update(content).digest("hex") });
  assert.is(await b.first("fetched"), content);

  assert.equal(await Promise.all([a.stop(), b.stop(), boot.stop()]), [0, 0, 0]);
});

test.run();

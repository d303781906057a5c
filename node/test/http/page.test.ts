/** The page in a real browser, over a real server: what a person sees of a node at work. */
import { statSync } from "node:fs";
import sparticuz from "@sparticuz/chromium";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildWeb } from "../../build.ts";
import { type HttpServer, startHttpServer } from "../../src/http/server.ts";
import { createLogger } from "../../src/logger.ts";
import { DrivenFacade, keptReceipt, openRequest } from "./driven-facade.ts";

interface Context {
  browser: Browser;
  page: Page;
  facade: DrivenFacade;
  server: HttpServer;
  /** Errors and refusals of the browser: a broken Content-Security-Policy shows here. */
  complaints: string[];
}

const VISIBLE_WITHIN_MS = 20_000;
const LAUNCH_WITHIN_MS = 60_000;
const page = suite<Context>("page");

/** One process for everything dies with its first page, and the page's own rules of security are what is tested. */
const UNWANTED_ARGS: ReadonlySet<string> = new Set(["--single-process", "--no-zygote", "--disable-web-security"]);

async function launch(): Promise<Browser> {
  try {
    const executablePath = await sparticuz.executablePath();
    const args = sparticuz.args.filter((arg) => !UNWANTED_ARGS.has(arg));
    return await chromium.launch({ executablePath, args, headless: true, timeout: LAUNCH_WITHIN_MS });
  } catch (cause) {
    throw new Error("Chromium did not start here, and the page cannot be tested without a browser", { cause });
  }
}

/** What stands in an element, in the order of the document. */
async function textOf(element: Locator): Promise<string> {
  return (await element.textContent()) ?? "";
}

function serve(facade: DrivenFacade, port = 0): Promise<HttpServer> {
  const logger = createLogger({ level: "silent" });
  return startHttpServer({ facade, host: "127.0.0.1", port, token: "a-token-of-the-test", logger });
}

page.before(async (context) => {
  await buildWeb();
  context.browser = await launch();
});

page.before.each(async (context) => {
  context.facade = new DrivenFacade();
  context.server = await serve(context.facade);
  context.complaints = [];
  context.page = await context.browser.newPage();
  context.page.setDefaultTimeout(VISIBLE_WITHIN_MS);
  context.page.on("pageerror", (error) => context.complaints.push(error.message));
  context.page.on("console", (line) => {
    if (line.type() === "error") context.complaints.push(line.text());
  });
});

page.after.each(async ({ page, server }) => {
  await page.close();
  await server.stop();
});

page.after(async ({ browser }) => {
  await browser.close();
});

page("shows the node, its network and what to do while nothing happens", async ({ page, server, complaints }) => {
  await page.goto(server.url);
  await page.getByText("in contact").waitFor();
  const header = await textOf(page.getByRole("banner"));
  for (const fact of ["alice.test", "testnet", "outlayer.test", "1,204", "3 h 0 min"]) assert.match(header, fact);
  const nodes = page.getByRole("region", { name: "Nodes" });
  assert.match(await textOf(nodes), "3 nodes, 7 seats, 1 peer connected");
  const rows = await nodes.getByRole("listitem").allInnerTexts();
  assert.match(rows[0]!, /alice\.test\s+this node\s+2 seats/);
  assert.match(rows[1]!, /bob\.test\s+4 seats\s+connected outbound, 12 ms, in the mesh/);
  assert.match(rows[2]!, /carol\.test\s+draining\s+1 seat\s+not connected/);
  assert.match(await textOf(page.getByRole("region", { name: "Requests under way" })), "request_execution");
  assert.match(await textOf(page.getByRole("region", { name: "Receipts" })), "None yet");
  assert.equal(complaints, []);
});

page("draws a request's life as it happens and then its receipt", async ({ page, facade, server, complaints }) => {
  await page.goto(server.url);
  await page.getByText("in contact").waitFor();
  const begunMs = Date.now();
  facade.requests = [
    openRequest(7, { holder: "bob.test", leaseEpoch: 0, leaseUntilHeight: 1_216, work: "running", commitments: 2 }),
  ];
  facade.tell(7, "seen", "from caller.test, to be answered by block 1390", begunMs);
  facade.tell(7, "leased", "held by bob.test until block 1216", begunMs + 600);
  facade.tell(7, "fetched", "", begunMs + 700);
  facade.tell(7, "running", "", begunMs + 800);

  const requests = page.getByRole("region", { name: "Requests under way" });
  await requests.getByText("held by bob.test, lease epoch 0").waitFor();
  const steps = await page.getByRole("list", { name: "Steps of request 7" }).getByRole("listitem").allTextContents();
  assert.equal(steps, [
    "seen, done+0.0 s",
    "intent, not at this node",
    "leased, done+0.6 s",
    "fetched, done+0.7 s",
    "running, going on",
    "committed, not yet",
    "revealed, not yet",
    "attested, not yet",
    "resolved, not yet",
  ]);
  const counts = await textOf(requests);
  for (const fact of ["lease ends in 12 blocks", "2 commitments", "0 attestations", "186 left"]) {
    assert.match(counts, fact);
  }

  facade.height = 1_205;
  await page.getByRole("banner").getByText("1,205").waitFor();

  facade.tell(7, "resolved", "success");
  facade.requests = [];
  facade.keep(keptReceipt(7));
  const receipts = page.getByRole("region", { name: "Receipts" });
  const row = receipts.locator("summary");
  await row.waitFor();
  const summary = await textOf(row);
  for (const fact of ["7", "resolved", '{"answer":42}', "1,234,567 fuel", "bob.test, 2 attestations"]) {
    assert.match(summary, fact);
  }
  // By keyboard alone: the row opens to everything that was kept.
  await row.focus();
  await page.keyboard.press("Enter");
  await receipts.getByText("alice.test, bob.test").waitFor();
  const detail = await textOf(receipts);
  assert.match(detail, "requested 1,200, leased 1,201, resolved 1,203");
  assert.match(detail, "0.00125 NEAR");
  assert.equal(JSON.parse(await textOf(receipts.locator("pre"))), keptReceipt(7));

  const log = await page.getByRole("list", { name: "Steps, newest first" }).getByRole("listitem").allInnerTexts();
  assert.is(log.length, 5);
  assert.match(log[0]!, /resolved success/);
  assert.equal(complaints, []);
});

page("shows text from the network as text", async ({ page, facade, server, complaints }) => {
  const markup = '<img src="x" onerror="document.title=1"><b>bold</b>';
  facade.tell(8, "abandoned", markup);
  facade.keep(keptReceipt(8, { output: markup }));
  await page.goto(server.url);
  await page.getByRole("region", { name: "Receipts" }).getByText(markup).first().waitFor();
  await page.getByRole("list", { name: "Steps, newest first" }).getByText(markup).waitFor();
  assert.is(await page.locator("b").count(), 0);
  assert.is(await page.locator("img").count(), 1, "the page's own icon");
  assert.equal(complaints, []);
});

page("reads older receipts when asked", async ({ page, facade }) => {
  for (let id = 1; id <= 30; id++) facade.keep(keptReceipt(id));
  // The events would tell them too: a new start of the server only reads them.
  const again = await serve(facade);
  try {
    await page.goto(again.url);
    const rows = page.getByRole("region", { name: "Receipts" }).locator("summary");
    await page.getByRole("button", { name: "Show older" }).waitFor();
    assert.is(await rows.count(), 25);
    await page.getByRole("button", { name: "Show older" }).click();
    await rows.nth(29).waitFor();
    assert.is(await rows.count(), 30);
    assert.is(await page.getByRole("button", { name: "Show older" }).count(), 0);
  } finally {
    await again.stop();
  }
});

page("says that the node is gone, and finds it again", async (context) => {
  const { page, facade, server } = context;
  await page.goto(server.url);
  await page.getByText("in contact").waitFor();
  await server.stop();
  await page.getByText("The node does not answer.").waitFor();
  facade.height = 2_000;
  context.server = await serve(facade, server.port);
  await page.getByText("2,000").waitFor();
  await page.getByText("The node does not answer.").waitFor({ state: "detached" });
});

page("fits a telephone, in either palette", async ({ page, facade, server }) => {
  facade.requests = [openRequest(9, { holder: "alice.test", leaseEpoch: 1, leaseUntilHeight: 1_216, work: "running" })];
  facade.keep(keptReceipt(9, { output: "x".repeat(400), holder: `${"h".repeat(60)}.test` }));
  await page.setViewportSize({ width: 375, height: 800 });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto(server.url);
    await page.getByRole("heading", { name: "Request 9" }).waitFor();
    await page.getByRole("region", { name: "Receipts" }).locator("summary").click();
    assert.is(await page.evaluate(() => document.documentElement.scrollWidth), 375);
  }
});

page("is not built again while its sources are the same", async () => {
  const stamp = new URL("../../dist/web/source.sha256", import.meta.url);
  const before = statSync(stamp).mtimeMs;
  await buildWeb();
  assert.is(statSync(stamp).mtimeMs, before);
});

page.run();

/** The pages: what is on the chain is on them, escaped, and nothing on them asks for anything else. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { DevChain, startDevChainServer } from "../../../devchain/index.ts";
import { compileProbe } from "../fixtures/probe.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "../fixtures/wallet.ts";

const alice = new Wallet("alice.test");
const chain = new DevChain({
  ...CHAIN_OPTIONS,
  chainId: "<pages>",
  accounts: [alice.genesis(), { accountId: "other.test", balanceYocto: 10n * NEAR, code: await compileProbe() }],
});
const hash = chain.submit(alice.call(chain, "other.test", "set", Buffer.from("<script>alert(1)</script>")));
for (let i = 0; i < 5; i++) chain.produceBlock();

async function get(path: string): Promise<{ status: number; text: string; headers: Headers }> {
  const server = await startDevChainServer(chain, { port: 0, blockIntervalMs: 0 });
  try {
    const response = await fetch(server.url + path, { redirect: "manual" });
    return { status: response.status, text: await response.text(), headers: response.headers };
  } finally {
    await server.stop();
  }
}

test("blocks, a block, a transaction with its receipts, and an account with its state", async () => {
  const { text: blocks } = await get("/");
  assert.match(blocks, `<a href="/block/${chain.head.height}">`);
  assert.match(blocks, "&lt;pages&gt;");
  const included = chain.transactions.transaction(hash)!.outcome.blockHeight;
  assert.match((await get(`/block/${included}`)).text, hash);
  assert.match((await get(`/transaction/${hash}`)).text, "stored 25");
  const { text: account } = await get("/account/other.test");
  assert.match(account, "&lt;script&gt;alert(1)&lt;/script&gt;");
  assert.not.match(account, "<script");
});

test("what does not exist is a 404, a search leads on", async () => {
  for (const path of ["/block/99999", "/block/x", "/transaction/x", "/account/nobody.test", "/search?q=%3Cb%3E"]) {
    assert.is((await get(path)).status, 404, path);
  }
  assert.is((await get("/search?q=3")).headers.get("location"), "/block/3");
  assert.is((await get(`/search?q=${hash}`)).headers.get("location"), `/transaction/${hash}`);
  assert.is((await get("/search?q=other.test")).headers.get("location"), "/account/other.test");
});

test("no page may load anything but its own stylesheet", async () => {
  const { headers, text } = await get("/");
  assert.match(headers.get("content-security-policy")!, "default-src 'none'; style-src 'self'");
  assert.not.match(text, /(?:src|href)="https?:/);
  const style = await get("/style.css");
  assert.match(style.headers.get("content-type")!, "text/css");
  assert.match(style.text, "light dark");
});

test.run();

/** The pages: what is on the chain is on them, escaped, and nothing on them asks for anything else. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { encodeBase58 } from "../../../devchain/codec/base58.ts";
import { DevChain, startDevChainServer } from "../../../devchain/index.ts";
import { compileProbe } from "../fixtures/probe.ts";
import { CHAIN_OPTIONS, NEAR, Wallet } from "../fixtures/wallet.ts";

const alice = new Wallet("alice.test");
/** A name that is base58 of 32 bytes as well. */
const HASHLIKE = encodeBase58(Buffer.alloc(32, 9)).toLowerCase().replaceAll(/[l0]/g, "a");
const chain = new DevChain({
  ...CHAIN_OPTIONS,
  chainId: "<pages>",
  accounts: [
    alice.genesis(),
    { accountId: "777777777", balanceYocto: NEAR },
    { accountId: HASHLIKE, balanceYocto: NEAR },
    { accountId: "other.test", balanceYocto: 10n * NEAR, code: await compileProbe() },
  ],
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
  const { outcome, receiptOutcomes } = chain.transactions.transaction(hash)!;
  const rows = [
    ["3", "/block/3"],
    [chain.block(outcome.blockHeight).hash, `/block/${outcome.blockHeight}`],
    [hash, `/transaction/${hash}`],
    [` ${hash} `, `/transaction/${hash}`],
    [receiptOutcomes[0]!.id, `/receipt/${receiptOutcomes[0]!.id}`],
    ["other.test", "/account/other.test"],
    ["777777777", "/account/777777777"],
    [HASHLIKE, `/account/${HASHLIKE}`],
  ] as const;
  for (const [asked, place] of rows) {
    const found = await get(`/search?q=${encodeURIComponent(asked)}`);
    assert.is(found.headers.get("location"), place, asked);
    assert.is((await get(place)).status, 200, place);
  }
  assert.is((await get(`/search?q=${"1".repeat(32)}`)).status, 404);
});

const linksOf = (text: string, kind: string) =>
  [...text.matchAll(/href="([^"]+)"/g)].map(([, link]) => link!).filter((link) => link.startsWith(kind));

test("a transaction leads to its receipts, a receipt to its transaction, its block and what came out of it", async () => {
  const { outcome, receiptOutcomes } = chain.transactions.transaction(hash)!;
  const ids = receiptOutcomes.map(({ id }) => id);
  assert.ok(ids.length > 1, "the call and a refund");
  const { text: transaction } = await get(`/transaction/${hash}`);
  assert.equal(new Set(linksOf(transaction, "/receipt/")), new Set(ids.map((id) => `/receipt/${id}`)));
  const { text: block } = await get(`/block/${receiptOutcomes[0]!.blockHeight}`);
  assert.ok(linksOf(block, "/receipt/").includes(`/receipt/${ids[0]}`));
  const { text: receipt } = await get(`/receipt/${ids[0]}`);
  assert.match(receipt, "FunctionCall");
  assert.match(receipt, "stored 25");
  assert.equal(linksOf(receipt, "/transaction/"), [`/transaction/${hash}`]);
  assert.equal(linksOf(receipt, "/block/"), [`/block/${receiptOutcomes[0]!.blockHeight}`]);
  assert.ok(linksOf(receipt, "/receipt/").includes(`/receipt/${receiptOutcomes[0]!.receiptIds[0]}`));
  const refund = (await get(`/receipt/${ids[1]}`)).text;
  assert.not.match(refund, 'href="/account/system"');
  assert.is(outcome.receiptIds[0], ids[0]);
  assert.is((await get("/receipt/x")).status, 404);
});

test("a receipt that has not run yet says so", async () => {
  const waiting = chain.submit(alice.call(chain, "other.test", "wait"));
  for (let i = 0; i < 3; i++) chain.produceBlock();
  const made = chain.transactions.transaction(waiting)!.receiptOutcomes.flatMap(({ receiptIds }) => receiptIds);
  const pages = await Promise.all(made.map(async (id) => (await get(`/receipt/${id}`)).text));
  assert.ok(pages.some((text) => text.includes("It has not run yet.") && text.includes("a yield")));
  assert.match((await get(`/transaction/${waiting}`)).text, "have not run yet");
});

test("state and changes come in pages, each record once", async () => {
  const names = Array.from({ length: 450 }, (_, index) => `record ${String(index).padStart(3, "0")} \xff`);
  const patches = names.map(
    (key) => ({ column: "data", accountId: "777777777", key, value: Buffer.from("v") }) as const,
  );
  const { height } = chain.produceBlock(undefined, patches);
  for (const first of ["/account/777777777", `/block/${height}`]) {
    const seen: string[] = [];
    let pages = 0;
    for (let next: string | undefined = first; next !== undefined; pages++) {
      const { text, status } = await get(next);
      assert.is(status, 200);
      seen.push(...[...text.matchAll(/<td>(0x[\da-f]+)<\/td>/g)].map(([, key]) => key!));
      const link: string | undefined = /href="(\?[^"]+)" rel="next"/.exec(text)?.[1];
      next = link === undefined ? undefined : first + link;
    }
    assert.is(pages, 3, first);
    assert.equal(
      seen,
      names.map((name) => `0x${Buffer.from(name, "latin1").toString("hex")}`),
      first,
    );
  }
  for (const odd of ["after=x", "after=", "after=zz", `after=${"ff".repeat(3000)}`]) {
    assert.is((await get(`/account/777777777?${odd}`)).status, 200);
  }
  assert.is((await get(`/block/${height}?from=-1`)).status, 200);
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

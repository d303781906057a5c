/** Pages on what is on the chain: blocks, transactions, their receipts, accounts. No script, nothing from elsewhere. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { DevChain } from "../chain/devchain.ts";
import { DevChainError } from "../chain/devchain-types.ts";
import type { Block, ExecutionOutcome } from "../chain/types.ts";
import { SYSTEM_ACCOUNT } from "../codec/account-id.ts";
import { parseHash, toHash } from "../codec/hash.ts";
import { actionView } from "./views.ts";

type Markup = ReturnType<typeof html>;

const BLOCKS_SHOWN = 50;
const RECORDS_SHOWN = 200;
const BYTES_SHOWN = 200;
const YOCTO_PER_NEAR = 10n ** 24n;
const GAS_PER_TGAS = 1e12;

const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

const STYLE = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 0 auto; padding: 1rem; color: light-dark(#1a1a1a, #e6e6e6); background: light-dark(#fff, #161616); }
a { color: light-dark(#0b57d0, #8ab4f8); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid light-dark(#ddd, #333); }
td, pre { overflow-wrap: anywhere; }
.at { min-width: 9rem; }
.gas { white-space: nowrap; }
pre { white-space: pre-wrap; margin: 0; }
.failed { color: light-dark(#b3261e, #f2b8b5); }
`;

const near = (yocto: bigint) => `${Number((yocto * 100_000n) / YOCTO_PER_NEAR) / 100_000} NEAR`;
const tgas = (gas: number) => `${(gas / GAS_PER_TGAS).toFixed(3)} Tgas`;
const time = (timestampNs: bigint) => new Date(Number(timestampNs / 1_000_000n)).toISOString();

/** Bytes as text where they are that, as hexadecimal digits where not. */
function printed(bytes: Uint8Array): string {
  const cut = Buffer.from(bytes.subarray(0, BYTES_SHOWN));
  const text = cut.toString("utf8");
  const readable = !/[^\P{Cc}\n\r\t]|\ufffd/u.test(text);
  return `${readable ? text : `0x${cut.toString("hex")}`}${bytes.length > BYTES_SHOWN ? " …" : ""}`;
}

function page(title: string, body: Markup): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <nav>
          <a href="/">Blocks</a>
          <form action="/search" method="get">
            <input name="q" aria-label="A block's height or hash, a transaction's hash, a receipt's id, or an account" placeholder="height, hash or account" maxlength="64" size="48" />
            <button>Show</button>
          </form>
        </nav>
        <h1>${title}</h1>
        ${body}
      </body>
    </html>`;
}

const blockLink = (block: Block) => html`<a href="/block/${block.height}">${block.height}</a>`;
const accountLink = (accountId: string) => html`<a href="/account/${accountId}">${accountId}</a>`;
const receiptLink = (id: string) => html`<a href="/receipt/${id}">${id}</a>`;
const transactionLink = (hash: string) => html`<a href="/transaction/${hash}">${hash}</a>`;

function blocksPage(chain: DevChain): Markup {
  const { head, oldestBlock } = chain;
  const lowest = Math.max(oldestBlock.height, head.height - BLOCKS_SHOWN + 1);
  const blocks = Array.from({ length: head.height - lowest + 1 }, (_, index) => chain.block(head.height - index));
  return page(
    chain.chainId,
    html`<p>Head ${head.height}, final ${chain.finalHead.height}, ${chain.pendingTransactions} transactions waiting.</p>
      <table>
        <tr><th>Block</th><th>Time</th><th>Transactions</th><th>Receipts</th><th>Gas</th></tr>
        ${blocks.map(
          (block) =>
            html`<tr>
              <td>${blockLink(block)}</td>
              <td>${time(block.timestampNs)}</td>
              <td>${block.transactions.length}</td>
              <td>${block.receipts.length}</td>
              <td>${tgas(block.gasUsed)}</td>
            </tr>`,
        )}
      </table>`,
  );
}

/** A link to what comes behind, as long as there is something. */
const nextLink = (more: number, query: string) =>
  more > 0 ? html`<p><a href="?${query}" rel="next">next ${Math.min(more, RECORDS_SHOWN)}</a> of ${more} more</p>` : "";

function blockPage(chain: DevChain, block: Block, from: number): Markup {
  const changes = chain.changes(block.height);
  const end = from + RECORDS_SHOWN;
  return page(
    `Block ${block.height}`,
    html`<p>${block.hash}, ${time(block.timestampNs)}, ${tgas(block.gasUsed)}</p>
      <h2>Transactions</h2>
      <ul>
        ${block.transactions.map((hash) => html`<li>${transactionLink(hash)}</li>`)}
      </ul>
      <h2>Receipts</h2>
      <ul>
        ${block.receipts.map((id) => html`<li>${receiptLink(id)} ${accountLink(chain.transactions.receipt(id)?.receiverId ?? "")}</li>`)}
      </ul>
      <h2>Changes of state: ${changes.length}</h2>
      <table>
        <tr><th>Account</th><th>What</th><th>Key</th></tr>
        ${changes.slice(from, end).map(
          (change) =>
            html`<tr>
              <td>${accountLink(change.accountId)}</td>
              <td>${change.column}${change.value === undefined ? " removed" : ""}</td>
              <td>${printed(Buffer.from(change.key, "latin1"))}</td>
            </tr>`,
        )}
      </table>
      ${nextLink(changes.length - end, `from=${end}`)}`,
  );
}

function outcomeRow(outcome: ExecutionOutcome, what: Markup): Markup {
  const { status } = outcome;
  const result =
    status.kind === "value"
      ? html`<pre>${printed(status.value)}</pre>`
      : status.kind === "receipt"
        ? html`waits for ${receiptLink(status.id)}`
        : html`<pre class="failed">${JSON.stringify(status.error)}</pre>`;
  return html`<tr>
    <td>${what}</td>
    <td><a href="/block/${outcome.blockHeight}">${outcome.blockHeight}</a></td>
    <td class="at">${accountLink(outcome.executorId)}</td>
    <td class="gas">${tgas(outcome.gasBurnt)}</td>
    <td>${result}${outcome.logs.map((line) => html`<pre>${line}</pre>`)}</td>
  </tr>`;
}

const outcomeTable = (rows: readonly Markup[]) =>
  html`<table>
    <tr><th>What</th><th>Block</th><th>At</th><th>Gas</th><th>Result and logs</th></tr>
    ${rows}
  </table>`;

function transactionPage(chain: DevChain, hash: string): Markup | undefined {
  const record = chain.transactions.transaction(hash);
  if (record === undefined) return undefined;
  const { signerId, receiverId, nonce, actions } = record.transaction;
  return page(
    "Transaction",
    html`<p>${hash}</p>
      <p>${accountLink(signerId)} to ${accountLink(receiverId)}, nonce ${nonce.toString()}</p>
      ${actions.map((action) => html`<pre>${JSON.stringify(actionView(action))}</pre>`)}
      ${outcomeTable([
        outcomeRow(record.outcome, html`the transaction`),
        ...record.receiptOutcomes.map((outcome) => outcomeRow(outcome, receiptLink(outcome.id))),
      ])}
      ${record.openReceipts + record.openRefunds > 0 ? html`<p>${record.openReceipts + record.openRefunds} receipts have not run yet.</p>` : ""}`,
  );
}

function receiptPage(chain: DevChain, id: string): Markup | undefined {
  const receipt = chain.transactions.receipt(id);
  if (receipt === undefined) return undefined;
  const { predecessorId, receiverId, transactionHash, inputDataIds } = receipt;
  const outcome = chain.transactions.transaction(transactionHash)?.receiptOutcomes.find((each) => each.id === id);
  return page(
    receipt.isYield ? "Receipt (a yield)" : "Receipt",
    html`<p>${id}</p>
      <p>${predecessorId === SYSTEM_ACCOUNT ? SYSTEM_ACCOUNT : accountLink(predecessorId)} to ${accountLink(receiverId)},
        of transaction ${transactionLink(transactionHash)}</p>
      ${receipt.actions.map((action) => html`<pre>${JSON.stringify(actionView(action))}</pre>`)}
      ${inputDataIds.length > 0 ? html`<p>Takes the data ${inputDataIds.join(", ")}.</p>` : ""}
      ${outcome === undefined ? html`<p>It has not run yet.</p>` : outcomeTable([outcomeRow(outcome, html`this receipt`)])}
      ${
        outcome === undefined || outcome.receiptIds.length === 0
          ? ""
          : html`<h2>Receipts that came out of it</h2>
            <ul>
              ${outcome.receiptIds.map((made) => html`<li>${receiptLink(made)}</li>`)}
            </ul>`
      }`,
  );
}

/** @param after the last key (latin1) of the page before */
function accountPage(chain: DevChain, accountId: string, after: string | undefined): Markup | undefined {
  const state = chain.stateAt("optimistic");
  const account = state.get("account", accountId, "");
  if (account === undefined) return undefined;
  const code = state.get("code", accountId, "");
  const keys = state.entries("accessKey", accountId);
  const records = state.entries("data", accountId);
  const rest = after === undefined ? records : records.filter(([key]) => key > after);
  const shown = rest.slice(0, RECORDS_SHOWN);
  const last = Buffer.from(shown.at(-1)?.[0] ?? "", "latin1").toString("hex");
  return page(
    accountId,
    html`<p>${near(account.amount)}, ${account.storageUsage} bytes, ${code ? `${code.length} bytes of code` : "no code"}</p>
      <h2>Keys: ${keys.length}</h2>
      <ul>
        ${keys
          .slice(0, RECORDS_SHOWN)
          .map(([key, { nonce, permission }]) => html`<li>${key}, ${permission.kind}, nonce ${nonce.toString()}</li>`)}
      </ul>
      <h2>State: ${records.length} records</h2>
      <table>
        ${shown.map(
          ([key, value]) =>
            html`<tr><td>${printed(Buffer.from(key, "latin1"))}</td><td><pre>${printed(value)}</pre></td></tr>`,
        )}
      </table>
      ${nextLink(rest.length - shown.length, `after=${last}`)}`,
  );
}

/** By its height or hash. */
function findBlock(chain: DevChain, asked: string): Block | undefined {
  try {
    if (/^\d{1,15}$/.test(asked)) return chain.block(Number(asked));
    const hash = parseHash(asked);
    return hash && chain.block(toHash(hash));
  } catch (error) {
    if (error instanceof DevChainError) return undefined;
    throw error;
  }
}

/** Where what was asked for is shown: an account may be called like a height, and look like a hash. */
function findPage(chain: DevChain, asked: string): string | undefined {
  const block = findBlock(chain, asked);
  if (block !== undefined) return `/block/${block.height}`;
  if (chain.transactions.transaction(asked) !== undefined) return `/transaction/${asked}`;
  if (chain.transactions.receipt(asked) !== undefined) return `/receipt/${asked}`;
  const account = chain.stateAt("optimistic").get("account", asked, "");
  return account === undefined ? undefined : `/account/${asked}`;
}

const countOf = (text: string | undefined) => (/^\d{1,9}$/.test(text ?? "") ? Number(text) : 0);
const keyOf = (text: string | undefined) =>
  text !== undefined && /^(?:[\da-f]{2}){0,2048}$/.test(text) ? Buffer.from(text, "hex").toString("latin1") : undefined;

export function createExplorer(chain: DevChain): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
  });
  const missing = page(
    "Not found",
    html`<p>There is no such block, transaction, receipt or account, or it is not kept any more.</p>`,
  );
  app.get("/", (context) => context.html(blocksPage(chain)));
  app.get("/style.css", (context) => context.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/block/:height", (context) => {
    const block = findBlock(chain, context.req.param("height"));
    return block === undefined
      ? context.html(missing, 404)
      : context.html(blockPage(chain, block, countOf(context.req.query("from"))));
  });
  app.get("/transaction/:hash", (context) => {
    const found = transactionPage(chain, context.req.param("hash"));
    return found === undefined ? context.html(missing, 404) : context.html(found);
  });
  app.get("/receipt/:id", (context) => {
    const found = receiptPage(chain, context.req.param("id"));
    return found === undefined ? context.html(missing, 404) : context.html(found);
  });
  app.get("/account/:accountId", (context) => {
    const found = accountPage(chain, context.req.param("accountId"), keyOf(context.req.query("after")));
    return found === undefined ? context.html(missing, 404) : context.html(found);
  });
  app.get("/search", (context) => {
    const asked = (context.req.query("q") ?? "").trim();
    const found = findPage(chain, asked);
    return found === undefined ? context.html(missing, 404) : context.redirect(found);
  });
  return app;
}

/** Pages on what is on the chain: blocks, transactions with their receipts, accounts. No script, nothing from elsewhere. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { DevChain } from "../chain/devchain.ts";
import { DevChainError } from "../chain/devchain-types.ts";
import type { Block, ExecutionOutcome } from "../chain/types.ts";
import { isAccountId } from "../codec/account-id.ts";
import { parseHash } from "../codec/hash.ts";
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
            <input name="q" aria-label="Height, hash or account" placeholder="height, hash or account" maxlength="64" />
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

function blockPage(chain: DevChain, block: Block): Markup {
  const changes = chain.changes(block.height);
  return page(
    `Block ${block.height}`,
    html`<p>${block.hash}, ${time(block.timestampNs)}, ${tgas(block.gasUsed)}</p>
      <h2>Transactions</h2>
      <ul>
        ${block.transactions.map((hash) => html`<li>${transactionLink(hash)}</li>`)}
      </ul>
      <h2>Receipts</h2>
      <ul>
        ${block.receipts.map((id) => html`<li>${id} ${accountLink(chain.transactions.receipt(id)?.receiverId ?? "")}</li>`)}
      </ul>
      <h2>Changes of state</h2>
      <table>
        <tr><th>Account</th><th>What</th><th>Key</th></tr>
        ${changes.slice(0, RECORDS_SHOWN).map(
          (change) =>
            html`<tr>
              <td>${accountLink(change.accountId)}</td>
              <td>${change.column}${change.value === undefined ? " removed" : ""}</td>
              <td>${printed(Buffer.from(change.key, "latin1"))}</td>
            </tr>`,
        )}
      </table>
      ${changes.length > RECORDS_SHOWN ? html`<p>${changes.length - RECORDS_SHOWN} more are not shown.</p>` : ""}`,
  );
}

function outcomeRow(outcome: ExecutionOutcome): Markup {
  const { status } = outcome;
  const result =
    status.kind === "value"
      ? html`<pre>${printed(status.value)}</pre>`
      : status.kind === "receipt"
        ? html`waits for ${status.id}`
        : html`<pre class="failed">${JSON.stringify(status.error)}</pre>`;
  return html`<tr>
    <td>${outcome.blockHeight}</td>
    <td>${accountLink(outcome.executorId)}</td>
    <td>${tgas(outcome.gasBurnt)}</td>
    <td>${result}${outcome.logs.map((line) => html`<pre>${line}</pre>`)}</td>
  </tr>`;
}

function transactionPage(chain: DevChain, hash: string): Markup | undefined {
  const record = chain.transactions.transaction(hash);
  if (record === undefined) return undefined;
  const { signerId, receiverId, nonce, actions } = record.transaction;
  return page(
    "Transaction",
    html`<p>${hash}</p>
      <p>${accountLink(signerId)} to ${accountLink(receiverId)}, nonce ${nonce.toString()}</p>
      ${actions.map((action) => html`<pre>${JSON.stringify(actionView(action))}</pre>`)}
      <table>
        <tr><th>Block</th><th>At</th><th>Gas</th><th>Result and logs</th></tr>
        ${[record.outcome, ...record.receiptOutcomes].map(outcomeRow)}
      </table>`,
  );
}

function accountPage(chain: DevChain, accountId: string): Markup | undefined {
  const state = chain.stateAt("optimistic");
  const account = state.get("account", accountId, "");
  if (account === undefined) return undefined;
  const code = state.get("code", accountId, "");
  const records = state.entries("data", accountId);
  return page(
    accountId,
    html`<p>${near(account.amount)}, ${account.storageUsage} bytes, ${code ? `${code.length} bytes of code` : "no code"}</p>
      <h2>Keys</h2>
      <ul>
        ${state
          .entries("accessKey", accountId)
          .map(([key, { nonce, permission }]) => html`<li>${key}, ${permission.kind}, nonce ${nonce.toString()}</li>`)}
      </ul>
      <h2>State: ${records.length} records</h2>
      <table>
        ${records
          .slice(0, RECORDS_SHOWN)
          .map(
            ([key, value]) =>
              html`<tr><td>${printed(Buffer.from(key, "latin1"))}</td><td><pre>${printed(value)}</pre></td></tr>`,
          )}
      </table>`,
  );
}

function findBlock(chain: DevChain, height: string): Block | undefined {
  try {
    return /^\d{1,15}$/.test(height) ? chain.block(Number(height)) : undefined;
  } catch (error) {
    if (error instanceof DevChainError) return undefined;
    throw error;
  }
}

export function createExplorer(chain: DevChain): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.header(name, value);
  });
  const missing = page(
    "Not found",
    html`<p>There is no such block, transaction or account, or it is not kept any more.</p>`,
  );
  app.get("/", (context) => context.html(blocksPage(chain)));
  app.get("/style.css", (context) => context.body(STYLE, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/block/:height", (context) => {
    const block = findBlock(chain, context.req.param("height"));
    return block === undefined ? context.html(missing, 404) : context.html(blockPage(chain, block));
  });
  app.get("/transaction/:hash", (context) => {
    const found = transactionPage(chain, context.req.param("hash"));
    return found === undefined ? context.html(missing, 404) : context.html(found);
  });
  app.get("/account/:accountId", (context) => {
    const found = accountPage(chain, context.req.param("accountId"));
    return found === undefined ? context.html(missing, 404) : context.html(found);
  });
  app.get("/search", (context) => {
    const asked = (context.req.query("q") ?? "").trim();
    if (/^\d+$/.test(asked)) return context.redirect(`/block/${asked}`);
    if (parseHash(asked) !== undefined) return context.redirect(`/transaction/${asked}`);
    return isAccountId(asked) ? context.redirect(`/account/${asked}`) : context.html(missing, 404);
  });
  return app;
}

/**
 * What the chain knows of its accounts. Writes go through a journal, so that a receipt that fails leaves no trace;
 * every block keeps what it overwrote, so that queries can look at the state as of an older block.
 */
import type { AccessKey, GlobalContractId } from "../codec/action.ts";
import type { Hash } from "../codec/hash.ts";
import type { PublicKey } from "../codec/public-key.ts";
import { DataTrie } from "./data-trie.ts";

export interface Account {
  readonly amount: bigint;
  readonly locked: bigint;
  /** Of its own code; `ZERO_HASH` without. */
  readonly codeHash: Hash;
  readonly storageUsage: number;
  /** The code it shares with others, in place of its own. */
  readonly globalContract?: GlobalContractId;
}

/** A yield waits, or somebody (or the timeout) has sent its data. */
export type YieldStatus = "waiting" | "resumed";

/** Code that accounts share. */
export interface GlobalCode {
  readonly code: Uint8Array<ArrayBuffer>;
  readonly codeHash: Hash;
}

/** What an account has at stake, as long as anything of it is locked. */
export interface Stake {
  readonly publicKey: PublicKey;
  /** In this epoch and the next. */
  readonly current: bigint;
  readonly next: bigint;
  /** Asked for in this epoch: from the epoch after the next on. */
  readonly proposed: bigint | undefined;
}

/** Columns by account and key; accounts, codes and stakes have the key "". Data keys are latin1, one character a byte. */
export interface Columns {
  account: Account;
  accessKey: AccessKey;
  code: Uint8Array<ArrayBuffer>;
  data: Uint8Array;
  /** By data id. */
  yield: YieldStatus;
  /** From a contract's own yield id (latin1) to the data id. */
  yieldId: Hash;
  stake: Stake;
  /** Of the account "", by what it is named by. */
  globalCode: GlobalCode;
}
export type Column = keyof Columns;

export type ChangeCause =
  | { readonly kind: "genesis" }
  | { readonly kind: "epoch" }
  | { readonly kind: "patch" }
  | { readonly kind: "transaction"; readonly hash: Hash }
  | { readonly kind: "receipt"; readonly hash: Hash };

export type StateChange = {
  [C in Column]: {
    readonly cause: ChangeCause;
    readonly column: C;
    readonly accountId: string;
    readonly key: string;
    /** Undefined when it was removed. */
    readonly value: Columns[C] | undefined;
  };
}[Column];

/** One value of the state, where it stands. */
export type StateRecord = {
  [C in Column]: {
    readonly column: C;
    readonly accountId: string;
    readonly key: string;
    readonly value: Columns[C];
  };
}[Column];

/** Reading the state at some block. */
export interface StateView {
  get<C extends Column>(column: C, accountId: string, key: string): Columns[C] | undefined;
  /** Everything an account has in a column, in the order of the keys. */
  entries<C extends Column>(column: C, accountId: string): [key: string, value: Columns[C]][];
  /** Every account that has something in a column, in order. */
  accounts(column: Column): string[];
}

interface Overwritten {
  readonly column: Column;
  readonly accountId: string;
  readonly key: string;
  readonly old: unknown;
}

interface BlockChanges {
  readonly overwritten: ReadonlyMap<string, Overwritten>;
  readonly changes: readonly StateChange[];
}

type Table = Map<string, Map<string, unknown>>;

const byKey = (a: [string, unknown], b: [string, unknown]) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);
const fullKey = (column: Column, accountId: string, key: string) => `${column}\0${accountId}\0${key}`;

export class State implements StateView {
  readonly #tables: Record<Column, Table> = {
    account: new Map(),
    accessKey: new Map(),
    code: new Map(),
    data: new Map(),
    yield: new Map(),
    yieldId: new Map(),
    stake: new Map(),
    globalCode: new Map(),
  };
  /** What the running receipt overwrote. */
  #journal = new Map<string, Overwritten>();
  #overwritten = new Map<string, Overwritten>();
  #changes: StateChange[] = [];
  #history: BlockChanges[] = [];
  readonly #historyBlocks: number;
  /** Height of the last closed block. */
  #height: number;

  /** Of the contracts' records as they were before the running block; undefined when nobody pays for its nodes. */
  readonly #trie: DataTrie | undefined;
  /** Records that the running block, or its running receipt, wrote or removed: they are looked up without the trie. */
  readonly #overlay = new Map<string, readonly [accountId: string, key: string]>();
  readonly #prospective = new Map<string, readonly [accountId: string, key: string]>();

  constructor(genesisHeight: number, historyBlocks: number, countsTrieNodes = false) {
    this.#height = genesisHeight - 1;
    this.#historyBlocks = historyBlocks;
    this.#trie = countsTrieNodes ? new DataTrie() : undefined;
  }

  /** Trie nodes that writing or removing a contract's record touches now, the one that holds its value included. */
  touchedNodes(accountId: string, key: string): number {
    const id = fullKey("data", accountId, key);
    if (this.#trie === undefined || this.#prospective.has(id) || this.#overlay.has(id)) return 0;
    const { nodes, found } = this.#trie.lookup(accountId, key);
    return found ? nodes + 1 : nodes;
  }

  /** Everything there is, by column, account and key. Must be called between blocks. */
  records(): StateRecord[] {
    const columns = Object.keys(this.#tables).sort() as Column[];
    return columns.flatMap((column) =>
      this.accounts(column).flatMap((accountId) =>
        this.entries(column, accountId).map(([key, value]) => ({ column, accountId, key, value }) as StateRecord),
      ),
    );
  }

  /** Puts these records in the place of everything, as of the block at `height`; what was before is forgotten. */
  restart(height: number, records: readonly StateRecord[]): void {
    for (const table of Object.values(this.#tables)) table.clear();
    this.#trie?.clear();
    this.#overlay.clear();
    for (const { column, accountId, key, value } of records) {
      this.#write(column, accountId, key, value);
      if (column === "data") this.#trie?.insert(accountId, key);
    }
    this.#history = [{ overwritten: new Map(), changes: [] }];
    this.#height = height;
  }

  get<C extends Column>(column: C, accountId: string, key: string): Columns[C] | undefined {
    return this.#tables[column].get(accountId)?.get(key) as Columns[C] | undefined;
  }

  entries<C extends Column>(column: C, accountId: string): [string, Columns[C]][] {
    const entries = [...(this.#tables[column].get(accountId) ?? [])] as [string, Columns[C]][];
    return entries.sort(byKey);
  }

  accounts(column: Column): string[] {
    return [...this.#tables[column].keys()].sort();
  }

  /** Writes, or removes with `undefined`. Values must not be changed afterwards. */
  set<C extends Column>(column: C, accountId: string, key: string, value: Columns[C] | undefined): void {
    const old = this.get(column, accountId, key);
    const id = fullKey(column, accountId, key);
    if (column === "data" && this.#trie !== undefined) this.#prospective.set(id, [accountId, key]);
    if (old === value) return;
    if (!this.#journal.has(id)) this.#journal.set(id, { column, accountId, key, old });
    this.#write(column, accountId, key, value);
  }

  commit(cause: ChangeCause): void {
    for (const [id, record] of this.#prospective) this.#overlay.set(id, record);
    this.#prospective.clear();
    for (const [id, entry] of this.#journal) {
      const { column, accountId, key } = entry;
      const value = this.get(column, accountId, key);
      if (value === entry.old) continue;
      if (!this.#overwritten.has(id)) this.#overwritten.set(id, entry);
      this.#changes.push({ cause, column, accountId, key, value } as StateChange);
    }
    this.#journal = new Map();
  }

  rollback(): void {
    this.#prospective.clear();
    for (const { column, accountId, key, old } of this.#journal.values()) this.#write(column, accountId, key, old);
    this.#journal = new Map();
  }

  /** Ends a block and returns its changes in the order they were made. */
  closeBlock(): readonly StateChange[] {
    if (this.#journal.size > 0) throw new Error("a block ends between receipts");
    const changes = this.#changes;
    this.#history.push({ overwritten: this.#overwritten, changes });
    if (this.#history.length > this.#historyBlocks) this.#history.shift();
    for (const [accountId, key] of this.#overlay.values()) {
      if (this.get("data", accountId, key) === undefined) this.#trie?.remove(accountId, key);
      else this.#trie?.insert(accountId, key);
    }
    this.#overlay.clear();
    this.#overwritten = new Map();
    this.#changes = [];
    this.#height++;
    return changes;
  }

  /** Undoes the last block that was closed. Must be called between blocks. */
  dropBlock(): void {
    const block = this.#history.pop();
    if (block === undefined || this.#history.length === 0) throw new Error("the block before is not kept");
    for (const { column, accountId, key, old } of block.overwritten.values()) {
      this.#write(column, accountId, key, old);
      if (column !== "data") continue;
      if (old === undefined) this.#trie?.remove(accountId, key);
      else this.#trie?.insert(accountId, key);
    }
    this.#height--;
  }

  /** The changes of a block, undefined when it is not kept (any more). */
  changesAt(height: number): readonly StateChange[] | undefined {
    return this.#history[this.#history.length - 1 - (this.#height - height)]?.changes;
  }

  /** The state after the block at `height`, which must be among those that are kept. */
  at(height: number): StateView {
    const behind = this.#height - height;
    if (behind === 0) return this;
    const newer = this.#history.slice(this.#history.length - behind);
    const entries = <C extends Column>(column: C, accountId: string) => {
      const current = new Map<string, unknown>(this.entries(column, accountId));
      for (const block of newer.toReversed()) {
        for (const entry of block.overwritten.values()) {
          if (entry.column !== column || entry.accountId !== accountId) continue;
          if (entry.old === undefined) current.delete(entry.key);
          else current.set(entry.key, entry.old);
        }
      }
      return ([...current] as [string, Columns[C]][]).sort(byKey);
    };
    return {
      get: <C extends Column>(column: C, accountId: string, key: string) => {
        const id = fullKey(column, accountId, key);
        const hit = newer.find((block) => block.overwritten.has(id));
        return hit ? (hit.overwritten.get(id)!.old as Columns[C] | undefined) : this.get(column, accountId, key);
      },
      entries,
      accounts: (column: Column) => {
        const touched = newer.flatMap((block) => [...block.overwritten.values()]);
        const candidates = new Set([
          ...this.accounts(column),
          ...touched.filter((entry) => entry.column === column).map(({ accountId }) => accountId),
        ]);
        return [...candidates].filter((accountId) => entries(column, accountId).length > 0).sort();
      },
    };
  }

  #write(column: Column, accountId: string, key: string, value: unknown): void {
    const table = this.#tables[column];
    let entries = table.get(accountId);
    if (value === undefined) {
      entries?.delete(key);
      if (entries?.size === 0) table.delete(accountId);
      return;
    }
    if (entries === undefined) {
      entries = new Map();
      table.set(accountId, entries);
    }
    entries.set(key, value);
  }
}

export function accessKeyBytes(publicKey: PublicKey, accessKey: AccessKey): number {
  const keyBytes = publicKey.startsWith("ed25519:") ? 33 : 65;
  const { permission } = accessKey;
  if (permission.kind === "FullAccess") return keyBytes + 9;
  const allowance = permission.allowance === undefined ? 1 : 17;
  const names = permission.methodNames.reduce((bytes, name) => bytes + 4 + Buffer.byteLength(name), 4);
  return keyBytes + 9 + allowance + 4 + permission.receiverId.length + names;
}

/**
 * Storage keys besides those that watchers read (`records.ts`). Their first bytes are all different, and none is one
 * of a watcher's, so that no name that somebody chooses can make one key look like another.
 */
import { BorshReader, BorshWriter } from "./borsh";
import { fresh, same } from "./buffer";
import { check, panic, read, remove, write } from "./host";

/** `prefix` ‖ bytes. */
export function keyOf(prefix: u8, bytes: Uint8Array): Uint8Array {
  const key = fresh(bytes.length + 1);
  key[0] = prefix;
  memory.copy(key.dataStart + 1, bytes.dataStart, bytes.length);
  return key;
}

/** `prefix` ‖ number, big-endian ‖ bytes. */
export function numberedKey(prefix: u8, number: u64, bytes: Uint8Array | null = null): Uint8Array {
  const key = fresh(9 + (bytes ? bytes.length : 0));
  key[0] = prefix;
  store<u64>(key.dataStart + 1, bswap<u64>(number));
  if (bytes) memory.copy(key.dataStart + 9, bytes.dataStart, bytes.length);
  return key;
}

/** A bounded list of names in one record, gone when it is empty. */
export class StoredList {
  items: Uint8Array[];

  constructor(private key: Uint8Array, private most: i32) {
    const bytes = read(key);
    this.items = bytes ? new BorshReader(bytes).list() : [];
  }

  indexOf(item: Uint8Array): i32 {
    for (let i = 0; i < this.items.length; i++) if (same(this.items[i], item)) return i;
    return -1;
  }

  add(item: Uint8Array): void {
    check(this.items.length < this.most, "TooMany: this account or project has as many as it may");
    this.items.push(item);
    this.save();
  }

  take(item: Uint8Array): void {
    const at = this.indexOf(item);
    if (at < 0) panic("BadRecord: a name is missing in its list");
    this.items.splice(at, 1);
    this.save();
  }

  private save(): void {
    if (this.items.length == 0) {
      remove(this.key);
      return;
    }
    const w = new BorshWriter(64 * this.items.length + 64);
    w.list(this.items);
    write(this.key, w.done());
  }
}

/** Opens the node's LevelDB and gives the library's errors their names. */
import { Level } from "level";
import { OperatingError, type OperatingErrorCode } from "../errors.ts";

export type Database = Level<string, Uint8Array>;
export type Table = ReturnType<typeof table>;

/** LevelDB's own cache and write buffer: blobs are files, so these stay small. */
const CACHE_BYTES = 4 * 1024 * 1024;
const WRITE_BUFFER_BYTES = 2 * 1024 * 1024;

const CODES: Record<string, OperatingErrorCode> = {
  LEVEL_LOCKED: "store_locked",
  LEVEL_CORRUPTION: "store_corrupted",
  LEVEL_DATABASE_NOT_OPEN: "store_closed",
};

/** @throws OperatingError store_locked, store_corrupted, store_unreadable */
export async function openDatabase(location: string): Promise<Database> {
  const database: Database = new Level(location, {
    keyEncoding: "utf8",
    valueEncoding: "view",
    cacheSize: CACHE_BYTES,
    writeBufferSize: WRITE_BUFFER_BYTES,
  });
  try {
    await database.open();
  } catch (error) {
    // The reason stands in the cause; the error itself only says that the database is not open.
    throw storeError(error instanceof Error && error.cause ? error.cause : error, { location });
  }
  return database;
}

export function table(database: Database, name: string) {
  return database.sublevel<string, Uint8Array>(name, { keyEncoding: "utf8", valueEncoding: "view" });
}

export function storeError(error: unknown, context: Record<string, string | number> = {}): OperatingError {
  if (error instanceof OperatingError) return error;
  const code = (error as { code?: string })?.code ?? "";
  return new OperatingError(CODES[code] ?? "store_unreadable", context, error);
}

/** The same bytes as a plain Uint8Array: a Buffer's `slice` shares where an array's copies, which callers may not expect. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

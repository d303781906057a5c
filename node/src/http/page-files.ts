/**
 * The built page, read once into memory: a request can then never name a path on the disk. Names other than
 * `index.html` and the icon carry the hash of their content, so browsers may keep them for good.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { MAX_PAGE_FILE_BYTES, MAX_PAGE_FILES } from "./limits.ts";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly etag: string;
  readonly cacheControl: string;
}

/** Files by the path that names them, `/` for the page itself; empty where it was not built. */
export async function readPageFiles(directory: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const name of await namesIn(directory)) {
    const contentType = CONTENT_TYPES[extname(name)];
    const path = join(directory, name);
    if (!contentType) continue;
    if (files.size >= MAX_PAGE_FILES) throw new RangeError(`${directory} holds more than ${MAX_PAGE_FILES} page files`);
    const sizeBytes = (await stat(path)).size;
    if (sizeBytes > MAX_PAGE_FILE_BYTES) throw new RangeError(`${path} is too large for the page: ${sizeBytes} bytes`);
    const bytes = new Uint8Array(await readFile(path));
    files.set(name === "index.html" ? "/" : `/${name}`, {
      bytes,
      contentType,
      etag: `"${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}"`,
      cacheControl: /-[A-Z0-9]{8}\.\w+$/.test(name) ? "public, max-age=31536000, immutable" : "no-cache",
    });
  }
  return files;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

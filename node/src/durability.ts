/** What it takes beyond syncing a file for its name to survive a power cut. */
import { open } from "node:fs/promises";

/** Brings new and removed names in a directory to disk. Windows cannot open directories, and keeps names by itself. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

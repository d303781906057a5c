// Fails in the way that its input names. For callers and operators who want to see what each failure looks like.
import { exit, fail, print, readInput, writeBytes } from "../../wasi/assembly/index";

const FLOOD_BYTES: i32 = 4096;
const PAGES_OF_4_GIB: i32 = 65536;

function recurse(depth: i32): i32 {
  return depth < 0 ? 0 : recurse(depth + 1) + 1;
}

function flood(): void {
  const bytes = new ArrayBuffer(FLOOD_BYTES);
  memory.fill(changetype<usize>(bytes), 0x2e, FLOOD_BYTES);
  while (true) writeBytes(1, changetype<usize>(bytes), FLOOD_BYTES);
}

const mode = String.UTF8.decode(readInput()).trim();
if (mode == "ok") {
  print("ok");
} else if (mode == "trap") {
  unreachable();
} else if (mode.startsWith("exit ")) {
  exit(<u32>parseInt(mode.substring(5), 10));
} else if (mode == "loop") {
  while (true) {}
} else if (mode == "flood") {
  flood();
} else if (mode == "memory") {
  if (memory.grow(PAGES_OF_4_GIB) == -1) fail("4 GiB were refused");
  print("4 GiB were granted");
} else if (mode == "recursion") {
  print(recurse(0).toString());
} else {
  fail('unknown mode "' + mode + '": ok, trap, exit N, loop, flood, memory, recursion');
}

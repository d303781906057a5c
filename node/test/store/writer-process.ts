/** Writes pairs of log records and blobs for ever, reporting each pair once it is answered; ended by its parent. */
import { bytes, openStore } from "./stores.ts";

const store = await openStore(process.argv[2] as string, 200_000);
const first = (await store.log.load()).length;
process.on("disconnect", () => process.exit(1));
for (let i = first; ; i++) {
  void store.content.put(bytes(`blob ${i} `.repeat(1000)));
  await store.log.append([
    { key: `left/${i}`, value: bytes(`${i}`) },
    { key: `right/${i}`, value: bytes(`${i}`) },
  ]);
  process.send?.(i);
}

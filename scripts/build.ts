/** `npm run build`: the contract, the guests and the page. Each part skips itself when its sources have not changed. */
import { buildContract } from "../contract/build.ts";
import { buildWeb } from "../node/build.ts";
import { buildGuests } from "../wasi-examples/build.ts";

await buildContract();
await buildGuests();
await buildWeb();

/**
 * `npm run build`: the contract, the guests, the page, and the program that brings them along. Each part skips itself
 * when its sources have not changed.
 */
import { buildContract } from "../contract/build.ts";
import { buildWeb } from "../node/build.ts";
import { buildProgram } from "../node/build-program.ts";
import { buildGuests } from "../wasi-examples/build.ts";

await buildContract();
await buildGuests();
await buildWeb();
await buildProgram();

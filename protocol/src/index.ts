/**
 * @outlayer/protocol: the rules of the network, pure. A driver makes one `WorkerMachine`, restores it, feeds it what
 * it sees of the chain and of its peers, and carries out the effects in their order:
 *
 * ```ts
 * const worker = new WorkerMachine({ accountId, publicKey, network, random, verify });
 * run(worker.step(now, { kind: "restored", records }));
 * world.onEvent((now, event) => run(worker.step(now, event)));   // `persist` is durable before what follows it
 * ```
 *
 * Deep imports (`@outlayer/protocol/wire/records`) name the rooms.
 */
export type { WorkerView } from "./worker/view.ts";
export { WorkerMachine } from "./worker/worker-machine.ts";

/**
 * The shape of every machine of the protocol.
 *
 * A machine is told what happened and answers what should be done. It has no clock, timer, network, disk, key or
 * randomness of its own: time is an argument, randomness a seeded {@link Random}, and everything else an effect
 * that the driver carries out and answers by a later event. Two drivers run the same machine: the node and the
 * simulator, so what the simulator finds is a fault of the product.
 *
 * The contract between machine and driver:
 * - effects are carried out in the order in which they stand; a `persist` is durable before the next effect starts;
 * - events may be late, repeated or out of order unless an event says otherwise;
 * - a machine never throws for bad input; it throws {@link InvariantError} for its own faults only.
 */
export type Millis = number;

export interface Machine<Event, Effect, View> {
  step(now: Millis, event: Event): readonly Effect[];
  view(): View;
}

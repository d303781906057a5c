/** @outlayer/sim: the network simulator. A scenario is data, a run is a function of scenario and seed. */
export { type Fault, SCENARIOS, type Scenario } from "./scenario.ts";
export { type Report, simulate } from "./simulation.ts";

import { test } from "uvu";
import * as assert from "uvu/assert";
import { CASES_PER_WORLD, faultOf, populatedWorld } from "./hostile.ts";
import { World } from "./world.ts";

const CASES = 2_000;

test(`${CASES} hostile calls end in a named refusal or in what they should do`, () => {
  const faults: string[] = [];
  const total = World.started([]).totalYocto();
  let world = populatedWorld();
  for (let number = 0; number < CASES; number++) {
    if (number > 0 && number % CASES_PER_WORLD === 0) {
      // Until nothing is on its way: then all money is where it was, or burnt.
      world.advance(220);
      world.settle();
      if (world.totalYocto() !== total) faults.push(`cases until ${number}: money was made or lost`);
      world = populatedWorld();
    }
    const fault = faultOf(world, number);
    if (fault !== undefined) faults.push(fault);
  }
  assert.equal(faults, []);
});

test.run();

/** Every method × every kind of caller, from the table of methods: a method that is missing there fails elsewhere. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CALLERS, type Caller, claimLeaseArgs, METHODS, type Method } from "../../client/index.ts";
import { expectOk, NEAR, OUTLAYER, World } from "./world.ts";

/** Who in the world below is what: the owner is also somebody's node in no test but this one. */
const PEOPLE: Readonly<Record<string, readonly Caller[]>> = {
  "owner.test": ["owner"],
  "operator.test": ["operator"],
  "alice.test": ["requester"],
  "bob.test": ["token"],
  "n0.test": ["node", "holder"],
  "n1.test": ["node", "member"],
  [OUTLAYER]: ["self"],
};

/** Values that get far enough for every check of who calls. */
const VALUES: Readonly<Record<string, unknown>> = {
  u16: 0,
  u32: 0,
  u64: 0,
  yocto: "1",
  usd: "1",
  account: "n1.test",
  hash: "00".repeat(32),
  base64: "",
  text: "x",
  bool: false,
  Response: { success: true, resources_used: { instructions: 0, time_ms: 0 } },
};

function argsOf(method: Method): string {
  const fields = Object.entries(method.args).map(([name, type]) => {
    if (name === "epoch") return [name, 1];
    return [name, type.endsWith("[]") ? [] : (VALUES[type.replace("?", "")] ?? {})];
  });
  return JSON.stringify(Object.fromEntries(fields));
}

/** alice.test has asked, n0.test holds the request, n1.test is a keystore member, bob.test is the token. */
function populated(): World {
  const world = World.started([1, 1]);
  world.ask();
  world.advance(30);
  expectOk(world.call("n0.test", "claim_lease", claimLeaseArgs({ requestId: 0, seat: 0, leaseEpoch: 0 })));
  expectOk(world.call("owner.test", "set_payment_token_contract", '{"token_contract":"bob.test"}'));
  const encryption_key = Buffer.alloc(48, 1).toString("base64");
  const phases = { deal_blocks: 100, complaint_blocks: 100, attest_blocks: 100 };
  const epoch = { members: [{ account_id: "n1.test", shares: 1, encryption_key }], threshold: 1, ...phases };
  expectOk(world.call("owner.test", "open_epoch", JSON.stringify(epoch)));
  return world;
}

const ACCESS_CODES = new Set<string>(Object.values(CALLERS).filter((code) => code !== undefined));
/** Codes that an open method gives to those who have no node or no part in the epoch: about its arguments, not its caller. */
const ABOUT_ARGUMENTS = new Set(["NotRegistered", "NotAMember"]);

test("every method lets in whom the table names, and nobody else", () => {
  let refused = 0;
  for (const [name, method] of Object.entries(METHODS)) {
    if (method.view) continue;
    const code = CALLERS[method.by];
    const args = argsOf(method);
    const world = populated();
    const mayCall = (roles: readonly Caller[]) => method.by === "anyone" || roles.includes(method.by);
    // Those who may come last: what they do (a new owner, say) is not to change who the others are.
    const callers = Object.entries(PEOPLE).sort(([, a], [, b]) => Number(mayCall(a)) - Number(mayCall(b)));
    for (const [person, roles] of callers) {
      const allowed = mayCall(roles);
      const seen = world.call(person, name, args, { depositYocto: method.payable ? NEAR : 0n }).panic;
      if (!allowed) {
        assert.is(seen, code, `${name} by ${person}`);
        refused++;
      } else if (seen !== undefined && ACCESS_CODES.has(seen)) {
        assert.ok(method.by === "anyone" && ABOUT_ARGUMENTS.has(seen), `${name} by ${person}: ${seen}`);
      }
    }
  }
  assert.ok(refused > 200);
});

test("views answer anybody, also about what does not exist", () => {
  const world = populated();
  for (const [name, method] of Object.entries(METHODS)) {
    if (!method.view) continue;
    const code = world.viewPanic(name, argsOf(method));
    assert.ok(code === undefined || !ACCESS_CODES.has(code), `${name}: ${code}`);
  }
});

test.run();

/**
 * Builds: which code a commit of a repository is. A committee of a request of that source signs it; what it signed is
 * bound, and from then on an answer about the source names this code. Recipes say how code is built; the owner lists
 * them. A binding counts for requests whose quorum is at most its own, so that no answer rests on fewer signatures than
 * it was asked for; one that the highest level contradicts is replaced (`dispute`).
 *
 * `a` → recipes; `b` ‖ sha256 of the canonical source → the build (`protocol/src/wire/builds.ts`).
 */
import { AnswerArguments } from "./answers";
import { hashField, ResultClaim } from "./attestations";
import { BorshReader, BorshWriter } from "./borsh";
import { EMPTY, same } from "./buffer";
import { emitBuild } from "./events";
import { attachedDeposit, blockHeight, check, predecessor, read, remove, returnBytes, sha256, transfer, write } from "./host";
import { callArguments } from "./json";
import { JsonWriter } from "./json-writer";
import { keyOf, StoredList } from "./keys";
import { MAX_RECIPES, RECORD_OVERHEAD_BYTES, YOCTO_PER_BYTE } from "./limits";
import { credit } from "./money";
import { ownerAction } from "./owner";
import { CodeSource, OutcomeRecord, RequestRecord, SOURCE_GITHUB } from "./records";
import { namedLease, Resolution } from "./results";
import { canonicalSource, parseCode } from "./sources";
import { State } from "./state";
import { U128 } from "./u128";

const RECIPES_PREFIX: u8 = 0x61;
const BUILD_PREFIX: u8 = 0x62;
/** The strength of a build that the highest level has signed: it counts for every request. */
const HIGHEST: u16 = u16.MAX_VALUE;

function recipes(): StoredList { return new StoredList(keyOf(RECIPES_PREFIX, EMPTY), MAX_RECIPES); }

function buildKey(source: CodeSource): Uint8Array | null {
  const canonical = source.kind == SOURCE_GITHUB ? canonicalSource(source) : null;
  return canonical ? keyOf(BUILD_PREFIX, sha256(canonical)) : null;
}

export class BuildRecord {
  codeHash: Uint8Array = EMPTY;
  recipeId: Uint8Array = EMPTY;
  detailsHash: Uint8Array = EMPTY;
  requestId: u64 = 0;
  quorum: u16 = 0;
  boundHeight: u64 = 0;
  /** Who stored it, and the deposit that comes back when another one takes its place. */
  payer: Uint8Array = EMPTY;
  deposit: U128 = new U128();
  signers: Uint8Array[] = [];

  private constructor(private key: Uint8Array) {}

  static of(claim: ResultClaim, request: RequestRecord, key: Uint8Array): BuildRecord {
    const build = new BuildRecord(key);
    build.codeHash = claim.codeHash;
    build.recipeId = claim.tapeHash;
    build.detailsHash = claim.responseHash;
    build.requestId = request.requestId;
    build.boundHeight = blockHeight();
    return build;
  }

  static find(source: CodeSource): BuildRecord | null {
    const key = buildKey(source);
    const bytes = key ? read(key) : null;
    if (!bytes) return null;
    const r = new BorshReader(bytes), build = new BuildRecord(key!);
    check(r.u8() == 1, "BadRecord: a build of another version");
    build.codeHash = r.raw(32);
    build.recipeId = r.raw(32);
    build.detailsHash = r.raw(32);
    build.requestId = r.u64();
    build.quorum = r.u16();
    build.boundHeight = r.u64();
    build.payer = r.bytes();
    build.deposit = r.u128();
    build.signers = r.list();
    return build;
  }

  private encode(): Uint8Array {
    const w = new BorshWriter(512);
    w.u8(1);
    w.raw(this.codeHash);
    w.raw(this.recipeId);
    w.raw(this.detailsHash);
    w.u64(this.requestId);
    w.u16(this.quorum);
    w.u64(this.boundHeight);
    w.bytes(this.payer);
    w.u128(this.deposit);
    w.list(this.signers);
    return w.done();
  }

  /** At the sender's deposit, which is given back when another build takes its place; what is too much comes back now. */
  storeFor(sender: Uint8Array): void {
    this.payer = sender;
    const bytes = this.key.length + this.encode().length + RECORD_OVERHEAD_BYTES, attached = attachedDeposit();
    this.deposit = new U128(YOCTO_PER_BYTE).times(bytes);
    check(!attached.lessThan(this.deposit), "InsufficientDeposit: the bytes of the build are not covered");
    write(this.key, this.encode());
    const rest = attached.minus(this.deposit);
    if (!rest.isZero()) transfer(sender, rest);
  }

  /** With the bytes and the deposit of the build that it takes the place of: it has no signers, so it is not longer. */
  storeInPlaceOf(struck: BuildRecord): void {
    this.payer = struck.payer;
    this.deposit = struck.deposit;
    this.quorum = HIGHEST;
    write(this.key, this.encode());
  }

  /** Gone, and its deposit is money to withdraw. */
  giveUp(state: State): void {
    remove(this.key);
    state.owes(this.deposit);
    credit(this.payer, this.deposit);
  }
}

/** A successful answer about a repository names the code that is bound for it, by signatures enough for the request. */
export function checkBound(request: RequestRecord, codeHash: Uint8Array): void {
  const build = BuildRecord.find(request.source);
  check(build != null && build.quorum >= request.quorum, "NotBuilt: no code is bound for this source at the request's level");
  check(same(codeHash, build!.codeHash), "WrongCode: code_hash is not what is bound for the request's source");
}

/** What a committee of an open request found its source to be; before the request is answered, by anybody. */
export function bind_build(): void {
  const fields = callArguments(), answer = AnswerArguments.ofBuild(fields);
  const resolution = Resolution.begin(answer.requestId), state = resolution.state, request = resolution.request;
  check(!OutcomeRecord.exists(answer.requestId), "AlreadyResolved: the request has its result");
  const key = buildKey(request.source);
  check(key != null, "BadSource: only a commit of a GitHub repository is built");
  const known = recipes();
  check(known.indexOf(answer.tapeHash) >= 0, "NoSuchRecipe: the recipe is not listed");
  const lease = namedLease(answer.requestId, answer.leaseEpoch), level = resolution.level();
  const claim = new ResultClaim(
    lease.leaseEpoch, lease.holder, answer.codeHash, hashField(fields, "details_hash"), answer.tapeHash, true,
  );
  const signed = resolution.attestations(claim, answer);
  const build = BuildRecord.of(claim, request, key!);
  build.quorum = level.leastSeats > 0 ? HIGHEST : request.quorum;
  for (let i = 0; i < signed.length; i++) build.signers.push(signed[i].accountId);
  const before = BuildRecord.find(request.source);
  if (before) {
    check(
      before.quorum < build.quorum || known.indexOf(before.recipeId) < 0,
      "AlreadyBound: by as many signatures and a recipe that is listed",
    );
    before.giveUp(state);
  }
  build.storeFor(predecessor());
  state.save();
  state.assertSolvent();
  emitBuild(state, "build_bound", build.requestId, build.codeHash, build.recipeId, build.quorum);
}

/** The highest level has signed `right` instead of `wrong`: where `wrong` is bound, `right` takes its place. */
export function replaceBuild(state: State, request: RequestRecord, wrong: ResultClaim, right: ResultClaim): bool {
  const struck = BuildRecord.find(request.source);
  if (!struck || !same(struck.codeHash, wrong.codeHash) || !same(struck.recipeId, wrong.tapeHash)) return false;
  const build = BuildRecord.of(right, request, buildKey(request.source)!);
  build.storeInPlaceOf(struck);
  emitBuild(state, "build_replaced", build.requestId, build.codeHash, build.recipeId, build.quorum);
  return true;
}

export function add_recipe(): void {
  const state = State.load(), fields = ownerAction(state, "add_recipe");
  if (!fields) return;
  const list = recipes(), recipe = hashField(fields, "recipe_id");
  check(list.indexOf(recipe) < 0, "RecipeExists: the recipe is listed");
  list.add(recipe);
  state.assertSolvent();
}

/** No more builds by it. What it has bound stays until a build by another recipe takes its place. */
export function retire_recipe(): void {
  const fields = ownerAction(State.load(), "retire_recipe");
  if (!fields) return;
  const list = recipes(), recipe = hashField(fields, "recipe_id");
  check(list.indexOf(recipe) >= 0, "NoSuchRecipe: the recipe is not listed");
  list.take(recipe);
}

export function get_recipes(): void {
  const list = recipes().items, out = new JsonWriter(2_048);
  out.byte(0x5b);
  for (let i = 0; i < list.length; i++) {
    if (i > 0) out.byte(0x2c);
    out.hex(list[i]);
  }
  out.byte(0x5d);
  returnBytes(out.done());
}

/** What is bound for a source; null where nothing is. */
export function get_build(): void {
  const build = BuildRecord.find(parseCode(callArguments().required("source").object()));
  const out = new JsonWriter(4_096);
  if (!build) out.literal("null");
  else {
    out.open();
    out.hexField("code_hash", build.codeHash);
    out.hexField("recipe_id", build.recipeId);
    out.hexField("details_hash", build.detailsHash);
    out.numberField("request_id", build.requestId);
    out.numberField("quorum", build.quorum);
    out.numberField("bound_height", build.boundHeight);
    out.textField("payer", build.payer);
    out.amountField("deposit", build.deposit);
    out.key("signers");
    out.textPage(build.signers, 0, build.signers.length);
    out.close();
  }
  returnBytes(out.done());
}

/**
 * Contradictions. `object` stops an answer that still waits; `dispute` shows, also after the request has settled, that
 * the highest level contradicts an answer that a quorum signed; `prove_equivocation` shows two statements of one node
 * about one request and lease. The last two need nothing but signatures, so they hold until unbonding ends.
 */
import { parseAccount } from "./accounts";
import { checkAttestations, claimOf, Level, parseAttestations, requestArgument, signersOf, BUILD_DOMAIN, RESULT_DOMAIN } from "./attestations";
import { BorshReader } from "./borsh";
import { assertGenuine } from "./ended";
import { replaceBuild } from "./builds";
import { fresh, same } from "./buffer";
import { parseBase64, parseSignature } from "./encoding";
import { emitObjection } from "./events";
import { attachedDeposit, blockHeight, check, currentAccount, predecessor, returnBytes, sha256, transfer, verifies } from "./host";
import { callArguments, Json, JsonObject } from "./json";
import { JsonWriter } from "./json-writer";
import { MAX_NAME_BYTES, MAX_STATEMENT_BYTES } from "./limits";
import { ObjectionRecord, ProposalRecord } from "./proposals";
import { NodeRecord, RequestRecord } from "./records";
import { assertUnpunished, slash } from "./slashing";
import { Draw, isEligible, ROLE_REPLAY } from "./sortition";
import { State } from "./state";
import { sameText, Text } from "./text";
import { U128 } from "./u128";

/** By a seat of the request's committee that did not sign, with a bond. From now on the highest level is needed. */
export function object(): void {
  const fields = callArguments();
  const requestId = fields.required("request_id").u64();
  const seat = <u32>fields.required("seat").upTo(u32.MAX_VALUE);
  const state = State.load();
  const request = RequestRecord.load(requestId);
  const account = predecessor();
  const node = NodeRecord.load(account);
  const proposal = ProposalRecord.load(requestId);
  check(blockHeight() <= proposal.finalHeight, "TooLate: the answer can no longer be objected to");
  check(seat < node.seatsFor(request), "NoSuchSeat: not a seat of this account for this request");
  const ticket = new Draw(currentAccount(), request.seed, ROLE_REPLAY, 0).ticket(account, seat);
  check(isEligible(ticket, request.replaySeats, request.seatsTotal), "NotInCommittee: not a seat of the committee");
  const signers: Uint8Array[] = [];
  for (let i = 0; i < proposal.outcome.attestations.length; i++) {
    signers.push(proposal.outcome.attestations[i].accountId);
    check(!same(signers[i], account), "SignedIt: the account signed the answer itself");
  }
  const bond = state.objectionBond, attached = attachedDeposit();
  check(!attached.lessThan(bond), "BondTooSmall: attach the objection's bond");
  // A node attaches what its endpoint calls the bond: what the endpoint makes up on top is not the node's to lose.
  const rest = attached.minus(bond);
  if (!rest.isZero()) transfer(account, rest);
  new ObjectionRecord(account, bond, proposal.claim(), signers).save(requestId);
  ProposalRecord.remove(requestId);
  state.owes(bond);
  state.save();
  state.assertSolvent();
  emitObjection(state, requestId, account);
}

/**
 * `request` is the stored record, whose hash both sides signed; `wrong` and `right` are answers with attestations,
 * the first enough for the request's level, the second for the highest, which counts seats.
 */
export function dispute(): void {
  const fields = callArguments();
  const state = State.load();
  const request = requestArgument(fields);
  const wrongFields = fields.required("wrong").object(), rightFields = fields.required("right").object();
  const wrong = claimOf(wrongFields), right = claimOf(rightFields);
  check(wrong.contradicts(right), "SameResult: the two answers do not contradict each other");
  checkAttestations(parseAttestations(rightFields.required("attestations")), state, request, right, Level.highest(state, request));
  const accused = signersOf(parseAttestations(wrongFields.required("attestations")), state, request, wrong);
  const reporter = predecessor();
  let reward = new U128();
  for (let i = 0; i < accused.length; i++) {
    reward = reward.plus(slash(
      state, accused[i].accountId, request.requestId, request.replaySeats, reporter, wrong.resultHash(),
    ));
  }
  const replaced = wrong.isBuild && replaceBuild(state, request, wrong, right);
  check(replaced || !reward.isZero(), "AlreadyPunished: nobody is left to be slashed for this request");
  conclude(state, reward);
}

function conclude(state: State, reward: U128): void {
  state.save();
  state.assertSolvent();
  const out = new JsonWriter();
  out.amount(reward);
  returnBytes(out.done());
}

/** The part of a statement up to the lease's holder: one request of this contract and one lease. */
class Subject {
  requestId: u64;
  bytes: Uint8Array;

  constructor(state: State, statement: Uint8Array) {
    const r = new BorshReader(statement);
    const domain = r.bytes(), isResult = sameText(domain, RESULT_DOMAIN);
    check(isResult || sameText(domain, BUILD_DOMAIN), "NotAStatement: neither a result nor a build");
    check(
      same(r.bytes(), state.chainId) && same(r.bytes(), currentAccount()),
      "ForeignStatement: about another chain or contract",
    );
    this.requestId = r.u64();
    const digest = r.raw(32);
    r.u32();
    r.bytes();
    this.bytes = statement.subarray(0, r.position);
    assertGenuine(this.requestId, digest);
    r.raw(isResult ? RESULT_REST_BYTES : BUILD_REST_BYTES);
    check(r.position == statement.length, "NotAStatement: bytes after its end");
  }
}

/** Code hash, class, cost version, input hash, seed, response hash, tape hash. */
const RESULT_REST_BYTES: i32 = 32 + 1 + 2 + 4 * 32;
/** Code hash, seed, details hash, recipe id. */
const BUILD_REST_BYTES: i32 = 4 * 32;

function signedStatement(fields: JsonObject, name: Text, node: NodeRecord): Uint8Array {
  const signed = fields.required(name).object();
  const statement = parseBase64(signed.required("statement").text(MAX_STATEMENT_BYTES));
  const signature = parseSignature(signed.required("signature").text(MAX_NAME_BYTES));
  check(verifies(signature, sha256(statement), node.publicKey), "BadSignature: not this node's signature");
  return statement;
}

export function prove_equivocation(): void {
  const fields = callArguments();
  const account = parseAccount(fields.required("account_id"));
  const state = State.load();
  const node = NodeRecord.load(account);
  const first = signedStatement(fields, "first", node), second = signedStatement(fields, "second", node);
  const subject = new Subject(state, first), other = new Subject(state, second);
  check(same(subject.bytes, other.bytes), "NotAContradiction: about another request or lease");
  check(!same(first, second), "NotAContradiction: the same statement twice");
  assertUnpunished(account, subject.requestId);
  conclude(state, slash(state, account, subject.requestId, 0, predecessor(), fresh(32)));
}

//! The oracle: near-vm-runner 0.38.0 behind standard input, so that the embedded chain can be compared with it.
//!
//! Reads scenarios, one JSON object a line, and writes one JSON object a line for every call of them:
//!
//!   in   {"wasm": base64, "calls": [{"method": "main", "args": base64, "gas": 1000, ...}]}
//!   out  {"burnt", "used", "storageUsage", "balance", "logs", "returned", "failure", "actions", "storage"}
//!
//! A call that fails, and a view, leave the state as it was. What stands in `Call` has its defaults there; the
//! embedded chain's side of the comparison uses the same ones.

mod external;

use external::ChainExternal;

use base64::{Engine, engine::general_purpose::STANDARD};
use near_parameters::{RuntimeConfig, RuntimeConfigStore};
use near_primitives_core::account::AccountContract;
use near_primitives_core::config::ViewConfig;
use near_primitives_core::hash::{CryptoHash, hash};
use near_primitives_core::types::{Balance, Gas};
use near_primitives_core::version::PROTOCOL_VERSION;
use near_vm_runner::logic::errors::{CompilationError, FunctionCallError};
use near_vm_runner::logic::types::{PromiseResult, ReturnData};
use near_vm_runner::logic::{VMContext, VMOutcome};
use near_vm_runner::{Contract, ContractCode, MockContractRuntimeCache, prepare, run};
use serde::Deserialize;
use serde_json::{Value, json};
use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::Arc;

/// The protocol whose tables the embedded chain has.
const EXPECTED_PROTOCOL: u32 = 88;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Scenario {
    /// Base64.
    wasm: String,
    #[serde(default = "initial_storage_usage")]
    storage_usage: u64,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
struct Call {
    method: String,
    /// Base64.
    args: String,
    gas: u64,
    view: bool,
    current: String,
    signer: String,
    predecessor: String,
    /// Yocto, as decimal text.
    balance: String,
    deposit: String,
    block_height: u64,
    timestamp_ns: String,
    /// Base64, or null for a failed promise.
    promise_results: Vec<Option<String>>,
    output_receivers: Vec<String>,
}

fn initial_storage_usage() -> u64 {
    1_000
}

impl Default for Call {
    fn default() -> Self {
        Call {
            method: "main".into(),
            args: String::new(),
            gas: 300_000_000_000_000,
            view: false,
            current: "contract.test".into(),
            signer: "alice.test".into(),
            predecessor: "alice.test".into(),
            balance: "100000000000000000000000000".into(),
            deposit: "0".into(),
            block_height: 100,
            timestamp_ns: "1700000000000000000".into(),
            promise_results: Vec::new(),
            output_receivers: Vec::new(),
        }
    }
}

type Fallible<T> = Result<T, Box<dyn Error>>;

fn context(
    call: &Call,
    storage_usage: u64,
    config: &RuntimeConfig,
    code_hash: CryptoHash,
) -> Fallible<VMContext> {
    let results = call
        .promise_results
        .iter()
        .map(|result| match result {
            Some(text) => Ok(PromiseResult::Successful(STANDARD.decode(text)?.into())),
            None => Ok(PromiseResult::Failed),
        })
        .collect::<Fallible<Vec<_>>>()?;
    Ok(VMContext {
        current_account_id: call.current.parse()?,
        signer_account_id: call.signer.parse()?,
        signer_account_pk: vec![0; 33],
        predecessor_account_id: call.predecessor.parse()?,
        refund_to_account_id: call.predecessor.parse()?,
        input: STANDARD.decode(&call.args)?.into(),
        promise_results: Arc::from(results),
        block_height: call.block_height,
        block_timestamp: call.timestamp_ns.parse()?,
        epoch_height: 1,
        account_balance: Balance::from_yoctonear(call.balance.parse()?),
        account_locked_balance: Balance::ZERO,
        storage_usage,
        account_contract: AccountContract::Local(code_hash),
        attached_deposit: Balance::from_yoctonear(call.deposit.parse()?),
        prepaid_gas: Gas::from_gas(call.gas),
        random_seed: vec![7; 32],
        view_config: call.view.then(|| ViewConfig {
            max_gas_burnt: config.wasm_config.limit_config.max_gas_burnt,
        }),
        output_data_receivers: call
            .output_receivers
            .iter()
            .map(|receiver| receiver.parse())
            .collect::<Result<_, _>>()?,
    })
}

/// `kind` is the outer variant, `name` the inner one, `text` what users read.
fn failure_json(failure: &FunctionCallError) -> Value {
    let debug = |inner: &dyn std::fmt::Debug| {
        let text = format!("{inner:?}");
        text.split([' ', '(', '{'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let name = match failure {
        FunctionCallError::HostError(inner) => debug(inner),
        FunctionCallError::WasmTrap(inner) => debug(inner),
        FunctionCallError::MethodResolveError(inner) => debug(inner),
        FunctionCallError::CompilationError(CompilationError::PrepareError(inner)) => debug(inner),
        FunctionCallError::CompilationError(inner) => debug(inner),
        FunctionCallError::LinkError { .. } | FunctionCallError::LoadingError { .. } => {
            String::new()
        }
    };
    json!({ "kind": debug(failure), "name": name, "text": failure.to_string() })
}

/// Number of records, and SHA-256 over all of them in the order of their keys, each part after its length.
fn storage_json(external: &ChainExternal) -> Value {
    let mut records: Vec<_> = external.mock.fake_trie.iter().collect();
    records.sort();
    let mut bytes = Vec::new();
    for (key, value) in &records {
        for part in [key, value] {
            bytes.extend((part.len() as u32).to_le_bytes());
            bytes.extend(part.iter());
        }
    }
    let digest: String = hash(&bytes)
        .0
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({ "records": records.len(), "sha256": digest })
}

fn outcome_json(
    outcome: &VMOutcome,
    external: &ChainExternal,
    first_action: usize,
) -> Fallible<Value> {
    let returned = match &outcome.return_data {
        ReturnData::Value(value) => json!({ "kind": "value", "base64": STANDARD.encode(value) }),
        ReturnData::ReceiptIndex(_) => json!({ "kind": "receipt" }),
        ReturnData::None => json!({ "kind": "none" }),
    };
    Ok(json!({
        "burnt": outcome.burnt_gas.as_gas(),
        "used": outcome.used_gas.as_gas(),
        "storageUsage": outcome.storage_usage,
        "balance": outcome.balance.as_yoctonear().to_string(),
        "logs": outcome.logs,
        "returned": returned,
        "failure": outcome.aborted.as_ref().map(failure_json),
        "actions": serde_json::to_value(&external.mock.action_log[first_action..])?,
    }))
}

fn run_scenario(line: &str, config: &RuntimeConfig, out: &mut impl Write) -> Fallible<()> {
    let scenario: Scenario = serde_json::from_str(line)?;
    let cache = MockContractRuntimeCache::default();
    let mut external =
        ChainExternal::with_code(ContractCode::new(STANDARD.decode(&scenario.wasm)?, None));
    let mut storage_usage = scenario.storage_usage;
    for call in &scenario.calls {
        external.first_action = external.mock.action_log.len();
        let context = context(call, storage_usage, config, external.hash())?;
        let before = external.clone();
        let gas = context.make_gas_counter(&config.wasm_config);
        let prepared = prepare(
            &external,
            config.wasm_config.clone(),
            Some(&cache),
            gas,
            &call.method,
        );
        let outcome = run(prepared, &mut external, &context, config.fees.clone())?;
        let mut answer = outcome_json(&outcome, &external, before.mock.action_log.len())?;
        if outcome.aborted.is_some() || call.view {
            external = before;
        } else {
            storage_usage = outcome.storage_usage;
        }
        answer["storage"] = storage_json(&external);
        serde_json::to_writer(&mut *out, &answer)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

fn main() -> Fallible<()> {
    if PROTOCOL_VERSION != EXPECTED_PROTOCOL {
        return Err(format!(
            "these crates are protocol {PROTOCOL_VERSION}, not {EXPECTED_PROTOCOL}"
        )
        .into());
    }
    let store = RuntimeConfigStore::new(None);
    let config = store.get_config(PROTOCOL_VERSION);
    let mut out = stdout().lock();
    for line in stdin().lock().lines() {
        run_scenario(&line?, config, &mut out)?;
    }
    Ok(())
}

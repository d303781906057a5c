//! The chain behind a call: near-vm-runner's mock, and what nearcore's own (`runtime/src/ext.rs`) does beside it
//! where a contract can see it: values that a write or a removal reads are paid for, method names are UTF-8.
//! Touched trie nodes are not counted: the mock has no trie.

use near_crypto::PublicKey;
use near_primitives::universal_state_init::{UniversalStateInit, state_init_send_counts};
use near_primitives_core::hash::{CryptoHash, YieldId};
use near_primitives_core::types::{AccountId, Balance, Gas, GasWeight, Nonce, NonceIndex};
use near_primitives_core::universal_state_init::{
    DecodeMode, RawStateInit, StateInitError, UniversalStateInitCounts,
};
use near_vm_runner::logic::mocks::mock_external::{MockAction, MockedExternal};
use near_vm_runner::logic::types::{
    ActionIndex, GlobalContractDeployMode, GlobalContractIdentifier, ReceiptIndex,
};
use near_vm_runner::logic::{External, HostError, StorageAccessTracker, VMLogicError, ValuePtr};
use near_vm_runner::{Contract, ContractCode};
use std::sync::Arc;

type Result<T, E = VMLogicError> = std::result::Result<T, E>;

#[derive(Clone)]
pub struct ChainExternal {
    pub mock: MockedExternal,
    /// Where the actions of the running call begin in the mock's log.
    pub first_action: usize,
}

impl ChainExternal {
    pub fn with_code(code: ContractCode) -> Self {
        Self {
            mock: MockedExternal::with_code(code),
            first_action: 0,
        }
    }
}

impl ChainExternal {
    /// The mock numbers receipts and actions by their place in its one log; nearcore's receipt manager counts the
    /// receipts of a call, and the actions of a receipt.
    fn receipt_number(&self, receipt_index: ReceiptIndex) -> u64 {
        self.mock.action_log[self.first_action..receipt_index as usize]
            .iter()
            .filter(|action| is_receipt(action))
            .count() as u64
    }

    /// Places in the log of the actions of a receipt.
    fn actions_of(&self, receipt_index: ReceiptIndex) -> Vec<usize> {
        (self.first_action..self.mock.action_log.len())
            .filter(|place| receipt_of(&self.mock.action_log[*place]) == Some(receipt_index))
            .collect()
    }
}

fn is_receipt(action: &MockAction) -> bool {
    matches!(
        action,
        MockAction::CreateReceipt { .. } | MockAction::YieldCreate { .. }
    )
}

/// The receipt that an entry of the log puts an action into.
fn receipt_of(action: &MockAction) -> Option<ReceiptIndex> {
    if matches!(action, MockAction::SetRefundTo { .. }) {
        return None;
    }
    let entry = serde_json::to_value(action).ok()?;
    entry
        .as_object()?
        .values()
        .next()?
        .get("receipt_index")?
        .as_u64()
}

impl Contract for ChainExternal {
    fn hash(&self) -> CryptoHash {
        self.mock.hash()
    }

    fn get_code(&self) -> Option<Arc<ContractCode>> {
        self.mock.get_code()
    }
}

/// Hands functions of the trait on to the mock as they are.
macro_rules! delegate {
    ($(fn $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(fn $name(&self, $($arg: $type),*) $(-> $result)? { self.mock.$name($($arg),*) })*
    };
    (mut $(fn $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(fn $name(&mut self, $($arg: $type),*) $(-> $result)? { self.mock.$name($($arg),*) })*
    };
}

fn require_utf8(names: &[&[u8]]) -> Result<()> {
    match names.iter().all(|name| std::str::from_utf8(name).is_ok()) {
        true => Ok(()),
        false => Err(HostError::InvalidMethodName.into()),
    }
}

impl External for ChainExternal {
    fn storage_set<'a>(
        &'a mut self,
        tracker: &mut dyn StorageAccessTracker,
        key: &[u8],
        value: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let length = self
            .mock
            .fake_trie
            .get(key)
            .map(|evicted| evicted.len() as u64);
        if let Some(length) = length {
            tracker.deref_write_evicted_value_bytes(length)?;
        }
        self.mock.storage_set(tracker, key, value)
    }

    fn storage_get<'a>(
        &'a self,
        tracker: &mut dyn StorageAccessTracker,
        key: &[u8],
    ) -> Result<Option<Box<dyn ValuePtr + 'a>>> {
        self.mock.storage_get(tracker, key)
    }

    fn storage_remove(
        &mut self,
        tracker: &mut dyn StorageAccessTracker,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let length = self
            .mock
            .fake_trie
            .get(key)
            .map(|removed| removed.len() as u64);
        if let Some(length) = length {
            tracker.deref_removed_value_bytes(length)?;
        }
        self.mock.storage_remove(tracker, key)
    }

    fn storage_has_key(
        &mut self,
        tracker: &mut dyn StorageAccessTracker,
        key: &[u8],
    ) -> Result<bool> {
        self.mock.storage_has_key(tracker, key)
    }

    fn append_action_function_call_weight(
        &mut self,
        receipt_index: ReceiptIndex,
        method_name: Vec<u8>,
        args: Vec<u8>,
        attached_deposit: Balance,
        prepaid_gas: Gas,
        gas_weight: GasWeight,
    ) -> Result<()> {
        require_utf8(&[&method_name])?;
        self.mock.append_action_function_call_weight(
            receipt_index,
            method_name,
            args,
            attached_deposit,
            prepaid_gas,
            gas_weight,
        )
    }

    fn append_action_add_key_with_function_call(
        &mut self,
        receipt_index: ReceiptIndex,
        public_key: PublicKey,
        nonce: Nonce,
        allowance: Option<Balance>,
        receiver_id: AccountId,
        method_names: Vec<Vec<u8>>,
    ) -> Result<()> {
        require_utf8(&method_names.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        self.mock.append_action_add_key_with_function_call(
            receipt_index,
            public_key,
            nonce,
            allowance,
            receiver_id,
            method_names,
        )
    }

    fn append_action_add_gas_key_with_function_call(
        &mut self,
        receipt_index: ReceiptIndex,
        public_key: PublicKey,
        num_nonces: NonceIndex,
        allowance: Option<Balance>,
        receiver_id: AccountId,
        method_names: Vec<Vec<u8>>,
    ) -> Result<()> {
        require_utf8(&method_names.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        self.mock.append_action_add_gas_key_with_function_call(
            receipt_index,
            public_key,
            num_nonces,
            allowance,
            receiver_id,
            method_names,
        )
    }

    /// As nearcore's `RuntimeExt` does: with the decoder of near-primitives.
    fn check_state_init(&self, state_init: &RawStateInit) -> Result<(), StateInitError> {
        UniversalStateInit::from_raw_strict(state_init).map(|_| ())
    }

    fn state_init_send_counts(
        &self,
        state_init: &RawStateInit,
        mode: DecodeMode,
    ) -> UniversalStateInitCounts {
        state_init_send_counts(state_init, mode)
    }

    fn append_action_deterministic_state_init(
        &mut self,
        receipt_index: ReceiptIndex,
        contract_id: GlobalContractIdentifier,
        amount: Balance,
    ) -> ActionIndex {
        let number = self.actions_of(receipt_index).len() as ActionIndex;
        self.mock
            .append_action_deterministic_state_init(receipt_index, contract_id, amount);
        number
    }

    fn set_deterministic_state_init_data_entry(
        &mut self,
        receipt_index: ReceiptIndex,
        action_index: ActionIndex,
        key: Vec<u8>,
        value: Vec<u8>,
    ) -> Result<(), VMLogicError> {
        let place = usize::try_from(action_index)
            .ok()
            .and_then(|index| self.actions_of(receipt_index).get(index).copied())
            .filter(|place| {
                matches!(
                    self.mock.action_log[*place],
                    MockAction::DeterministicStateInit { .. }
                )
            });
        match place {
            Some(place) => self.mock.set_deterministic_state_init_data_entry(
                receipt_index,
                place as ActionIndex,
                key,
                value,
            ),
            None => Err(HostError::InvalidActionIndex {
                receipt_index: self.receipt_number(receipt_index),
                action_index,
            }
            .into()),
        }
    }

    fn get_receipt_receiver(&self, receipt_index: ReceiptIndex) -> &AccountId {
        self.mock.get_receipt_receiver(receipt_index)
    }

    delegate! {
        fn get_recorded_storage_size() -> usize;
        fn storage_proof_size_before_receipt() -> usize;
        fn validator_stake(account_id: &AccountId) -> Result<Option<Balance>>;
        fn validator_total_stake() -> Result<Balance>;
        fn chain_id() -> String;
        fn post_quantum_keys_enabled() -> bool;
    }

    delegate! { mut
        fn generate_data_id() -> CryptoHash;
        fn create_action_receipt(receipt_indices: Vec<ReceiptIndex>, receiver_id: AccountId) -> Result<ReceiptIndex, VMLogicError>;
        fn create_promise_yield_receipt(receiver_id: AccountId) -> Result<(ReceiptIndex, CryptoHash), VMLogicError>;
        fn create_promise_yield_receipt_with_id(receiver_id: AccountId, user_yield_id: YieldId) -> Result<Option<(ReceiptIndex, CryptoHash)>, VMLogicError>;
        fn submit_promise_resume_data(data_id: CryptoHash, data: Vec<u8>) -> Result<bool, VMLogicError>;
        fn submit_promise_resume_data_with_yield_id(user_yield_id: YieldId, data: Vec<u8>) -> Result<bool, VMLogicError>;
        fn append_action_create_account(receipt_index: ReceiptIndex);
        fn append_action_deploy_contract(receipt_index: ReceiptIndex, code: Vec<u8>);
        fn append_action_deploy_global_contract(receipt_index: ReceiptIndex, code: Vec<u8>, mode: GlobalContractDeployMode);
        fn append_action_use_global_contract(receipt_index: ReceiptIndex, contract_id: GlobalContractIdentifier);
        fn append_action_universal_state_init(receipt_index: ReceiptIndex, state_init: RawStateInit, amount: Balance);
        fn append_action_transfer(receipt_index: ReceiptIndex, deposit: Balance);
        fn append_action_transfer_to_gas_key(receipt_index: ReceiptIndex, public_key: PublicKey, deposit: Balance);
        fn append_action_add_gas_key_with_full_access(receipt_index: ReceiptIndex, public_key: PublicKey, num_nonces: NonceIndex);
        fn append_action_stake(receipt_index: ReceiptIndex, stake: Balance, public_key: PublicKey);
        fn append_action_add_key_with_full_access(receipt_index: ReceiptIndex, public_key: PublicKey, nonce: Nonce);
        fn append_action_delete_key(receipt_index: ReceiptIndex, public_key: PublicKey);
        fn append_action_delete_account(receipt_index: ReceiptIndex, beneficiary_id: AccountId);
        fn set_refund_to(receipt_index: ReceiptIndex, refund_to: AccountId);
    }
}

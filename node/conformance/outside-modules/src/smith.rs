//! Random modules of the features that the rewriting takes, each with a `_start`.

use crate::base64;
use arbitrary::Unstructured;
use std::io::{BufWriter, Write, stdout};
use wasm_smith::{Config, Module};

/// `(module (func (export "_start")))`: what every module must export.
const ENTRY_POINT: &[u8] = &[
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 10, 1, 6, 0x5f, 0x73,
    0x74, 0x61, 0x72, 0x74, 0, 0, 10, 4, 1, 2, 0, 0x0b,
];
const RANDOM_BYTES: usize = 4096;

fn config() -> Config {
    Config {
        exports: Some(ENTRY_POINT.to_vec()),
        min_memories: 1,
        max_memories: 3,
        max_memory32_bytes: 16 * 65_536,
        max_imports: 0,
        min_funcs: 4,
        max_instructions: 400,
        max_tables: 3,
        max_table_elements: 1_000,
        disallow_traps: false,
        canonicalize_nans: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        shared_everything_threads_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

pub fn print_modules(first_seed: u64, count: u64) {
    let out = &mut BufWriter::new(stdout().lock());
    for seed in first_seed..first_seed + count {
        let random = random_bytes(seed);
        let module = Module::new(config(), &mut Unstructured::new(&random));
        // Bytes that do not suffice for the entry point make no module.
        let Ok(module) = module else { continue };
        writeln!(
            out,
            r#"{{"seed":{seed},"wasm":"{}"}}"#,
            base64(&module.to_bytes())
        )
        .unwrap();
    }
}

/// splitmix64: the same bytes for the same seed on every machine.
fn random_bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(RANDOM_BYTES);
    while bytes.len() < RANDOM_BYTES {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}

//! `wasmi-bench <module> <rounds> <name>=<work> …` runs exported programs on wasmi with fuel metering and prints, as
//! one JSON object by version, the CPU milliseconds of each program's median call and the fuel of one call.
//! `wasmi-bench guest <module> <input file> <runs> <rounds>` prints what one run of a WASI guest takes.

const FUEL: u64 = 1 << 62;

const WASI: &str = "wasi_snapshot_preview1";

/// What a guest can reach: its standard input.
struct Host {
    input: std::sync::Arc<[u8]>,
    position: usize,
}

/// What one program took: medians in milliseconds, and fuel.
type Measured = (String, f64, u64);

/// The two releases have the same names for all that is used here, so one text serves both.
macro_rules! measure {
    ($wasmi:ident, $set:ident, $left:ident, $start:ident, $code:expr, $rounds:expr, $programs:expr) => {{
        let mut config = $wasmi::Config::default();
        config.consume_fuel(true);
        let engine = $wasmi::Engine::new(&config);
        let module = $wasmi::Module::new(&engine, $code).expect("a module that wasmi takes");
        let mut store = $wasmi::Store::new(&engine, ());
        store.$set(FUEL).expect("an engine with fuel");
        let linker = <$wasmi::Linker<()>>::new(&engine);
        let instance = $start!(linker, store, module);
        let mut all: Vec<Measured> = Vec::new();
        for (name, work) in $programs {
            let program = instance
                .get_typed_func::<i32, i32>(&store, name)
                .expect("an exported program");
            let mut times = Vec::new();
            let before = $left!(store);
            for _ in 0..$rounds {
                let start = cpu_ms();
                program
                    .call(&mut store, *work)
                    .expect("a program that ends");
                times.push(cpu_ms() - start);
            }
            let spent = before.abs_diff($left!(store)) / $rounds as u64;
            times.sort_by(f64::total_cmp);
            all.push((name.clone(), times[times.len() / 2], spent));
        }
        all
    }};
}

/// Runs a WASI guest from instantiation to its end and gives CPU milliseconds of one run, the median of the rounds.
macro_rules! measure_guest {
    ($wasmi:ident, $set:ident, $start:ident, $exit:expr, $code:expr, $input:expr, $runs:expr, $rounds:expr) => {{
        let mut config = $wasmi::Config::default();
        config.consume_fuel(true);
        let engine = $wasmi::Engine::new(&config);
        let module = $wasmi::Module::new(&engine, $code).expect("a guest that wasmi takes");
        let mut linker = <$wasmi::Linker<Host>>::new(&engine);
        type Caller<'a> = $wasmi::Caller<'a, Host>;
        let vectors = |caller: &Caller, list: i32, count: i32| -> Vec<(usize, usize)> {
            let memory = caller
                .get_export("memory")
                .and_then($wasmi::Extern::into_memory)
                .expect("a memory");
            let data = memory.data(caller);
            let word = |at: usize| {
                u32::from_le_bytes(data[at..at + 4].try_into().expect("four bytes")) as usize
            };
            (0..count as usize)
                .map(|n| (word(list as usize + 8 * n), word(list as usize + 8 * n + 4)))
                .collect()
        };
        linker
            .func_wrap(
                WASI,
                "fd_read",
                move |mut caller: Caller, _fd: i32, list: i32, count: i32, size: i32| -> i32 {
                    let mut done = 0;
                    for (at, length) in vectors(&caller, list, count) {
                        let memory = caller
                            .get_export("memory")
                            .and_then($wasmi::Extern::into_memory)
                            .expect("a memory");
                        let (data, host) = memory.data_and_store_mut(&mut caller);
                        let part = length.min(host.input.len() - host.position);
                        data[at..at + part]
                            .copy_from_slice(&host.input[host.position..host.position + part]);
                        host.position += part;
                        done += part;
                    }
                    let memory = caller
                        .get_export("memory")
                        .and_then($wasmi::Extern::into_memory)
                        .expect("a memory");
                    memory.data_mut(&mut caller)[size as usize..size as usize + 4]
                        .copy_from_slice(&(done as u32).to_le_bytes());
                    0
                },
            )
            .expect("a new name");
        linker
            .func_wrap(
                WASI,
                "fd_write",
                move |mut caller: Caller, _fd: i32, list: i32, count: i32, size: i32| -> i32 {
                    let done: usize = vectors(&caller, list, count)
                        .iter()
                        .map(|(_, length)| length)
                        .sum();
                    let memory = caller
                        .get_export("memory")
                        .and_then($wasmi::Extern::into_memory)
                        .expect("a memory");
                    memory.data_mut(&mut caller)[size as usize..size as usize + 4]
                        .copy_from_slice(&(done as u32).to_le_bytes());
                    0
                },
            )
            .expect("a new name");
        linker
            .func_wrap(
                WASI,
                "random_get",
                |mut caller: Caller, at: i32, length: i32| -> i32 {
                    let memory = caller
                        .get_export("memory")
                        .and_then($wasmi::Extern::into_memory)
                        .expect("a memory");
                    memory.data_mut(&mut caller)[at as usize..(at + length) as usize].fill(7);
                    0
                },
            )
            .expect("a new name");
        linker
            .func_wrap(WASI, "proc_exit", $exit)
            .expect("a new name");
        let mut times = Vec::new();
        for _ in 0..$rounds {
            let start = cpu_ms();
            for _ in 0..$runs {
                let mut store = $wasmi::Store::new(
                    &engine,
                    Host {
                        input: $input.clone(),
                        position: 0,
                    },
                );
                store.$set(FUEL).expect("an engine with fuel");
                let instance = $start!(linker, store, module);
                let entry = instance
                    .get_typed_func::<(), ()>(&store, "_start")
                    .expect("an entry point");
                // A guest may end by proc_exit, which comes back as an error with a status.
                if let Err(error) = entry.call(&mut store, ()) {
                    assert!(
                        error.i32_exit_status().is_some(),
                        "the guest failed: {error}"
                    );
                }
            }
            times.push((cpu_ms() - start) / $runs as f64);
        }
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }};
}

macro_rules! start_first {
    ($linker:ident, $store:ident, $module:ident) => {
        $linker
            .instantiate(&mut $store, &$module)
            .expect("an instance")
            .start(&mut $store)
            .expect("a start")
    };
}
macro_rules! start_newest {
    ($linker:ident, $store:ident, $module:ident) => {
        $linker
            .instantiate_and_start(&mut $store, &$module)
            .expect("an instance")
    };
}
macro_rules! consumed {
    ($store:ident) => {
        $store.fuel_consumed().expect("an engine with fuel")
    };
}
macro_rules! left {
    ($store:ident) => {
        $store.get_fuel().expect("an engine with fuel")
    };
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [kind, path, input, runs, rounds] = arguments.as_slice()
        && kind == "guest"
    {
        return run_guest(path, input, runs, rounds);
    }
    let [path, rounds, programs @ ..] = arguments.as_slice() else {
        eprintln!(
            "usage: wasmi-bench <module> <rounds> <name>=<work> ... | guest <module> <input file> <runs> <rounds>"
        );
        std::process::exit(2);
    };
    let code = &std::fs::read(path).expect("a readable module")[..];
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let programs: Vec<(String, i32)> = programs
        .iter()
        .map(|program| {
            let (name, work) = program.split_once('=').expect("name=work");
            (name.to_owned(), work.parse().expect("work is a number"))
        })
        .collect();
    let first = measure!(
        wasmi_first,
        add_fuel,
        consumed,
        start_first,
        code,
        rounds,
        &programs
    );
    let newest = measure!(
        wasmi_newest,
        set_fuel,
        left,
        start_newest,
        code,
        rounds,
        &programs
    );
    println!(r#"{{"0.31.2":{},"2.0.0":{}}}"#, json(&first), json(&newest));
}

fn run_guest(path: &str, input: &str, runs: &str, rounds: &str) {
    let code = &std::fs::read(path).expect("a readable module")[..];
    let input: std::sync::Arc<[u8]> = std::fs::read(input).expect("a readable input").into();
    let runs: usize = runs.parse().expect("a number of runs");
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let exit_first = |code: i32| -> Result<(), wasmi_first::core::Trap> {
        Err(wasmi_first::core::Trap::i32_exit(code))
    };
    let exit_newest =
        |code: i32| -> Result<(), wasmi_newest::Error> { Err(wasmi_newest::Error::i32_exit(code)) };
    let first = measure_guest!(
        wasmi_first,
        add_fuel,
        start_first,
        exit_first,
        code,
        input,
        runs,
        rounds
    );
    let newest = measure_guest!(
        wasmi_newest,
        set_fuel,
        start_newest,
        exit_newest,
        code,
        input,
        runs,
        rounds
    );
    println!(r#"{{"0.31.2":{first:.4},"2.0.0":{newest:.4}}}"#);
}

/// CPU time of this thread: the machine has other work.
fn cpu_ms() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a timespec of ours that outlives the call.
    let status = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(status, 0, "a clock of the thread's CPU time");
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn json(measured: &[Measured]) -> String {
    let entries: Vec<String> = measured
        .iter()
        .map(|(name, ms, fuel)| format!(r#""{name}":{{"ms":{ms:.3},"fuel":{fuel}}}"#))
        .collect();
    format!("{{{}}}", entries.join(","))
}

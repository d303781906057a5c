//! `wasmi-bench <module> <rounds> <name>=<work> …` runs exported programs on wasmi with fuel metering and prints, as
//! one JSON object by version, the CPU milliseconds of each program's median call and the fuel of one call.

const FUEL: u64 = 1 << 62;

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
    let [path, rounds, programs @ ..] = arguments.as_slice() else {
        eprintln!("usage: wasmi-bench <module> <rounds> <name>=<work> ...");
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

/// CPU time of this thread: the machine has other work.
fn cpu_ms() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat")
        .expect("Linux's scheduler statistics");
    let nanoseconds = statistics
        .split(' ')
        .next()
        .and_then(|text| text.parse::<u64>().ok());
    nanoseconds.expect("nanoseconds on the processor") as f64 / 1e6
}

fn json(measured: &[Measured]) -> String {
    let entries: Vec<String> = measured
        .iter()
        .map(|(name, ms, fuel)| format!(r#""{name}":{{"ms":{ms:.3},"fuel":{fuel}}}"#))
        .collect();
    format!("{{{}}}", entries.join(","))
}

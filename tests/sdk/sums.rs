// SPDX-License-Identifier: Apache-2.0
// A guest in Rust without its standard library: reads its configuration, and prints through core::fmt.
#![no_std]
#![no_main]

use core::ffi::c_void;
use core::fmt::{self, Write};

extern "C" {
    fn print(text: *const u8);
    fn config(name: *const u8, size: *mut usize) -> *const c_void;
    fn exit(status: i32) -> !;
}

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.as_bytes().chunks(63) {
            let mut line = [0u8; 64]; // print takes a text that ends in zero
            line[..piece.len()].copy_from_slice(piece);
            unsafe { print(line.as_ptr()) };
        }
        Ok(())
    }
}

fn configuration() -> Option<&'static str> {
    let mut size = 0usize;
    let start = unsafe { config(b"numbers.txt\0".as_ptr(), &mut size) } as *const u8;
    if start.is_null() {
        return None;
    }
    core::str::from_utf8(unsafe { core::slice::from_raw_parts(start, size) }).ok()
}

#[no_mangle]
pub extern "C" fn main() -> i32 {
    let numbers = match configuration() {
        Some(text) => text.split_whitespace().map(|word| word.parse::<f64>()),
        None => return 1,
    };
    let (mut count, mut total) = (0u32, 0f64);
    for number in numbers {
        match number {
            Ok(value) => total += value,
            Err(_) => return 2,
        }
        count += 1;
    }
    match writeln!(Console, "sums: {:>3} numbers, {:.2} in all", count, total) {
        Ok(()) => 0,
        Err(_) => 3,
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { exit(101) }
}

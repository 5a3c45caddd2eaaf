//! Owns the benchmark's entry.
fn main() {}

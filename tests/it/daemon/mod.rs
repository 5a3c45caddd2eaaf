//! The daemon as a process: its files change under its feet, it is told to stop, it is started twice.

mod files;
mod life;
mod process;

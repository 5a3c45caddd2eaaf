//! The daemon as a process: its files change under its feet, it is told to stop, it is started twice.

mod approved;
mod channels;
mod doubtful;
mod files;
mod forms;
mod gateways;
mod histories;
mod jobs;
mod life;
mod links;
mod planned;
mod process;
mod receipts;
mod reported;
mod returned;
mod seen;
mod stopped;
mod texts;
mod trials;

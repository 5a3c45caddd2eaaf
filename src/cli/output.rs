//! Owns writing to the terminal: facts to stdout, everything else to stderr.

use std::io::{self, IsTerminal as _, Write as _};

/// Writes facts. A closed pipe (`| head`) is not a failure.
pub(crate) fn facts(text: &str) -> io::Result<()> {
    let written = io::stdout().lock().write_all(text.as_bytes());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes facts as one JSON object.
pub(crate) fn json(value: &serde_json::Value) -> io::Result<()> {
    facts(&format!("{value:#}\n"))
}

/// Says why a command failed.
pub(crate) fn problem(text: &str) {
    let _closed_pipe = writeln!(io::stderr().lock(), "error: {text}");
}

/// Whether a person reads stdout.
pub(crate) fn has_colors() -> bool {
    io::stdout().is_terminal()
}

/// Says something that is neither a fact nor a failure.
pub(crate) fn note(text: &str) {
    let _closed_pipe = writeln!(io::stderr().lock(), "note: {text}");
}

/// Asks on stderr, so that stdout holds facts alone.
pub(crate) fn question(text: &str) -> io::Result<()> {
    let mut terminal = io::stderr().lock();
    terminal.write_all(text.as_bytes())?;
    terminal.flush()
}

/// Says on stderr how something goes.
pub(crate) fn aside(text: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{text}")
}

//! Owns where a mail server brings what comes back: an address of this machine, or a socket in the file system.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// `127.0.0.1:2424`, or `unix:` and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LmtpPlace {
    Address(SocketAddr),
    Socket(PathBuf),
}

/// The text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place to listen at: write an address and a port, `127.0.0.1:2424`, or `unix:` and the path of a socket"
)]
pub struct BadPlace(pub String);

impl LmtpPlace {
    /// # Errors
    /// When the text is neither an address with a port nor a path behind `unix:`.
    pub fn read(text: &str) -> Result<Self, BadPlace> {
        if let Some(path) = text.strip_prefix("unix:")
            && !path.is_empty()
        {
            return Ok(Self::Socket(PathBuf::from(path)));
        }
        let address: Option<SocketAddr> = text.parse().ok();
        let address = address.filter(|address| address.port() != 0);
        let address = address.ok_or_else(|| BadPlace(text.to_owned()))?;
        Ok(Self::Address(address))
    }

    /// Relative paths start from the folder.
    #[must_use]
    pub fn within(self, folder: &Path) -> Self {
        match self {
            Self::Socket(path) => Self::Socket(folder.join(path)),
            address @ Self::Address(_) => address,
        }
    }
}

impl fmt::Display for LmtpPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_a_socket() {
        let read = |text| LmtpPlace::read(text).map(|place| place.within(Path::new("/etc/bank")));
        let socket = |path| Ok(LmtpPlace::Socket(PathBuf::from(path)));
        assert_eq!(read("unix:/run/x.sock"), socket("/run/x.sock"));
        assert_eq!(read("unix:x.sock"), socket("/etc/bank/x.sock"));
        let address = read("127.0.0.1:2424").unwrap();
        assert_eq!(address.to_string(), "127.0.0.1:2424");
        assert!(matches!(read("[::1]:24"), Ok(LmtpPlace::Address(_))));
        for text in ["", "unix:", "2424", "localhost:24", "127.0.0.1:0"] {
            assert_eq!(read(text), Err(BadPlace(text.to_owned())));
        }
    }
}

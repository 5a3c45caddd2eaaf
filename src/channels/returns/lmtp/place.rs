//! Owns where mail servers come to: an address of this machine, or a socket in the file system.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::channels::tls::Duplex;

/// One end of a conversation.
pub(super) type Stream = Box<dyn Duplex>;

/// `127.0.0.1:2424`, or `unix:` and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Address(SocketAddr),
    Socket(PathBuf),
}

/// The text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place to listen at: write an address and a port, `127.0.0.1:2424`, or `unix:` and the path of a socket"
)]
pub struct BadPlace(pub String);

impl Place {
    /// Relative paths start from the workspace.
    ///
    /// # Errors
    /// When the text is neither an address with a port nor a path behind `unix:`.
    pub fn read(text: &str, workspace: &Path) -> Result<Self, BadPlace> {
        if let Some(path) = text.strip_prefix("unix:")
            && !path.is_empty()
        {
            return Ok(Self::Socket(workspace.join(path)));
        }
        let address: Option<SocketAddr> = text.parse().ok();
        let address = address.filter(|address| address.port() != 0);
        let address = address.ok_or_else(|| BadPlace(text.to_owned()))?;
        Ok(Self::Address(address))
    }

    pub(super) async fn open(&self) -> io::Result<Door> {
        Ok(match self {
            Self::Address(address) => Door::Address(TcpListener::bind(address).await?),
            Self::Socket(path) => {
                forget(path).await?;
                let listener = UnixListener::bind(path)?;
                // A mail server is another user; who comes through the folder may knock.
                std::fs::set_permissions(path, PermissionsExt::from_mode(0o666))?;
                Door::Socket(listener, path.clone())
            }
        })
    }
}

/// Removes a socket that nobody listens at any more.
async fn forget(path: &Path) -> io::Result<()> {
    match UnixStream::connect(path).await {
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "somebody listens at this socket",
        )),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            tokio::fs::remove_file(path).await
        }
        Err(_) => Ok(()),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A place that is listened at.
pub(super) enum Door {
    Address(TcpListener),
    Socket(UnixListener, PathBuf),
}

impl Door {
    pub(super) async fn accept(&self) -> io::Result<Stream> {
        Ok(match self {
            Self::Address(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Self::Socket(listener, _) => Box::new(listener.accept().await?.0),
        })
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "{address}"),
                Err(_) => f.write_str("an address"),
            },
            Self::Socket(_, path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_a_socket() {
        let read = |text| Place::read(text, Path::new("/etc/bank"));
        let socket = |path| Ok(Place::Socket(PathBuf::from(path)));
        assert_eq!(read("unix:/run/x.sock"), socket("/run/x.sock"));
        assert_eq!(read("unix:x.sock"), socket("/etc/bank/x.sock"));
        let address = read("127.0.0.1:2424").unwrap();
        assert_eq!(address.to_string(), "127.0.0.1:2424");
        assert!(matches!(read("[::1]:24"), Ok(Place::Address(_))));
        for text in ["", "unix:", "2424", "localhost:24", "127.0.0.1:0"] {
            assert_eq!(read(text), Err(BadPlace(text.to_owned())));
        }
    }
}

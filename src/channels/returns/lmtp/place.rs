//! Owns where mail servers come to: an address of this machine, or a socket in the file system.

use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::channels::tls::Duplex;
use crate::domain::lmtp_place::LmtpPlace;

/// One end of a conversation.
pub(super) type Stream = Box<dyn Duplex>;

/// Listens there.
pub(super) async fn open(place: &LmtpPlace) -> io::Result<Door> {
    Ok(match place {
        LmtpPlace::Address(address) => Door::Address(TcpListener::bind(address).await?),
        LmtpPlace::Socket(path) => {
            forget(path).await?;
            let listener = UnixListener::bind(path)?;
            // A mail server is another user; who comes through the folder may knock.
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o666))?;
            Door::Socket(listener, path.clone())
        }
    })
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

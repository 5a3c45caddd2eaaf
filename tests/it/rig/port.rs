//! Owns free ports, and waiting for what another program does in its own time.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

/// A port nobody listens on.
pub(crate) fn free() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until somebody listens; panics after ten seconds.
pub(crate) async fn open(port: u16) {
    open_at(Ipv4Addr::LOCALHOST, port).await;
}

/// The same at an address of this machine.
pub(crate) async fn open_at(address: Ipv4Addr, port: u16) {
    let mut beat = interval(Duration::from_millis(5));
    let waited = timeout(Duration::from_secs(10), async {
        while TcpStream::connect((address, port)).await.is_err() {
            beat.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "nobody listens on port {port}");
}

/// Looks again until there is something; panics after a minute, naming what was awaited: a database that is
/// cut off is given up only after more than ten seconds.
pub(crate) async fn eventually<T>(awaited: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let mut beat = interval(Duration::from_millis(10));
    let waited = timeout(Duration::from_mins(1), async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            beat.tick().await;
        }
    });
    waited
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {awaited}"))
}

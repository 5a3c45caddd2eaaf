//! Owns a wire between a client and a server that a test cuts and heals.

use std::net::Ipv4Addr;

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// While it is cut nothing passes and nobody is told, as when packets are lost; what was sent
/// meanwhile passes once it is healed. It is gone, and all connections with it, when this is dropped.
pub(crate) struct Wire {
    /// The server's URL by way of this wire.
    pub(crate) url: String,
    whole: watch::Sender<bool>,
    acceptor: JoinHandle<()>,
}

impl Wire {
    /// Before the server of a URL that names a port of 127.0.0.1.
    pub(crate) async fn before(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let server = url.port().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        url.set_port(Some(port)).unwrap();
        let (whole, watched) = watch::channel(true);
        Self {
            url: url.into(),
            whole,
            acceptor: tokio::spawn(accept(listener, server, watched)),
        }
    }

    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(crate) fn heal(&self) {
        self.whole.send_replace(true);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(listener: TcpListener, server: u16, whole: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.spawn(connect(client, server, whole.clone()));
    }
}

/// A server that is not there closes the client's connection.
async fn connect(client: TcpStream, server: u16, whole: watch::Receiver<bool>) {
    heal(&mut whole.clone()).await;
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        carry(from_client, to_server, whole.clone()),
        carry(from_server, to_client, whole),
    );
}

/// The end of what `from` says is carried as well, and a breach as an end.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut whole: watch::Receiver<bool>) {
    let mut bytes = [0; 8 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        heal(&mut whole).await;
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// Waits until the wire is whole.
async fn heal(whole: &mut watch::Receiver<bool>) {
    whole.wait_for(|whole| *whole).await.unwrap();
}

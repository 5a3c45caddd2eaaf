//! Owns a mail server that follows a script: what real servers do seldom, on demand.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does when a line comes. Lines of a mail's body are not shown, its final dot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Say(&'static str),
    /// Says it and closes.
    Leave(&'static str),
    /// Cuts the connection with a TCP reset.
    Reset,
    /// Never answers, and never reads again.
    Hang,
    /// Says it, and never reads again.
    Stall(&'static str),
}

/// A chunk is two lines: its `BDAT`, and when that is answered by nothing and its bytes are read, `.`.
/// Given the number of the connection, the mails taken on it, and the line (`CONNECT` first).
pub(crate) type Script = fn(connection: usize, mails: usize, line: &str) -> Act;

/// A running script; it ends when this is dropped.
pub(crate) struct SmtpScript {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl SmtpScript {
    pub(crate) async fn start(script: Script) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, script, Arc::clone(&heard)));
        Self { port, heard, task }
    }

    /// Every line heard so far, on all connections: `CONNECT` for each, commands, and `.`.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.heard().iter().filter(|heard| *heard == line).count()
    }
}

impl Drop for SmtpScript {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server that takes everything.
pub(crate) fn kind(line: &str) -> Act {
    Act::Say(match line.split([' ', ':']).next().unwrap_or_default() {
        "CONNECT" => "220 script.test\r\n",
        "EHLO" => "250-script.test\r\n250 PIPELINING\r\n",
        "DATA" => "354 go on\r\n",
        "QUIT" => "221 bye\r\n",
        "." => "250 2.0.0 Ok: queued as SCRIPT\r\n",
        "BDAT" => "",
        _ => "250 ok\r\n",
    })
}

async fn serve(listener: TcpListener, script: Script, heard: Arc<Mutex<Vec<String>>>) {
    let mut connections = 0;
    while let Ok((stream, _)) = listener.accept().await {
        // Replies go out one by one: without this the kernel would hold each back for 40 ms.
        stream.set_nodelay(true).unwrap();
        connections += 1;
        tokio::spawn(talk(stream, script, connections, Arc::clone(&heard)));
    }
}

async fn talk(
    stream: TcpStream,
    script: Script,
    connection: usize,
    heard: Arc<Mutex<Vec<String>>>,
) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    let (mut mails, mut in_body) = (0, false);
    let mut line = "CONNECT".to_owned();
    loop {
        if !in_body || line == "." {
            heard.lock().unwrap().push(line.clone());
            let act = script(connection, mails, &line);
            mails += usize::from(line == ".");
            in_body = line == "DATA" && matches!(act, Act::Say(words) if words.starts_with('3'));
            if !follow(act, &mut write, lines.get_ref()).await {
                return;
            }
            if line.starts_with("BDAT ") {
                if !skip(&mut lines, &line).await {
                    return;
                }
                ".".clone_into(&mut line);
                continue;
            }
        }
        line.clear();
        if lines.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        line.truncate(line.trim_end_matches(['\r', '\n']).len());
    }
}

/// Reads the bytes of a chunk.
async fn skip(lines: &mut BufReader<OwnedReadHalf>, command: &str) -> bool {
    let length = command.split(' ').nth(1).unwrap().parse().unwrap();
    let mut bytes = vec![0; length];
    lines.read_exact(&mut bytes).await.is_ok()
}

async fn follow(act: Act, write: &mut OwnedWriteHalf, read: &OwnedReadHalf) -> bool {
    match act {
        Act::Say(words) => write.write_all(words.as_bytes()).await.is_ok(),
        Act::Leave(words) => {
            // The other side may be gone already, which is as good.
            drop(write.write_all(words.as_bytes()).await);
            false
        }
        Act::Reset => {
            let stream: &TcpStream = read.as_ref();
            stream.set_zero_linger().unwrap();
            false
        }
        Act::Hang => std::future::pending().await,
        Act::Stall(words) => {
            write.write_all(words.as_bytes()).await.unwrap();
            std::future::pending().await
        }
    }
}

//! Owns the mail server's side of LMTP, line by line, and an ear that keeps what it hears.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use drumbeat::channels::{Ear, Unheard};
use drumbeat::domain::news::News;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

/// Waits no longer than this for what is said.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps news, or takes none.
#[derive(Default)]
pub(crate) struct Keeper {
    heard: Mutex<Vec<News>>,
    pub(crate) is_deaf: AtomicBool,
    /// How often news were brought while it was deaf.
    pub(crate) unheard: AtomicUsize,
}

impl Keeper {
    pub(crate) fn heard(&self) -> Vec<News> {
        self.heard.lock().unwrap().clone()
    }
}

impl Ear for Keeper {
    fn hear(&self, news: Vec<News>) -> BoxFuture<'_, Result<(), Unheard>> {
        Box::pin(async move {
            if self.is_deaf.load(Ordering::SeqCst) {
                self.unheard.fetch_add(1, Ordering::SeqCst);
                return Err(Unheard("the disk is full".to_owned()));
            }
            self.heard.lock().unwrap().extend(news);
            Ok(())
        })
    }
}

/// A conversation.
pub(crate) struct Talk<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Begins after the greeting and LHLO.
    pub(crate) async fn begin(stream: S) -> Self {
        let mut talk = Self::greeted(stream).await;
        let offers = talk.ask("LHLO relay.test").await;
        assert!(offers.ends_with("250 SIZE 33554432"), "{offers}");
        talk
    }

    /// Begins after the greeting.
    pub(crate) async fn greeted(stream: S) -> Self {
        let mut talk = Self {
            stream: BufReader::new(stream),
        };
        assert_eq!(talk.reply().await, "220 Drumbeat LMTP");
        talk
    }

    /// Says a line, and gives the whole reply.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    pub(crate) async fn say(&mut self, bytes: &[u8]) {
        let written = timeout(PATIENCE, self.stream.get_mut().write_all(bytes)).await;
        written.expect("it is read in time").unwrap();
    }

    /// The next reply; empty when the other side is gone.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            let reading = self.stream.read_line(&mut line);
            let read = timeout(PATIENCE, reading).await.expect("a reply in time");
            // A connection that is cut off is as much of an end as one that is closed.
            if read.unwrap_or_default() == 0 {
                return reply;
            }
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply.trim_end().replace("\r\n", "\n");
            }
        }
    }

    /// Brings a mail, and gives what each recipient is answered that was taken.
    pub(crate) async fn bring(&mut self, from: &str, to: &[&str], mail: &str) -> Vec<String> {
        let from = self.ask(&format!("MAIL FROM:<{from}>")).await;
        assert_eq!(from, "250 2.1.0 Ok");
        let mut taken = 0;
        let mut answers = Vec::new();
        for to in to {
            let answer = self.ask(&format!("RCPT TO:<{to}>")).await;
            if answer.starts_with("250 ") {
                taken += 1;
            } else {
                answers.push(answer);
            }
        }
        let data = self.ask("DATA").await;
        if !data.starts_with("354 ") {
            answers.push(data);
            return answers;
        }
        let stuffed = mail.replace("\n.", "\n..");
        self.say(stuffed.as_bytes()).await;
        self.say(b"\r\n.\r\n").await;
        for _ in 0..taken {
            answers.push(self.reply().await);
        }
        answers
    }
}

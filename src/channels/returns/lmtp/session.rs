//! Owns one conversation with a mail server (RFC 2033): every mail is answered once for each recipient, and only
//! when what it says is stored.

use std::io;

use smtp_proto::{Error, Request};

use super::body::{self, Body};
use super::envelope::Envelope;
use super::place::Stream;
use super::reply::{
    BYE, ENOUGH, FINE, GO_ON, GREETING, LATER, LHLO, LONG, NO_LETTERS, NO_SUCH, NOBODY, NOT_HERE,
    ORDER, PERHAPS, Reply, SENDER_FINE, STORED, SYNTAX, TOO_BIG, UNKNOWN,
};
use super::wire::{Line, Wire};
use crate::channels::returns::desk::Desk;
use crate::channels::returns::telling::tell;
use crate::domain::news::{News, Passed};

type Command = Request<String>;

pub(super) struct Session<'a> {
    desk: &'a Desk<'a>,
    wire: Wire,
    is_greeted: bool,
    envelope: Option<Envelope>,
    faults: usize,
}

/// Whether the conversation goes on.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    More,
    End,
}

impl<'a> Session<'a> {
    pub(super) fn new(stream: Stream, desk: &'a Desk<'a>) -> Self {
        Self {
            desk,
            wire: Wire::new(stream, desk.limits.silence),
            is_greeted: false,
            envelope: None,
            faults: 0,
        }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        self.wire.say(GREETING);
        loop {
            let next = match self.wire.line().await? {
                Line::Whole(line) => self.obey(&line).await?,
                Line::TooLong => {
                    self.wire.say(LONG);
                    Next::End
                }
                Line::End => return Ok(()),
            };
            if next == Next::End {
                return self.wire.flush().await;
            }
        }
    }

    async fn obey(&mut self, line: &[u8]) -> io::Result<Next> {
        match Request::parse(&mut line.iter()).map(Request::into_owned) {
            Ok(Request::Quit) => {
                self.wire.say(BYE);
                return Ok(Next::End);
            }
            Ok(Request::Data) => return self.data().await,
            Ok(Request::Lhlo { .. }) => self.greet(),
            Ok(command) => {
                let reply = self.answer(command);
                self.reply(reply);
            }
            Err(Error::UnknownCommand) => self.reply(UNKNOWN),
            Err(_) => self.reply(SYNTAX),
        }
        Ok(self.go_on())
    }

    fn reply(&mut self, reply: Reply) {
        self.faults += usize::from(reply.is_fault());
        self.wire.say(reply);
    }

    fn go_on(&mut self) -> Next {
        if self.faults < self.desk.limits.faults {
            return Next::More;
        }
        self.wire.say(ENOUGH);
        Next::End
    }

    fn greet(&mut self) {
        self.is_greeted = true;
        self.envelope = None;
        let size = self.desk.limits.size;
        let offers = format!(
            "250-Drumbeat\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n\
             250-SMTPUTF8\r\n250 SIZE {size}\r\n"
        );
        self.wire.say_lines(offers.as_bytes());
    }

    fn answer(&mut self, command: Command) -> Reply {
        match command {
            Request::Mail { .. } if !self.is_greeted || self.envelope.is_some() => ORDER,
            Request::Mail { from } if from.size > self.desk.limits.size => TOO_BIG,
            Request::Mail { from } => {
                self.envelope = Some(Envelope::new(&from.address));
                SENDER_FINE
            }
            Request::Rcpt { to } => match &mut self.envelope {
                Some(envelope) => {
                    let most = self.desk.limits.recipients;
                    envelope.add(&to.address, self.desk.path, most)
                }
                None => ORDER,
            },
            Request::Rset => {
                self.envelope = None;
                FINE
            }
            Request::Noop { .. } => FINE,
            Request::Vrfy { .. } => PERHAPS,
            Request::Ehlo { .. } | Request::Helo { .. } => LHLO,
            _ => NOT_HERE,
        }
    }

    async fn data(&mut self) -> io::Result<Next> {
        let envelope = match self.envelope.take() {
            None => {
                self.reply(ORDER);
                return Ok(self.go_on());
            }
            Some(envelope) if envelope.to.is_empty() => {
                self.reply(NOBODY);
                return Ok(self.go_on());
            }
            Some(envelope) => envelope,
        };
        self.wire.say(GO_ON);
        self.wire.flush().await?;
        match body::take(&mut self.wire, self.desk.limits.size).await? {
            Body::Taken(mail) => {
                for reply in self.store(&envelope, &mail).await {
                    self.wire.say(reply);
                }
            }
            Body::TooBig => envelope.to.iter().for_each(|_| self.wire.say(TOO_BIG)),
            Body::Broken => return Ok(Next::End),
        }
        Ok(Next::More)
    }

    /// What each recipient is answered.
    async fn store(&self, envelope: &Envelope, mail: &[u8]) -> Vec<Reply> {
        let is_from_nobody = Some(envelope.is_from_nobody);
        let news = envelope.to.iter();
        let news = news.map(|to| tell(self.desk.path, *to, mail, is_from_nobody));
        let news: Vec<News> = news.collect();
        let replies = news.iter().map(|news| match news {
            // Its sender learns that nobody will read it.
            News::Passed(Passed::Letter) => NO_LETTERS,
            News::Passed(Passed::Strange) if !envelope.is_from_nobody => NO_SUCH,
            News::Passed(_) | News::Receipt(_) | News::Reply(_) => STORED,
        });
        let replies: Vec<Reply> = replies.collect();
        if self.desk.hear(news).await {
            replies
        } else {
            vec![LATER; envelope.to.len()]
        }
    }
}

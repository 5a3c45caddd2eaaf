//! Owns one connection that takes mail: MAIL, RCPT, DATA or a chunk, the body, the hand-over mark, the end.

use crate::channels::HandOver;

use super::letter::{Letter, Skills};
use super::line::Line;
use super::reply::Reply;
use super::stage::{Cause, Failure, Stage};

/// How much of a mail is written after the mark, with the final dot, or the end of the chunk, in the
/// same segment. What is before it goes first, so that the mark tells more.
const TAIL: usize = 16 * 1024;
const BLOCK: usize = 64 * 1024;

/// A connection between two mails.
pub(super) struct Connection {
    line: Line,
    skills: Skills,
    carried: u32,
    /// Both sides agree that no reply is outstanding and no body is expected.
    settled: bool,
    /// A transaction failed half-way and must be cleared first.
    unclean: bool,
}

impl Connection {
    pub(super) fn new(line: Line, skills: Skills) -> Self {
        Self {
            line,
            skills,
            carried: 0,
            settled: true,
            unclean: false,
        }
    }

    /// Hands one mail over. The server's reply to the dot, or where it ended.
    pub(super) async fn carry(
        &mut self,
        letter: &Letter,
        hand_over: &dyn HandOver,
    ) -> Result<Reply, Failure> {
        self.settled = false;
        self.carried += 1;
        self.announce(letter).await?;
        let reply = self.hand_over(&letter.body(self.skills), hand_over).await?;
        self.settled = reply.code != 421;
        expect(Stage::Dot, reply)
    }

    /// Whether the next mail may go over it too.
    pub(super) fn is_settled(&self) -> bool {
        self.settled && self.line.is_quiet()
    }

    /// How many mails were tried over it.
    pub(super) fn carried(&self) -> u32 {
        self.carried
    }

    /// Takes leave; whether the server hears it matters to nobody.
    pub(super) async fn quit(mut self) {
        let farewell = self.line.ask(Stage::Reset, "QUIT\r\n").await;
        drop(farewell);
    }

    async fn announce(&mut self, letter: &Letter) -> Result<(), Failure> {
        let reset = (Stage::Reset, "RSET\r\n".to_owned());
        let reset = self.unclean.then_some(reset);
        let letter = letter.commands(self.skills);
        let commands: Vec<(Stage, String)> = reset.into_iter().chain(letter).collect();
        self.unclean = true;
        let failure = if self.skills.pipelining {
            self.announce_at_once(&commands).await
        } else {
            self.announce_in_turn(&commands).await
        };
        failure.map_or(Ok(()), Err)
    }

    async fn announce_in_turn(&mut self, commands: &[(Stage, String)]) -> Option<Failure> {
        for (stage, command) in commands {
            let reply = self.line.ask(*stage, command).await;
            if let Err(failure) = reply.and_then(|reply| expect(*stage, reply)) {
                self.settled = failure.is_refusal();
                return Some(failure);
            }
        }
        None
    }

    /// RFC 2920: one write, and every reply is read. The first that fails counts; a body that is
    /// still expected afterwards is never sent, the connection is given up instead.
    async fn announce_at_once(&mut self, commands: &[(Stage, String)]) -> Option<Failure> {
        let batch: String = commands.iter().map(|(_, text)| text.as_str()).collect();
        let first = commands.first().map_or(Stage::Mail, |(stage, _)| *stage);
        // A failed write says nothing yet: the server may have told why before it closed.
        let written = self.line.write(first, batch.as_bytes()).await;
        let mut failure: Option<Failure> = None;
        for (stage, _) in commands {
            let reply = match self.line.reply(*stage).await {
                Ok(reply) => reply,
                Err(lost) => return failure.or_else(|| written.err()).or(Some(lost)),
            };
            self.settled = reply.code != 421 && !(failure.is_some() && reply.class() == 3);
            failure = failure.or_else(|| expect(*stage, reply).err());
            if !self.settled {
                return failure;
            }
        }
        self.settled = failure.as_ref().is_some_and(Failure::is_refusal);
        failure
    }

    async fn hand_over(&mut self, body: &[u8], hand_over: &dyn HandOver) -> Result<Reply, Failure> {
        let (head, tail) = body.split_at(body.len().saturating_sub(TAIL));
        for block in head.chunks(BLOCK) {
            self.pour(block).await?;
        }
        hand_over
            .mark()
            .map_err(|recalled| Failure::new(Stage::Body, Cause::Recalled(recalled)))?;
        // Should this write fail, its last bytes, without which nothing is taken, were not handed to the system either.
        self.pour(tail).await?;
        let reply = self.line.reply(Stage::Dot).await?;
        self.unclean = reply.class() != 2;
        Ok(reply)
    }

    /// A server that closes in the middle of a body has often said why: too big, not now.
    async fn pour(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Err(failure) = self.line.write(Stage::Body, bytes).await else {
            return Ok(());
        };
        if matches!(failure.cause, Cause::Silent(_)) {
            return Err(failure);
        }
        let said = self.line.reply(Stage::Body).await;
        Err(said.map_or(failure, |reply| {
            Failure::new(Stage::Body, Cause::Said(reply))
        }))
    }
}

fn expect(stage: Stage, reply: Reply) -> Result<Reply, Failure> {
    let wanted = if stage == Stage::Data { 3 } else { 2 };
    if reply.class() == wanted {
        Ok(reply)
    } else {
        Err(Failure::new(stage, Cause::Said(reply)))
    }
}

//! Owns how a relay is reached: connect, greeting, EHLO, STARTTLS, AUTH, up to a connection that takes mail.

use std::io;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::Auth;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::channels::tls::{Duplex, Tls};

use super::connection::Connection;
use super::letter::Skills;
use super::line::Line;
use super::reply::Reply;
use super::stage::{Cause, Failure, Stage, Timeouts};

/// Where the server is and how it is greeted.
pub(super) struct Relay {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<Login>,
    /// What we call ourselves in EHLO.
    pub(super) name: String,
    pub(super) timeouts: Timeouts,
}

pub(super) enum Security {
    None,
    StartTls(Tls),
    Tls(Tls),
}

pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: SecretString,
}

/// What the server said it can do (RFC 5321 §4.1.1.1).
struct Offers(Reply);

impl Relay {
    /// A fresh connection, ready for MAIL. STARTTLS is never left out when it is asked for.
    pub(super) async fn open(&self) -> Result<Connection, Failure> {
        let stream = self.connect().await?;
        let (mut line, offers) = match &self.security {
            Security::None => self.greet(stream).await?,
            Security::Tls(tls) => self.greet(self.encrypt(tls, stream).await?).await?,
            Security::StartTls(tls) => {
                let (line, offers) = self.greet(stream).await?;
                self.start_tls(tls, line, &offers).await?
            }
        };
        self.log_in(&mut line, &offers).await?;
        Ok(Connection::new(line, offers.skills()))
    }

    async fn connect(&self) -> Result<Box<dyn Duplex>, Failure> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let stream = self.within(Stage::Connect, connecting).await?;
        // Without it the kernel holds the end of each mail back for the server's delayed ACK: 40 ms.
        stream
            .set_nodelay(true)
            .map_err(|error| Failure::new(Stage::Connect, Cause::Lost(error.to_string())))?;
        Ok(Box::new(stream))
    }

    async fn encrypt(
        &self,
        tls: &Tls,
        stream: Box<dyn Duplex>,
    ) -> Result<Box<dyn Duplex>, Failure> {
        self.within(Stage::Tls, tls.wrap(stream)).await
    }

    async fn within<T>(
        &self,
        stage: Stage,
        effect: impl Future<Output = io::Result<T>>,
    ) -> Result<T, Failure> {
        let limit = self.timeouts.of(stage);
        let place =
            |words: &dyn ToString| format!("{}:{}: {}", self.host, self.port, words.to_string());
        match timeout(limit, effect).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Failure::new(stage, Cause::Lost(place(&error)))),
            Err(_) => Err(Failure::new(stage, Cause::Silent(limit))),
        }
    }

    async fn greet(&self, stream: Box<dyn Duplex>) -> Result<(Line, Offers), Failure> {
        let mut line = Line::new(stream, self.timeouts);
        done(Stage::Greeting, line.reply(Stage::Greeting).await?)?;
        let offers = self.hello(&mut line).await?;
        Ok((line, offers))
    }

    async fn hello(&self, line: &mut Line) -> Result<Offers, Failure> {
        let command = format!("EHLO {}\r\n", self.name);
        let reply = line.ask(Stage::Ehlo, &command).await?;
        done(Stage::Ehlo, reply).map(Offers)
    }

    async fn start_tls(
        &self,
        tls: &Tls,
        mut line: Line,
        offers: &Offers,
    ) -> Result<(Line, Offers), Failure> {
        if !offers.has("STARTTLS") {
            return Err(unfit(
                Stage::StartTls,
                "the server does not offer STARTTLS, which `security: starttls` requires",
            ));
        }
        done(
            Stage::StartTls,
            line.ask(Stage::StartTls, "STARTTLS\r\n").await?,
        )?;
        // Words sent along in the clear would be taken for the encrypted server's (RFC 3207 §4.2).
        if !line.is_quiet() {
            return Err(unfit(Stage::StartTls, "the server went on in the clear"));
        }
        let mut line = Line::new(self.encrypt(tls, line.into_stream()).await?, self.timeouts);
        let offers = self.hello(&mut line).await?;
        Ok((line, offers))
    }

    async fn log_in(&self, line: &mut Line, offers: &Offers) -> Result<(), Failure> {
        let Some(login) = &self.login else {
            return Ok(());
        };
        let mechanism = offers.mechanism().ok_or_else(|| {
            unfit(
                Stage::Auth,
                "the server offers neither AUTH PLAIN nor AUTH LOGIN",
            )
        })?;
        let mut reply = line
            .ask(Stage::Auth, &login.command(mechanism, None)?)
            .await?;
        for question in ["Username:", "Password:"] {
            if reply.code == 334 && mechanism == Mechanism::Login {
                let answer = login.command(mechanism, Some(question))?;
                reply = line.ask(Stage::Auth, &answer).await?;
            }
        }
        done(Stage::Auth, reply).map(drop)
    }
}

impl Login {
    fn command(&self, mechanism: Mechanism, question: Option<&str>) -> Result<String, Failure> {
        let password = self.password.expose_secret().to_owned();
        let credentials = Credentials::new(self.username.clone(), password);
        Auth::new(mechanism, credentials, question.map(str::to_owned))
            .map(|command| command.to_string())
            .map_err(|error| unfit(Stage::Auth, &error.to_string()))
    }
}

impl Offers {
    fn skills(&self) -> Skills {
        Skills {
            pipelining: self.has("PIPELINING"),
            chunking: self.has("CHUNKING"),
            dsn: self.has("DSN"),
        }
    }

    fn has(&self, keyword: &str) -> bool {
        self.lines().any(|mut words| {
            words
                .next()
                .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
        })
    }

    /// PLAIN takes one round trip, LOGIN three.
    fn mechanism(&self) -> Option<Mechanism> {
        let names: Vec<String> = self
            .lines()
            .filter_map(|mut words| {
                let auth = words.next()?.eq_ignore_ascii_case("AUTH");
                auth.then(|| words.map(str::to_ascii_uppercase).collect::<Vec<_>>())
            })
            .flatten()
            .collect();
        let known = [("PLAIN", Mechanism::Plain), ("LOGIN", Mechanism::Login)];
        known
            .into_iter()
            .find(|(name, _)| names.iter().any(|offered| offered == name))
            .map(|(_, mechanism)| mechanism)
    }

    /// The first line is the server's name.
    fn lines(&self) -> impl Iterator<Item = impl Iterator<Item = &str>> {
        self.0.words.lines().skip(1).map(str::split_whitespace)
    }
}

fn done(stage: Stage, reply: Reply) -> Result<Reply, Failure> {
    if reply.class() == 2 {
        Ok(reply)
    } else {
        Err(Failure::new(stage, Cause::Said(reply)))
    }
}

fn unfit(stage: Stage, why: &str) -> Failure {
    Failure::new(stage, Cause::Unfit(why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_offers_is_read_from_its_words() {
        let offers = |words: &str| {
            Offers(Reply {
                code: 250,
                words: words.to_owned(),
            })
        };
        let usual = offers("STARTTLS.test greets\nPipelining\nSIZE 9\nauth LOGIN plain");
        assert!(!usual.has("STARTTLS"));
        let pipelining = Skills {
            pipelining: true,
            ..Skills::default()
        };
        assert_eq!(usual.skills(), pipelining);
        let able = offers("a\nCHUNKING\nDSN").skills();
        assert!(able.chunking && able.dsn && !able.pipelining);
        assert_eq!(usual.mechanism(), Some(Mechanism::Plain));
        assert_eq!(offers("a\nAUTH login").mechanism(), Some(Mechanism::Login));
        assert_eq!(offers("a\nAUTH XOAUTH2").mechanism(), None);
    }
}

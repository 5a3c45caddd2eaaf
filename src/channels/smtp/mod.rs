//! Owns the SMTP gateway: a message becomes a mail, the mail goes to the relay, the relay's answer becomes an outcome.

mod connection;
mod domains;
mod doubts;
mod letter;
mod line;
mod pool;
mod relay;
mod reply;
mod stage;
mod verdict;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use lettre::transport::smtp::extension::ClientId;

use self::domains::Domains;
use self::doubts::Doubts;
use self::letter::Letter;
use self::pool::Pool;
use self::relay::{Login, Relay, Security};
pub use self::stage::Timeouts;
use super::email::{House, compose};
use super::returns::Intake;
use super::setup::{BadGateway, Setup};
use super::tls::Tls;
use super::{Ear, Gateway, HandOver};
use crate::domain::dispatch::Outcome;
use crate::domain::gateway::{SmtpGateway, SmtpSecurity};
use crate::domain::message::Message;

/// One relay, at most `connections` connections to it.
pub struct Smtp {
    pool: Arc<Pool>,
    domains: Domains,
    house: House,
    doubts: Doubts,
    /// What reads the mail that comes back.
    intake: Option<Intake>,
}

impl Smtp {
    pub fn open(setup: &Setup<'_>, smtp: &SmtpGateway) -> Result<Self, BadGateway> {
        Self::open_within(setup, smtp, Timeouts::default())
    }

    /// The same with timeouts of one's own.
    pub fn open_within(
        setup: &Setup<'_>,
        smtp: &SmtpGateway,
        timeouts: Timeouts,
    ) -> Result<Self, BadGateway> {
        let host = setup.text("gateway.smtp.host", &smtp.host)?;
        let relay = Relay {
            port: port(setup, smtp)?,
            security: security(setup, smtp, &host)?,
            login: login(setup, smtp)?,
            name: ClientId::default().to_string(),
            host,
            timeouts,
        };
        Ok(Self {
            pool: Pool::new(relay, setup.config.connections),
            domains: Domains::new(smtp),
            house: House::open(setup)?,
            doubts: Doubts::default(),
            intake: Intake::open(setup)?,
        })
    }

    async fn deliver(&self, message: &Message, hand_over: &dyn HandOver) -> Outcome {
        let mail = match compose(message, &self.house) {
            Ok(mail) => mail,
            Err(unsendable) => return unsendable.into(),
        };
        let pass = match self.domains.enter(mail.recipient.domain()).await {
            Ok(pass) => pass,
            Err(not_yet) => return not_yet.into(),
        };
        let result = self.pool.carry(&Letter::new(mail), hand_over).await;
        pass.hear(verdict::mood(&result));
        let is_doubtful = verdict::is_doubtful(&result);
        self.doubts.weigh(verdict::outcome(result), is_doubtful)
    }
}

impl Gateway for Smtp {
    fn send<'a>(
        &'a self,
        message: &'a Message,
        hand_over: &'a dyn HandOver,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.deliver(message, hand_over))
    }

    fn listen<'a>(&'a self, ear: &'a dyn Ear) -> Option<BoxFuture<'a, ()>> {
        let intake = self.intake.as_ref()?;
        Some(Box::pin(intake.listen(ear)))
    }
}

fn port(setup: &Setup<'_>, smtp: &SmtpGateway) -> Result<u16, BadGateway> {
    let key = "gateway.smtp.port";
    let text = setup.text(key, &smtp.port)?;
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
        setup.bad(
            key,
            &format!("`{text}` is not a port: write a number from 1 to 65535"),
        )
    })
}

fn security(setup: &Setup<'_>, smtp: &SmtpGateway, host: &str) -> Result<Security, BadGateway> {
    let key = "gateway.smtp.ca-file";
    let ca_file = setup.optional(smtp.ca_file.as_ref(), |text| {
        setup.text(key, text).map(PathBuf::from)
    })?;
    let ca_file = ca_file.map(|path| setup.workspace.join(path));
    let tls = || Tls::new(host, ca_file.as_deref()).map_err(|error| setup.bad(key, &error));
    Ok(match smtp.security {
        SmtpSecurity::None => Security::None,
        SmtpSecurity::Starttls => Security::StartTls(tls()?),
        SmtpSecurity::Tls => Security::Tls(tls()?),
    })
}

fn login(setup: &Setup<'_>, smtp: &SmtpGateway) -> Result<Option<Login>, BadGateway> {
    let (user, pass) = ("gateway.smtp.username", "gateway.smtp.password");
    match (&smtp.username, &smtp.password) {
        (None, None) => Ok(None),
        (Some(username), Some(password)) => Ok(Some(Login {
            username: setup.text(user, username)?,
            password: setup.secret(pass, password)?,
        })),
        (Some(_), None) => Err(setup.bad(pass, "is missing beside `username`")),
        (None, Some(_)) => Err(setup.bad(user, "is missing beside `password`")),
    }
}

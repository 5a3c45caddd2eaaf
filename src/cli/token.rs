//! Owns `drumbeat token`: tokens of the API, made, listed and revoked.

use clap::Subcommand;
use serde_json::{Value, json};

use super::actor::ActorArgument;
use super::columns::aligned;
use super::exit::Exit;
use super::format::{Format, FormatArgument};
use super::moments::moment;
use super::output;
use super::place::Place;
use super::session::{self, Session};
use crate::customers::names::UnknownName;
use crate::domain::audit::Source;
use crate::domain::token::{NewToken, Token, TokenScope, check_name, end_of};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Makes a token, and shows it this once.
    Create(Create),
    /// All tokens that were ever made.
    List(List),
    /// Refuses a token from now on.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The actor that its changes carry in histories.
    #[arg(id = "token-name", value_name = "NAME", value_parser = name)]
    name: String,
    /// What it may do, such as `customers:read`; may be given several times.
    #[arg(long = "scope", required = true, value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<TokenScope>,
    /// How long it is good for, such as `90d`; until it is revoked unless given.
    #[arg(long, value_name = "SPAN")]
    expires: Option<String>,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The token's public id, or the name of a live one.
    token: String,
    #[command(flatten)]
    actor: ActorArgument,
    #[command(flatten)]
    format: FormatArgument,
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map_err(|wrong| format!("the name {wrong}"))?;
    Ok(text.to_owned())
}

fn scope(text: &str) -> Result<TokenScope, String> {
    let known = TokenScope::ALL.map(TokenScope::as_str);
    let unknown = || UnknownName::new("scope", text, known.iter().copied()).to_string();
    TokenScope::parse(text).ok_or_else(unknown)
}

pub(crate) fn run(place: &Place, arguments: &Arguments) -> anyhow::Result<Exit> {
    session::run(place, async |session| match &arguments.verb {
        Verb::Create(verb) => create(session, verb).await,
        Verb::List(verb) => list(session, verb).await,
        Verb::Revoke(verb) => revoke(session, verb).await,
    })
}

async fn create(session: &Session, verb: &Create) -> anyhow::Result<Exit> {
    let now = session.clock.machine();
    let expires_at = verb.expires.as_deref().map(|span| end_of(span, now));
    let expires_at = expires_at
        .transpose()
        .map_err(|wrong| anyhow::anyhow!("`--expires`: {wrong}"))?;
    let mut scopes = verb.scopes.clone();
    scopes.sort_unstable();
    scopes.dedup();
    let new = NewToken {
        name: verb.name.clone(),
        scopes,
        expires_at,
    };
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let at = session.clock.now();
    let (token, secret) = session.store.create_token(new, &by, now, at).await?;
    match verb.format.format {
        Format::Text => {
            output::facts(&format!("{}\n", secret.reveal()))?;
            output::note("this is the only time that the token is shown: keep it like a password");
        }
        Format::Json => {
            let mut facts = facts(&token);
            facts["secret"] = json!(secret.reveal());
            output::json(&facts)?;
        }
    }
    Ok(Exit::Done)
}

async fn list(session: &Session, verb: &List) -> anyhow::Result<Exit> {
    let tokens = session.store.tokens().await?;
    match verb.format.format {
        Format::Json => {
            let tokens: Vec<Value> = tokens.iter().map(facts).collect();
            output::json(&json!({ "tokens": tokens }))?;
        }
        Format::Text => {
            let rows: Vec<_> = tokens.iter().map(|token| row(session, token)).collect();
            output::facts(&aligned(0, &rows))?;
        }
    }
    Ok(Exit::Done)
}

async fn revoke(session: &Session, verb: &Revoke) -> anyhow::Result<Exit> {
    let tokens = session.store.tokens().await?;
    let is_meant = |token: &&Token| {
        token.id == verb.token || (token.name == verb.token && token.revoked_at.is_none())
    };
    let token = tokens.iter().find(is_meant).ok_or_else(|| {
        let known = tokens.iter().map(|token| token.name.as_str());
        UnknownName::new("token", &verb.token, known)
    })?;
    let by = verb.actor.by(&session.settings, Source::CommandLine);
    let (now, at) = (session.clock.machine(), session.clock.now());
    let changed = session.store.revoke_token(&token.id, &by, now, at).await?;
    match verb.format.format {
        Format::Json => output::json(&json!({ "token": token.id, "changed": changed }))?,
        Format::Text => {
            let done = if changed {
                "revoked"
            } else {
                "revoked already"
            };
            output::facts(&format!("{}: {done}\n", token.name))?;
        }
    }
    Ok(Exit::Done)
}

/// A token without what proves it.
fn facts(token: &Token) -> Value {
    json!({
        "token": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    })
}

fn row(session: &Session, token: &Token) -> [String; 5] {
    let zone = session.published.revision.time_zone();
    let at = |instant| moment(instant, &zone);
    let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
    let standing = match (token.revoked_at, token.expires_at) {
        (Some(revoked), _) => format!("revoked {}", at(revoked)),
        (None, Some(end)) => format!("until {}", at(end)),
        (None, None) => "until revoked".to_owned(),
    };
    let used = token.last_used_at.map(at);
    [
        token.id.clone(),
        token.name.clone(),
        scopes.join(" "),
        standing,
        used.map_or_else(|| "never used".to_owned(), |used| format!("used {used}")),
    ]
}

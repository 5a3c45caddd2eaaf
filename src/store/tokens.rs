//! Owns the tokens of the API: made, found by their public id, used, revoked. No secret is kept.

use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};

use super::audit;
use super::db::Store;
use super::error::{Error, Result};
use super::instants::{instant, micros, optional_instant};
use super::sql::{Row, query, query_scalar};
use crate::domain::audit::By;
use crate::domain::token::{CHANCE, NewToken, Secret, SecretHash, Token, TokenScope};

const ADD: &str = "INSERT INTO tokens (token, name, hash, scopes, created_at, created_by, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const NAMED: &str = "SELECT count(*) FROM tokens WHERE name = $1 AND revoked_at IS NULL";
const ALL: &str = "SELECT token, name, scopes, created_at, created_by, expires_at, revoked_at, \
     last_used_at FROM tokens ORDER BY created_at, token";
const ONE: &str = "SELECT token, name, scopes, created_at, created_by, expires_at, revoked_at, \
     last_used_at, hash FROM tokens WHERE token = $1";
const USED: &str = "UPDATE tokens SET last_used_at = $2 WHERE token = $1 \
     AND (last_used_at IS NULL OR last_used_at <= $3)";
const REVOKE: &str = "UPDATE tokens SET revoked_at = $2 WHERE token = $1 AND revoked_at IS NULL";

pub(super) const STATEMENTS: &[&str] = &[ADD, NAMED, ALL, ONE, USED, REVOKE];

/// A use is written down once within this time.
const USED_EVERY: SignedDuration = SignedDuration::from_mins(1);

impl Store {
    /// Makes a token. Its secret is nowhere else.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a live token has its name.
    pub async fn create_token(
        &self,
        new: NewToken,
        by: &By,
        now: Timestamp,
        at: Timestamp,
    ) -> Result<(Token, Secret)> {
        let mut chance = [0; CHANCE];
        rand::fill(&mut chance)
            .map_err(|_| Error::Unusable("the system gives no random bytes".to_owned()))?;
        let secret = Secret::new(chance);
        let as_stored = |at: Timestamp| instant(micros(at));
        let token = Token {
            id: secret.id().to_owned(),
            name: new.name,
            scopes: new.scopes,
            created_at: as_stored(now)?,
            created_by: by.actor.to_string(),
            expires_at: new.expires_at.map(as_stored).transpose()?,
            revoked_at: None,
            last_used_at: None,
        };
        self.add_token(&token, &secret.hash(), by, at).await?;
        Ok((token, secret))
    }

    /// Keeps a new token; two live ones never share a name.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a live token has its name.
    async fn add_token(
        &self,
        token: &Token,
        hash: &SecretHash,
        by: &By,
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let named: i64 = query_scalar(NAMED)
            .bind(&token.name)
            .fetch_one(&mut tx)
            .await?;
        if named > 0 {
            let name = &token.name;
            return Err(Error::Conflict(format!(
                "there is a token `{name}` already"
            )));
        }
        query(ADD)
            .bind(&token.id)
            .bind(&token.name)
            .bind(hash.0.as_slice())
            .bind(serde_json::json!(token.scopes).to_string())
            .bind(micros(token.created_at))
            .bind(&token.created_by)
            .bind(token.expires_at.map(micros))
            .execute(&mut tx)
            .await?;
        let detail = detail(token);
        audit::add(&mut tx, by, "token-created", Some(&detail), at).await?;
        tx.commit().await
    }

    /// All tokens ever made, oldest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows = query(ALL).fetch_all(self.read()).await?;
        rows.iter().map(token).collect()
    }

    /// A token and the hash that proves it.
    pub async fn token(&self, id: &str) -> Result<Option<(Token, SecretHash)>> {
        let row = query(ONE).bind(id).fetch_optional(self.read()).await?;
        let found = row.map(|row| Ok((token(&row)?, SecretHash(row.try_get(8)?))));
        found.transpose()
    }

    /// Writes a use down, unless one was within the last minute.
    pub async fn token_used(&self, token: &Token, at: Timestamp) -> Result<()> {
        let before = at - USED_EVERY;
        if token.last_used_at.is_some_and(|last| last > before) {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        query(USED)
            .bind(&token.id)
            .bind(micros(at))
            .bind(micros(before))
            .execute(&mut tx)
            .await?;
        tx.commit().await
    }

    /// Refuses a token from now on; its row stays, because histories show its name. `false`: it was
    /// revoked before.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that never was.
    pub async fn revoke_token(
        &self,
        id: &str,
        by: &By,
        now: Timestamp,
        at: Timestamp,
    ) -> Result<bool> {
        let mut tx = self.write().await?;
        let row = query(ONE).bind(id).fetch_optional(&mut tx).await?;
        let row = row.ok_or_else(|| Error::NotFound(format!("the token `{id}`")))?;
        let token = token(&row)?;
        let revoke = query(REVOKE).bind(id).bind(micros(now));
        if revoke.execute(&mut tx).await? == 0 {
            return Ok(false);
        }
        let detail = detail(&token);
        audit::add(&mut tx, by, "token-revoked", Some(&detail), at).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn detail(token: &Token) -> String {
    serde_json::json!({ "token": token.id, "name": token.name, "scopes": token.scopes }).to_string()
}

fn token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        scopes: scopes(row.text(2)?)?,
        created_at: instant(row.try_get(3)?)?,
        created_by: row.try_get(4)?,
        expires_at: optional_instant(row.try_get(5)?)?,
        revoked_at: optional_instant(row.try_get(6)?)?,
        last_used_at: optional_instant(row.try_get(7)?)?,
    })
}

/// A scope that this version does not know permits nothing here.
fn scopes(text: &str) -> Result<Vec<TokenScope>> {
    let names: Vec<String> = serde_json::from_str(text)
        .map_err(|error| Error::Corrupt(format!("the scopes of a token: {error}")))?;
    let known = names.iter().filter_map(|name| TokenScope::parse(name));
    Ok(known.collect())
}

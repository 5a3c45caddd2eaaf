//! Owns what is stored of replies: the line of each once, and with it the consent that a word withdraws or gives.

use jiff::Timestamp;

use super::by_hand::{self, ByHand};
use super::db::Store;
use super::error::Result;
use super::occurrences::{self, Telling};
use super::switches;
use crate::domain::audit::{Actor, By, Source};
use crate::domain::channel::Channel;
use crate::domain::ids::CustomerId;
use crate::domain::occurrence::Placed;
use crate::domain::reply_word::ReplyWord;

/// A reply in one customer's history, and what it asks for.
#[derive(Debug, Clone)]
pub struct Replied {
    pub placed: Placed,
    pub word: Option<ReplyWord>,
    /// What is sent in answer.
    pub answer: Option<ByHand>,
}

impl Store {
    /// Records replies that were not recorded before, in one transaction with what they ask for: who stops has
    /// withdrawn consent for the channel, who starts after that has given it, and the answer is due. For each,
    /// whether it was news.
    pub async fn hear_replies(
        &self,
        replies: &[Replied],
        channel: Channel,
        now: Timestamp,
    ) -> Result<Vec<bool>> {
        if replies.is_empty() {
            return Ok(Vec::new());
        }
        let customers = replies.iter().map(|one| one.placed.line.customer);
        let customers: Vec<CustomerId> = customers.collect();
        let mut tx = self.write_about(&customers).await?;
        let placed: Vec<Placed> = replies.iter().map(|one| one.placed.clone()).collect();
        let how = Telling {
            source: Source::Gateway,
            now,
            is_trial: false,
        };
        let news = occurrences::insert_new(&mut tx, &placed, how).await?;
        for (reply, is_news) in replies.iter().zip(&news) {
            let (Some(word), true) = (reply.word, *is_news) else {
                continue;
            };
            if let Some(answer) = reply.answer {
                by_hand::enter(&mut tx, answer, reply.placed.line.customer, now).await?;
            }
            let by = By::new(Actor::customer(), Source::Gateway);
            let by = by.noting(format!("replied {}", word.as_str()));
            let of = (reply.placed.line.customer, channel);
            switches::reply(&mut tx, of, word, (&by, now)).await?;
        }
        tx.commit().await?;
        Ok(news)
    }
}

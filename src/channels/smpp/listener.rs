//! Owns what is done with what the centre tells: it is read, brought to the ear, and answered once it is stored.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusmpp::CommandStatus;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::channels::Ear;
use crate::domain::gateway::{MessageIdForm, SmppEncoding};
use crate::domain::news::{About, Fate, News, Receipt, Reply};

use super::assembly::{Assembly, Whole};
use super::ids::{Siblings, in_receipt};
use super::session::Told;
use super::stage::Timeouts;
use super::text::decode;
use super::told::{Part, Slip, Tiding, read};

/// How much is stored at once.
const AT_ONCE: usize = 200;
/// What nobody asked to hear is looked at as often.
const ROUND: Duration = Duration::from_mins(1);

/// Reads what the centre tells.
pub(super) struct Listener {
    encoding: SmppEncoding,
    message_id: MessageIdForm,
    pub(super) siblings: Siblings,
    assembly: Mutex<Assembly>,
}

/// What a batch comes to.
#[derive(Default)]
struct Batch {
    news: Vec<News>,
    /// To be answered by what became of the news.
    told: Vec<Told>,
    /// Parts that made wholes.
    last: Vec<Part>,
}

impl Listener {
    pub(super) fn new(
        encoding: SmppEncoding,
        message_id: MessageIdForm,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            encoding,
            message_id,
            siblings: Siblings::default(),
            assembly: Mutex::new(Assembly::new(timeouts.parts)),
        }
    }

    /// Brings what is told to the ear, for as long as it is polled.
    pub(super) async fn listen(&self, told: &mut mpsc::Receiver<Told>, ear: &dyn Ear) {
        loop {
            let next = self.assembly().next();
            let mut some = Vec::new();
            tokio::select! {
                count = told.recv_many(&mut some, AT_ONCE) => {
                    if count == 0 {
                        return;
                    }
                }
                () = sleep_until(next.unwrap_or_else(|| Instant::now() + ROUND)) => {}
            }
            self.bring(some, ear).await;
        }
    }

    async fn bring(&self, told: Vec<Told>, ear: &dyn Ear) {
        let batch = self.sort(told);
        if batch.news.is_empty() {
            return;
        }
        let status = match ear.hear(batch.news).await {
            Ok(()) => CommandStatus::EsmeRok,
            Err(unheard) => {
                tracing::warn!(why = %unheard, "what the message centre told was not stored");
                CommandStatus::EsmeRxTAppn
            }
        };
        if status == CommandStatus::EsmeRok {
            let mut assembly = self.assembly();
            batch.last.iter().for_each(|part| assembly.forget(part));
        }
        for told in batch.told {
            told.answer(status);
        }
    }

    /// A part that is not the last is answered at once: a centre may send the next only after that.
    fn sort(&self, told: Vec<Told>) -> Batch {
        let now = Instant::now();
        let mut batch = Batch::default();
        let mut assembly = self.assembly();
        for told in told {
            let news = match read(&told.deliver) {
                Tiding::Receipt(slip) => self.receipt(slip).map(News::Receipt),
                Tiding::Part(part) => {
                    let whole = assembly.add(&part, now);
                    if whole.is_some() {
                        batch.last.push(part);
                    }
                    whole.map(|whole| self.reply(whole))
                }
                Tiding::Nothing => None,
            };
            match news {
                Some(news) => {
                    batch.news.push(news);
                    batch.told.push(told);
                }
                None => told.answer(CommandStatus::EsmeRok),
            }
        }
        let overdue = assembly.overdue(now);
        batch
            .news
            .extend(overdue.into_iter().map(|whole| self.reply(whole)));
        batch
    }

    /// A message in parts is known by its first. What becomes of a further one is told of the whole
    /// unless it arrived, which says nothing of the others.
    fn receipt(&self, slip: Slip) -> Option<Receipt> {
        let id = in_receipt(self.message_id, &slip.id);
        let id = match self.siblings.first_of(&id) {
            Some(_) if matches!(slip.fate, Fate::Delivered | Fate::Accepted) => return None,
            Some(first) => first,
            None => id,
        };
        Some(Receipt {
            about: About::Gateway(id),
            fate: slip.fate,
            // A centre writes its own time without saying its zone.
            at: None,
            detail: slip.detail,
        })
    }

    /// The protocol has no id for it, and the same words twice may be meant twice.
    fn reply(&self, whole: Whole) -> News {
        News::Reply(Reply {
            from: whole.from,
            to: whole.to,
            text: decode(&whole.bytes, whole.coding, self.encoding),
            id: Uuid::new_v4().to_string(),
        })
    }

    fn assembly(&self) -> MutexGuard<'_, Assembly> {
        self.assembly.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

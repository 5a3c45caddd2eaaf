//! Owns the workspace of each variant: the shared files, and the flows over them.

use anyhow::{Context as _, Result};

use drumbeat::domain::revision::Revision;
use drumbeat::workspace;

use crate::place::Place;

/// Who comes to qualify by a change, alone or beside flows that ask about other things.
pub(crate) const PLAIN: &str = "plain";
pub(crate) const BESIDE: &str = "beside 20";
/// Who comes to qualify by the passing of time.
pub(crate) const INSTANTS: &str = "instants";
pub(crate) const DATES: &str = "dates";
/// A message two seconds after a change; and one to everybody.
pub(crate) const LATENCY: &str = "latency";
pub(crate) const OUTAGE: &str = "outage";

/// One in twenty waits for the first of two messages.
pub(crate) const AHEAD: &str = "ahead";

/// From an enrollment to its message.
pub(crate) const DELAY_SECONDS: i64 = 2;
const OTHERS: u64 = 20;

const SHARED: &str = "customers:
  fields:
    age: { description: Age, type: integer }
    balance: { description: Balance, type: integer }
    tier: { description: Tier, type: text }
    signed_at: { description: Signed, type: datetime }
    card_on: { description: Card, type: date }
---
policy:
  organization: { name: Bank, postal-address: \"1 Main Street, 1000 Town\" }
  categories: { onboarding: First steps }
  groups: { retail: Retail }
  consent: { sms: opt-out }
";

/// The checked files of a variant, and their hash.
pub(crate) fn revision(place: &Place) -> Result<(Revision, String)> {
    let sources = workspace::load(&place.workspace())?;
    let checked = workspace::check(&sources);
    let words = workspace::render::text(&sources, &checked.diagnostics, false);
    let revision = checked.revision.with_context(|| words)?;
    Ok((revision, sources.hash().to_owned()))
}

/// Writes the files of the variant; without its flows, nobody is enrolled.
pub(crate) fn write(place: &Place) -> Result<()> {
    let folder = place.workspace();
    std::fs::create_dir_all(folder.join("flows"))?;
    std::fs::write(folder.join("drumbeat.yaml"), settings(place))?;
    std::fs::write(folder.join("channels.yaml"), channel(place))?;
    std::fs::write(folder.join("flows/shared.yaml"), SHARED)?;
    std::fs::write(folder.join("flows/flows.yaml"), flows(&place.variant))?;
    Ok(())
}

fn settings(place: &Place) -> String {
    format!(
        "workspace: bench\ndatabase: \"{}\"\nlisten: \"off\"\npublic-url: https://bank.example\nzone: UTC\n",
        place.url
    )
}

/// Its gateway is replaced by one that notes what it is given.
fn channel(place: &Place) -> String {
    format!(
        "channel: sms
gateway:
  http:
    url: http://127.0.0.1:9/
    json: {{ to: \"{{{{ message.to }}}}\", text: \"{{{{ message.text }}}}\" }}
    idempotency-header: Idempotency-Key
from: \"BANK\"
pace: {} per second
",
        place.pace
    )
}

fn flows(variant: &str) -> String {
    let text =
        "    sms: { text: \"{{ customer.first_name }}, your card is ready: bank.example/card\" }";
    let message = |after: &str| format!("\n  - id: text\n    after: {after}\n{text}\n");
    let waiting = "\n  - { id: one, after: 30d }\n";
    let gold = "{ field: tier, is: gold }";
    match variant {
        BESIDE => {
            let others = (0..OTHERS).map(|n| {
                let field = ["age", "balance"][usize::from(n % 2 == 1)];
                let test = format!("{{ field: {field}, at-least: {} }}", 1_000_000 + n);
                flow(&format!("other-{n}"), &test, waiting)
            });
            let all: Vec<String> = std::iter::once(flow("gold", gold, waiting))
                .chain(others)
                .collect();
            all.join("---\n")
        }
        INSTANTS => flow("signed", "{ field: signed_at, older-than: 1d }", waiting),
        DATES => flow("card", "{ field: card_on, older-than: 1d }", waiting),
        LATENCY => flow("gold", gold, &message(&format!("{DELAY_SECONDS}s"))),
        AHEAD => {
            let steps = message("30d") + &message("7d").replace("id: text", "id: again")[1..];
            flow("twentieth", "{ field: balance, at-least: 9500 }", &steps)
        }
        OUTAGE => flow("everybody", "{ field: age, at-least: 0 }", &message("1h")),
        _ => flow("gold", gold, waiting),
    }
}

fn flow(id: &str, test: &str, steps: &str) -> String {
    format!(
        "flow: {id}
name: Flow {id}
category: onboarding
group: retail
segment: {{ where: {test} }}
steps:{steps}"
    )
}

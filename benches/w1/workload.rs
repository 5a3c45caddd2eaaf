//! Owns the workload: who the customers are, what the files say, and who must not be reached.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;

use crate::place::Ports;

/// Every tenth customer is in the segment.
pub(crate) const SHARE: u64 = 10;
/// Of a hundred in the segment, one has the e-mail switch off and one unsubscribed.
const HUNDRED: u64 = 100 * SHARE;

pub(crate) fn is_gold(customer: u64) -> bool {
    customer.is_multiple_of(SHARE)
}

pub(crate) fn is_switched_off(customer: u64) -> bool {
    customer % HUNDRED == SHARE
}

pub(crate) fn is_unsubscribed(customer: u64) -> bool {
    customer % HUNDRED == 2 * SHARE
}

/// Those who come into the segment later, one change after the other.
pub(crate) fn latecomer(n: u64) -> u64 {
    n * SHARE + 5
}

pub(crate) fn is_latecomer(customer: u64) -> bool {
    customer % SHARE == 5
}

pub(crate) fn may_get_mail(customer: u64) -> bool {
    may_get_text(customer) && !is_switched_off(customer)
}

pub(crate) fn may_get_text(customer: u64) -> bool {
    (is_gold(customer) || is_latecomer(customer)) && !is_unsubscribed(customer)
}

pub(crate) fn members(customers: u64) -> u64 {
    (0..customers).filter(|i| is_gold(*i)).count() as u64
}

pub(crate) fn mails(customers: u64) -> u64 {
    let gets = |i: &u64| is_gold(*i) && may_get_mail(*i);
    (0..customers).filter(gets).count() as u64
}

pub(crate) fn texts(customers: u64) -> u64 {
    let gets = |i: &u64| is_gold(*i) && may_get_text(*i);
    (0..customers).filter(gets).count() as u64
}

pub(crate) fn name(customer: u64) -> String {
    format!("c{customer}")
}

/// The customer of an address or a phone number of this workload.
pub(crate) fn customer_at(address: &str) -> Option<u64> {
    let digits = match address.strip_prefix(PHONE) {
        Some(digits) => digits,
        None => address.strip_prefix('c')?.strip_suffix(DOMAIN)?,
    };
    digits.parse().ok()
}

const PHONE: &str = "+4179";
const DOMAIN: &str = "@example.com";

pub(crate) fn write_csv(path: &Path, customers: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "id,email,phone,first_name,age,city,balance,tier")?;
    for i in 0..customers {
        let tier = if is_gold(i) { "gold" } else { "standard" };
        let (age, city, balance) = (18 + i % 60, i % 40, (i * 37) % 10_000);
        writeln!(
            file,
            "c{i},c{i}{DOMAIN},{PHONE}{i:07},Name{i},{age},City{city},{balance},{tier}"
        )?;
    }
    Ok(file.flush()?)
}

/// A folder that `drumbeat check` takes: the shared files, and the flows that are named.
pub(crate) fn write_workspace(folder: &Path, ports: Ports, flows: &[&str]) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("drumbeat.yaml"), SETTINGS)?;
    std::fs::write(folder.join("channels.yaml"), channels(ports))?;
    std::fs::create_dir_all(folder.join("flows"))?;
    std::fs::write(folder.join("flows/shared.yaml"), SHARED)?;
    for flow in flows {
        let text = match *flow {
            PLACES => waiting_places(),
            DORMANT => DORMANT_FLOW.to_owned(),
            flow => messages(flow),
        };
        std::fs::write(folder.join(format!("flows/{flow}.yaml")), text)?;
    }
    Ok(())
}

/// The workload's flow, the same with a gateway that answers at once, and one without messages.
pub(crate) const ONBOARDING: &str = "onboarding";
pub(crate) const AT_ONCE: &str = "at-once";
pub(crate) const PLACES: &str = "places";
pub(crate) const DORMANT: &str = "dormant";
pub(crate) const SEGMENT: &str = "gold";
pub(crate) const TAG: &str = "card";
pub(crate) const CATEGORY: &str = "onboarding";

const SETTINGS: &str = "workspace: bench
database: sqlite://bench.db
listen: \"off\"
public-url: https://bank.example
zone: UTC
";

fn channels(ports: Ports) -> String {
    format!(
        "channel: email
gateway: {{ smtp: {{ host: \"127.0.0.1\", port: {smtp}, security: none }} }}
from: \"Bank <hello@bank.example>\"
---
channel: sms
gateway:
  http:
    url: http://127.0.0.1:{http}/
    json: {{ to: \"{{{{ message.to }}}}\", text: \"{{{{ message.text }}}}\" }}
    idempotency-header: Idempotency-Key
from: \"BANK\"
",
        smtp = ports.smtp,
        http = ports.http
    )
}

const SHARED: &str = "customers:
  fields:
    age: { description: Age, type: integer }
    balance: { description: Balance, type: integer }
    tier: { description: Tier, type: text }
  tags: { card: { description: Has the card, color: \"#7a1fa2\" } }
---
policy:
  organization: { name: Bank, postal-address: \"1 Main Street, 1000 Town\" }
  categories: { onboarding: First steps }
  groups: { retail: Retail }
  consent: { email: opt-out, sms: opt-out }
---
segment: gold
where: { field: tier, is: gold }
";

fn messages(flow: &str) -> String {
    let line = "          Your card is ready, and here is how to begin with it in four steps.\n";
    let filler = line.repeat(11);
    let email = |id: &str, after: &str| {
        format!(
            "  - id: {id}
    after: {after}
    email:
      subject: \"Welcome, {{{{ customer.first_name }}}}\"
      text: |
          Dear {{{{ customer.first_name }}}} of {{{{ customer.city }}}},
{filler}
          {{{{ organization.name }}}}, {{{{ organization.postal_address }}}}
          {{{{ unsubscribe_url }}}}
"
        )
    };
    format!(
        "flow: {flow}
name: Onboarding
category: {CATEGORY}
group: retail
segment: gold
steps:
{first}  - id: text
    after: 2d
    sms: {{ text: \"{{{{ customer.first_name }}}}, your card is ready: bank.example/card\" }}
{last}",
        first = email("first", "0s"),
        last = email("last", "2d"),
    )
}

const DORMANT_FLOW: &str = "flow: dormant
name: Dormant
category: onboarding
group: retail
segment: { where: { rating: dormant } }
steps:
  - { id: rest, after: 30d }
";

fn waiting_places() -> String {
    format!(
        "flow: {PLACES}
name: Places
category: {CATEGORY}
group: retail
segment: gold
steps:
  - {{ id: one, after: 1d }}
  - {{ id: two, after: 1d }}
  - {{ id: three, after: 1d }}
"
    )
}

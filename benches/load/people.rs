//! Owns who the customers are, and which of them come to qualify when.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Span, Timestamp};

/// Flow time begins on this Monday, 5 January 2026, at ten.
const MONDAY: i64 = 1_767_607_200;
/// Changed one by one; and together, so often. Few of a base, because many in a small one lie close
/// together, and share what each of them costs in a large one.
const SINGLES: u64 = 1_000;
const TOGETHER: u64 = 200;
pub(crate) const ROUNDS: u64 = 10;
/// Shares no factor with the sizes, so that those who are changed lie everywhere.
const SPREAD: u64 = 7_919;

pub(crate) fn monday() -> Result<Timestamp> {
    Ok(Timestamp::from_second(MONDAY)?)
}

pub(crate) fn singles(customers: u64) -> u64 {
    SINGLES.min(customers / 10)
}

pub(crate) fn together(customers: u64) -> u64 {
    TOGETHER.min(customers / 50)
}

/// The customer who is changed as number `n`.
pub(crate) fn changed(n: u64, customers: u64) -> u64 {
    n * SPREAD % customers
}

pub(crate) fn name(customer: u64) -> String {
    format!("c{customer}")
}

/// What undoes the spread: a customer times this is their number among the changed.
fn inverse(customers: u64) -> Result<u64> {
    let inverse = (1..SPREAD).find_map(|k| {
        let product = k * customers + 1;
        product.is_multiple_of(SPREAD).then_some(product / SPREAD)
    });
    inverse.with_context(|| format!("{customers} customers cannot be spread"))
}

/// When a customer's signing was: singly each minute, then some on each day from the second on, the
/// others years away.
fn signed_at(turn: u64, customers: u64) -> Result<Timestamp> {
    let (singles, together) = (singles(customers), together(customers));
    let number = i64::try_from(turn)?;
    let day = SignedDuration::from_hours(24);
    let start = monday()? - day;
    let Some(later) = turn.checked_sub(singles) else {
        return Ok(start + SignedDuration::from_mins(number + 1));
    };
    let days = i32::try_from(later / together)? + 2;
    Ok(if turn < singles + together * ROUNDS {
        start + day * days - SignedDuration::from_millis(number)
    } else {
        start + day * 3_650 + SignedDuration::from_secs(number)
    })
}

/// Some have a card that is two days old on the first Tuesday, others on each day after it; those of
/// all others are years away.
fn card_on(turn: u64, customers: u64) -> Result<Date> {
    let together = together(customers);
    let first = date(2026, 1, 4);
    let days = if turn < together * ROUNDS {
        turn / together
    } else {
        3_650 + turn % 365
    };
    Ok(first.checked_add(Span::new().days(i64::try_from(days)?))?)
}

pub(crate) fn write_csv(path: &Path, customers: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "id,phone,first_name,age,city,balance,tier,signed_at,card_on"
    )?;
    let inverse = inverse(customers)?;
    for i in 0..customers {
        let (age, city, balance) = (18 + i % 60, i % 40, (i * 37) % 10_000);
        let turn = i * inverse % customers;
        let (signed, card) = (signed_at(turn, customers)?, card_on(turn, customers)?);
        writeln!(
            file,
            "c{i},+4179{i:07},Name{i},{age},City{city},{balance},standard,{signed},{card}"
        )?;
    }
    Ok(file.flush()?)
}

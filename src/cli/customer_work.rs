//! Owns notes and tasks as text for people.

use jiff::tz::TimeZone;

use super::columns::aligned;
use crate::domain::note::Note;
use crate::domain::task::Task;

pub(crate) fn notes(notes: &[Note], zone: &TimeZone) -> String {
    let rows = notes.iter().map(|note| {
        let at = note.at.to_zoned(zone.clone());
        let at = at.strftime("%Y-%m-%d %H:%M").to_string();
        let body = note.body.lines().collect::<Vec<_>>().join(" / ");
        [note.number.to_string(), at, note.actor.clone(), body]
    });
    aligned(2, &rows.collect::<Vec<_>>())
}

pub(crate) fn tasks(tasks: &[Task]) -> String {
    let rows = tasks.iter().map(|task| {
        let text = &task.text;
        let due = text
            .due_on
            .map(|day| format!("by {day}"))
            .unwrap_or_default();
        let who = text.assignee.as_ref().map(|who| format!("for {who}"));
        [
            task.number.to_string(),
            text.status.as_str().to_owned(),
            text.priority.as_str().to_owned(),
            text.name.clone(),
            due,
            who.unwrap_or_default(),
        ]
    });
    aligned(2, &rows.collect::<Vec<_>>())
}

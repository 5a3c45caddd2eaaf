//! Owns the command line: one file per command.

mod actor;
mod approve;
mod awaiting;
mod backup;
mod check;
mod columns;
mod conditions;
mod confirm;
mod consent;
mod customer;
mod customer_bulk;
mod customer_campaigns;
mod customer_devices;
mod customer_export;
mod customer_histories;
mod customer_merge;
mod customer_notes;
mod customer_ratings;
mod customer_search;
mod customer_send;
mod customer_status;
mod customer_tasks;
mod customer_text;
mod customer_work;
mod database;
mod db;
mod db_check;
mod db_copy;
mod db_migrate;
mod db_status;
mod defining;
mod demo;
mod exit;
mod explain;
mod export;
mod export_definitions;
mod field;
mod format;
mod funnel;
mod import;
mod import_preview;
mod import_verbs;
mod import_words;
mod import_work;
mod init;
mod job;
mod job_follow;
mod ledger;
mod list;
mod moments;
mod names;
mod nodes;
mod output;
mod past_files;
mod pause;
mod picks;
mod place;
mod plan;
mod plan_words;
mod preview;
mod progress;
mod reload;
mod report;
mod report_page;
mod report_words;
mod reports;
mod revisions;
mod run;
mod schema;
mod segment;
mod send_test;
mod senders;
mod session;
mod simulate;
mod simulate_page;
mod simulate_words;
mod smart_list;
mod status;
mod tag;
mod test;
mod test_junit;
mod test_words;
mod tested;
mod token;
mod trials;
mod words;
mod workspace_revision;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

pub use self::exit::Exit;

use self::place::Place;

/// Walks customers through campaign flows that people write as YAML files.
#[derive(Debug, Parser)]
#[command(name = "drumbeat", version, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a small workspace to start from.
    Init(init::Arguments),
    /// Lets a month pass in half a minute, with invented customers.
    Demo(demo::Arguments),
    /// Says everything that is wrong with the files.
    Check(check::Arguments),
    /// Plays the workspace's own tests on a clock of their own.
    Test(test::Arguments),
    Simulate(simulate::Arguments),
    Plan(plan::Arguments),
    /// Prints the JSON Schema of a kind of document.
    Schema(schema::Arguments),
    /// The daemon: watches the files, enrolls, sends.
    Run(run::Arguments),
    Import(import::Arguments),
    Export(export::Arguments),
    /// Shows and changes one customer.
    Customer(customer::Arguments),
    /// Shows, follows and cancels what is done to many customers.
    Job(job::Arguments),
    /// Makes and fills lists of customers.
    List(list::Arguments),
    /// Stops messages to a customer, of one campaign, category, group or channel, or all.
    Unsubscribe(consent::Unsubscribe),
    /// Takes an unsubscription back.
    Resubscribe(consent::Resubscribe),
    /// Notes that a customer is not interested in a campaign.
    Dismiss(consent::Dismiss),
    /// Turns a customer's channel, or everything outbound, on or off.
    Switch(consent::SetSwitch),
    /// Records a customer's permission for a channel.
    Consent(consent::SetConsent),
    /// Shows and changes the fields that customers have.
    Field(field::Arguments),
    /// Shows and changes the tags that customers may carry.
    Tag(tag::Arguments),
    /// Says who is in a segment, and changes those that are in no file.
    Segment(segment::Arguments),
    /// Shows and changes saved conditions.
    SmartList(smart_list::Arguments),
    /// Writes what is defined in the store as files.
    ExportDefinitions(export_definitions::Arguments),
    /// Shows what runs, how far everybody is, and what stands in the way.
    Status(status::Arguments),
    Explain(explain::Arguments),
    Report(report::Arguments),
    /// Shows a communication as one customer would get it.
    Preview(preview::Arguments),
    /// Sends a communication to an address of your own, through the channel's gateway.
    SendTest(send_test::Arguments),
    /// Lists what was sent and what was not.
    Dispatches(ledger::Arguments),
    /// Shows the messages of which nobody knows whether they were taken.
    Uncertain(ledger::Uncertain),
    /// Stops a flow, a channel or everything until it is resumed.
    Pause(pause::PauseArguments),
    /// Lets what was paused go on.
    Resume(pause::ResumeArguments),
    Revisions(revisions::Arguments),
    Approve(approve::Arguments),
    /// Asks the daemon to read its files again.
    Reload(reload::Arguments),
    /// Copies the store while it is in use.
    Backup(backup::Arguments),
    /// Makes, lists and revokes tokens of the HTTP API.
    Token(token::Arguments),
    /// Looks after the database that holds the store.
    Db(db::Arguments),
}

/// Runs one command and says how it ended; whatever is to be said was written out.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return exit::of_usage(&error),
    };
    let done = match arguments.command {
        Command::Init(command) => init::run(&command),
        Command::Demo(command) => demo::run(&arguments.place, &command),
        Command::Check(command) => check::run(&arguments.place, &command),
        Command::Test(command) => test::run(&arguments.place, &command),
        Command::Plan(command) => plan::run(&arguments.place, &command),
        Command::Simulate(command) => simulate::run(&arguments.place, &command),
        Command::Schema(command) => schema::run(&command),
        Command::Run(command) => run::run(&arguments.place, &command),
        Command::Import(command) => import::run(&arguments.place, &command),
        Command::Export(command) => export::run(&arguments.place, &command),
        Command::Customer(command) => customer::run(&arguments.place, &command),
        Command::Job(command) => job::run(&arguments.place, &command),
        Command::List(command) => list::run(&arguments.place, &command),
        Command::Unsubscribe(command) => consent::unsubscribe(&arguments.place, &command),
        Command::Resubscribe(command) => consent::resubscribe(&arguments.place, &command),
        Command::Dismiss(command) => consent::dismiss(&arguments.place, &command),
        Command::Switch(command) => consent::switch(&arguments.place, &command),
        Command::Consent(command) => consent::consent(&arguments.place, &command),
        Command::Field(command) => field::run(&arguments.place, &command),
        Command::Tag(command) => tag::run(&arguments.place, &command),
        Command::Segment(command) => segment::run(&arguments.place, &command),
        Command::SmartList(command) => smart_list::run(&arguments.place, &command),
        Command::ExportDefinitions(command) => export_definitions::run(&arguments.place, &command),
        Command::Status(command) => status::run(&arguments.place, &command),
        Command::Explain(command) => explain::run(&arguments.place, &command),
        Command::Report(command) => report::run(&arguments.place, &command),
        Command::Preview(command) => preview::run(&arguments.place, &command),
        Command::SendTest(command) => send_test::run(&arguments.place, &command),
        Command::Dispatches(command) => ledger::dispatches(&arguments.place, &command),
        Command::Uncertain(command) => ledger::uncertain(&arguments.place, &command),
        Command::Pause(command) => pause::pause(&arguments.place, &command),
        Command::Resume(command) => pause::resume(&arguments.place, &command),
        Command::Revisions(command) => revisions::run(&arguments.place, &command),
        Command::Approve(command) => approve::run(&arguments.place, &command),
        Command::Reload(command) => reload::run(&arguments.place, &command),
        Command::Backup(command) => backup::run(&arguments.place, &command),
        Command::Token(command) => token::run(&arguments.place, &command),
        Command::Db(command) => db::run(&arguments.place, &command),
    };
    done.unwrap_or_else(|error| exit::of_failure(&error))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_command_is_put_together_right() {
        super::Arguments::command().debug_assert();
    }
}

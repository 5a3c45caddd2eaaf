//! Owns what must be so in every store: one statement for each rule, which finds what breaks it.

use super::super::catalog::Column;

/// What must be so. The statement answers the rows for which it is not, each by its `key` as a text.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) code: &'static str,
    pub(super) table: &'static str,
    /// What is wrong with such a row.
    pub(super) wrong: String,
    /// What to do about it.
    pub(super) remedy: &'static str,
    pub(super) statement: String,
}

const RESTORE: &str = "the row was written past drumbeat, or the database is damaged: restore a backup, \
     or copy the rest with `drumbeat db copy` after removing it";
const REMOVE: &str = "nothing reads it any more: delete the rows";
const PUBLISH: &str = "restore a backup that has the name; numbers are never given twice";

/// The tables whose rows are about a customer who is there. A mark in `dirty`, and the time of a message
/// that was on its way in `activity`, may outlive their customer.
const OF_CUSTOMERS: [&str; 18] = [
    "customer_values",
    "customer_tags",
    "list_members",
    "import_changes",
    "subscriptions",
    "dismissals",
    "returned",
    "merged",
    "notes",
    "devices",
    "tasks",
    "memberships",
    "interactions",
    "interaction_keys",
    "nps_answers",
    "environments",
    "past_memberships",
    "search_texts",
];
const OF_ENROLLMENTS: [&str; 5] = [
    "dispatches",
    "attempts",
    "frozen_messages",
    "uncertain",
    "goals",
];
/// Which columns hold the numbers of names, and of which kind.
const NAMED: [(&str, &str, &str, u8); 10] = [
    ("enrollments", "flow", "flow", 1),
    ("enrollments", "step", "step", 2),
    ("dispatches", "step", "step", 2),
    ("dispatches", "variant", "variant", 10),
    ("goals", "step", "step", 2),
    ("memberships", "segment", "segment", 3),
    ("past_memberships", "segment", "segment", 3),
    ("customer_tags", "tag", "tag", 7),
    ("customer_values", "field", "field", 8),
    ("list_members", "list", "list", 9),
];

/// The rules about one table, by its columns.
pub(super) fn of_table(table: &'static str, columns: &[Column]) -> Vec<Rule> {
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    let mut rules = Vec::new();
    for number in ["customer_id", "enrollment_id"] {
        if has("bucket") && has(number) {
            rules.push(Rule {
                code: "bucket",
                table,
                wrong: format!("the bucket is not the one that `{number}` carries"),
                remedy: RESTORE,
                statement: format!(
                    "SELECT CAST({number} AS TEXT) AS key FROM {table} WHERE bucket <> {number} >> 48 \
                     OR bucket NOT BETWEEN 0 AND 1023"
                ),
            });
        }
    }
    rules
}

/// The rules that span tables, or know what the columns mean.
pub(super) fn of_meaning() -> Vec<Rule> {
    let of_customers = OF_CUSTOMERS.map(orphans_of_customers);
    let of_enrollments = OF_ENROLLMENTS.map(orphans_of_enrollments);
    let named = NAMED.map(unnamed);
    let taken = [("customers", "customer"), ("enrollments", "enrollment")].map(untaken);
    let mut rules: Vec<Rule> = of_customers.into();
    rules.extend(of_enrollments);
    rules.extend(named);
    rules.extend(taken);
    rules.extend(of_enrollments_alone());
    rules.extend(of_dispatches_and_names());
    rules
}

fn orphans_of_customers(table: &'static str) -> Rule {
    Rule {
        code: "customer-missing",
        table,
        wrong: "the customer is not there".to_owned(),
        remedy: REMOVE,
        statement: format!(
            "SELECT CAST(x.customer_id AS TEXT) AS key FROM {table} AS x LEFT JOIN customers AS c \
             ON c.bucket = x.bucket AND c.customer_id = x.customer_id WHERE c.customer_id IS NULL"
        ),
    }
}

fn orphans_of_enrollments(table: &'static str) -> Rule {
    Rule {
        code: "enrollment-missing",
        table,
        wrong: "the enrollment is not there".to_owned(),
        remedy: REMOVE,
        statement: format!(
            "SELECT CAST(x.enrollment_id AS TEXT) AS key FROM {table} AS x LEFT JOIN enrollments AS e \
             ON e.bucket = x.bucket AND e.enrollment_id = x.enrollment_id \
             WHERE e.enrollment_id IS NULL"
        ),
    }
}

fn unnamed((table, column, what, kind): (&'static str, &str, &str, u8)) -> Rule {
    Rule {
        code: "name-missing",
        table,
        wrong: format!("`{column}` is the number of no {what}"),
        remedy: PUBLISH,
        statement: format!(
            "SELECT CAST(x.{column} AS TEXT) AS key FROM {table} AS x LEFT JOIN names AS n \
             ON n.number = x.{column} AND n.kind = {kind} \
             WHERE x.bucket >= 0 AND n.number IS NULL AND x.{column} IS NOT NULL"
        ),
    }
}

/// The low 48 bits of a number come from a counter, which must be past all of them.
fn untaken((table, what): (&'static str, &str)) -> Rule {
    Rule {
        code: "number-not-taken",
        table,
        wrong: "new rows would get numbers that are there already".to_owned(),
        remedy: "set `next` of that name in `sequences` above the number",
        statement: format!(
            "SELECT CAST(t.top AS TEXT) AS key FROM (SELECT max({what}_id & 281474976710655) AS top \
             FROM {table} WHERE bucket >= 0) AS t WHERE t.top >= \
             coalesce((SELECT next FROM sequences WHERE name = '{what}'), 1)"
        ),
    }
}

fn of_enrollments_alone() -> Vec<Rule> {
    let enrollments = |code, wrong: &str, remedy, which: &str| Rule {
        code,
        table: "enrollments",
        wrong: wrong.to_owned(),
        remedy,
        statement: format!(
            "SELECT CAST(e.enrollment_id AS TEXT) AS key FROM enrollments AS e WHERE e.bucket >= 0 \
             AND {which}"
        ),
    };
    vec![
        enrollments(
            "status",
            "no enrollment has this status",
            RESTORE,
            "e.status NOT IN (0, 1, 2, 10, 11)",
        ),
        enrollments(
            "customer-missing",
            "somebody who is not there is still in a flow",
            "end them: set `status` to 11, `exit_reason` to 6 and `due` to null",
            "e.status < 10 AND NOT EXISTS (SELECT 1 FROM customers AS c WHERE c.bucket = e.bucket \
             AND c.customer_id = e.customer_id)",
        ),
        enrollments(
            "step-missing",
            "it waits for no step",
            "end them: set `status` to 10 and `due` to null",
            "e.status IN (1, 2) AND e.step IS NULL",
        ),
        // Those who may enter again are looked at in a lane of their own.
        enrollments(
            "ended-and-due",
            "it has ended and is due still",
            "set `due` to null",
            "e.status >= 10 AND e.due IS NOT NULL AND e.lane <> 9",
        ),
    ]
}

fn of_dispatches_and_names() -> Vec<Rule> {
    vec![
        Rule {
            code: "state",
            table: "dispatches",
            wrong: "no dispatch has this state".to_owned(),
            remedy: RESTORE,
            statement: "SELECT CAST(d.enrollment_id AS TEXT) AS key FROM dispatches AS d \
                 WHERE d.bucket >= 0 AND d.state NOT BETWEEN 0 AND 8"
                .to_owned(),
        },
        // Who left a flow while a message was on its way has it settled afterwards.
        Rule {
            code: "claimed-and-not-sending",
            table: "dispatches",
            wrong: "it is claimed, and its enrollment is not sending".to_owned(),
            remedy: "start the daemon once: claims of an earlier start are taken over",
            statement: "SELECT CAST(d.enrollment_id AS TEXT) AS key FROM dispatches AS d \
                 JOIN enrollments AS e ON e.bucket = d.bucket AND e.enrollment_id = d.enrollment_id \
                 WHERE d.bucket >= 0 AND d.state = 0 AND e.status IN (0, 1, 10)"
                .to_owned(),
        },
        Rule {
            code: "name-twice",
            table: "names",
            wrong: "the name has two numbers".to_owned(),
            remedy: RESTORE,
            statement: "SELECT min(name) AS key FROM names GROUP BY kind, name HAVING count(*) > 1"
                .to_owned(),
        },
        Rule {
            code: "name-kind",
            table: "names",
            wrong: "no name is of this kind".to_owned(),
            remedy: RESTORE,
            statement: "SELECT name AS key FROM names WHERE kind NOT BETWEEN 1 AND 9".to_owned(),
        },
    ]
}

//! Owns the longer texts that forms stand for, and the reading of a statement as it is written.

/// One owner holds every stripe of a file, so its due index does not begin with them.
pub(super) const DUE: &str = "(SELECT * FROM enrollments WHERE bucket BETWEEN 0 AND 1023 \
     AND bucket >> 4 IN (SELECT value FROM json_each($4)) \
     AND lane = $1 AND due <= $2 ORDER BY lane, due LIMIT $3)";
pub(super) const NEXT_DUE: &str = "(SELECT min(e.due) FROM enrollments AS e WHERE e.bucket BETWEEN 0 AND 1023 \
     AND e.bucket >> 4 IN (SELECT value FROM json_each($2)) AND e.lane = l.lane \
     AND e.due IS NOT NULL)";
/// The first few of each stripe, merged: read in one go, the whole backlog would be sorted.
pub(super) const DUE_BY_STRIPE: &str = "(SELECT e.* FROM \
     (SELECT CAST(value AS SMALLINT) AS stripe FROM jsonb_array_elements_text(CAST($4 AS jsonb))) AS s \
     CROSS JOIN LATERAL (SELECT * FROM enrollments AS d WHERE d.bucket >> 4 = s.stripe \
     AND d.lane = $1 AND d.due <= $2 ORDER BY d.due LIMIT 8 + $3 / 16) AS e \
     ORDER BY e.due LIMIT $3)";
pub(super) const NEXT_DUE_BY_STRIPE: &str = "(SELECT min(e.due) FROM \
     (SELECT CAST(value AS SMALLINT) AS stripe FROM jsonb_array_elements_text(CAST($2 AS jsonb))) AS s \
     CROSS JOIN LATERAL (SELECT d.due FROM enrollments AS d WHERE d.bucket >> 4 = s.stripe \
     AND d.lane = l.lane AND d.due IS NOT NULL ORDER BY d.due LIMIT 1) AS e)";

/// The rows of a batch on SQLite.
pub(super) fn json_rows(columns: &str) -> String {
    let cell = |column: &str| {
        let words: Vec<&str> = column.split_whitespace().collect();
        let [name, kind @ .., place] = words.as_slice() else {
            return String::new();
        };
        format!("CAST(value ->> {place} AS {}) AS {name}", kind.join(" "))
    };
    let cells: Vec<String> = columns.split(',').map(cell).collect();
    format!("(SELECT {}, 1 AS one FROM json_each($1))", cells.join(", "))
}

/// The last of the values that a text names; 0: none.
pub(super) fn last_place(text: &str) -> usize {
    let number = |rest: &str| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().unwrap_or(0)
    };
    text.split('$').skip(1).map(number).max().unwrap_or(0)
}

/// What stands before the bracket that closes the one just opened.
pub(super) fn inside(text: &str) -> &str {
    let mut depth = 1;
    let closes = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    };
    text.find(closes).map_or(text, |end| &text[..end])
}

//! Owns the rows that an import did not take, as a CSV file that can be corrected and imported again.

use crate::customers::error::Error;
use crate::customers::formula::guarded;
use crate::customers::table::BETWEEN_LISTED;
use crate::domain::import::{Import, RejectedRow};
use crate::store::{self, Store};

/// Rows that are read at a time.
const TOGETHER: u32 = 1_000;

/// The file of rejected rows, a part at a time.
pub struct RejectLines {
    store: Store,
    import: Import,
    after: Option<i64>,
    is_begun: bool,
}

impl RejectLines {
    pub fn new(store: Store, import: Import) -> Self {
        Self {
            store,
            import,
            after: None,
            is_begun: false,
        }
    }

    /// The next part; none at the end. The first one has the names of the columns.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let number = self.import.number;
        let rows = self.store.import_rejects(number, self.after, TOGETHER);
        let rows = rows.await?;
        let mut text = Vec::new();
        if !self.is_begun {
            self.is_begun = true;
            let columns = self.import.findings.columns.iter().map(String::as_str);
            let header: Vec<&str> = columns.chain(["line", "reason"]).collect();
            write(&mut text, &header)?;
        } else if rows.is_empty() {
            return Ok(None);
        }
        for (seq, row) in rows {
            self.after = Some(seq);
            write(&mut text, &self.cells(row))?;
        }
        Ok(Some(text))
    }

    /// A row of the wrong width keeps its cells; line and reason stay in their own columns.
    fn cells(&self, row: RejectedRow) -> Vec<String> {
        let width = self.import.findings.columns.len();
        let cells = row.cells.iter().map(|cell| {
            let cell = cell.replace(BETWEEN_LISTED, "; ");
            guarded(&cell).into_owned()
        });
        let mut record: Vec<String> = cells.collect();
        let surplus = record.split_off(width.min(record.len()));
        record.resize(width, String::new());
        record.extend([row.line.to_string(), row.reason]);
        record.extend(surplus);
        record
    }
}

fn write<T: AsRef<[u8]>>(text: &mut Vec<u8>, record: &[T]) -> Result<(), Error> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(text);
    let written = writer
        .write_record(record)
        .and_then(|()| Ok(writer.flush()?));
    written.map_err(|error| store::Error::Unusable(error.to_string()).into())
}

//! Many Manual users at once, from CSV: first a review that changes nothing, then all that were found right.
//!
//! The first line names the columns: `name`, `address` (or `primary_address`), and if there is one `aliases`, in any order; others are passed
//! over, so that what the portal exports can be imported again.

use std::collections::HashMap;

use domain::address::Address;
use store::{CustomerStore, StoreError};

use super::{ManualField, ManualUser, Read, Refused, changes, managed};
use crate::{Actor, Engine, SyncError, run::hold_plan};

/// The most rows of a file.
pub const MOST_ROWS: usize = 5_000;

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It will be added.
    Add,
    /// It will not, for this reason.
    Refused(String),
}

/// A row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Its line in the file, the head being 1.
    pub line: usize,
    /// What it says.
    pub user: ManualUser,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// What an import would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// Every row.
    pub rows: Vec<ImportRow>,
}

impl Review {
    /// How many would be added.
    #[must_use]
    pub fn additions(&self) -> usize {
        self.rows.iter().filter(|row| row.verdict == Verdict::Add).count()
    }
}

/// Reads a file and says what would become of each row. Nothing is changed.
///
/// # Errors
/// When the database cannot answer. Why the file cannot be read at all is the inner error.
pub async fn review(customer: &CustomerStore, csv: &str) -> Result<Result<Review, String>, SyncError> {
    Ok(checked(customer, csv)
        .await?
        .map(|rows| Review { rows: rows.into_iter().map(|(row, _)| row).collect() }))
}

/// Adds all users of the file that a review finds right, in one transaction. Answers how many.
///
/// # Errors
/// When the database cannot do it. Why nothing was added is the inner error.
pub async fn import(
    engine: &Engine,
    customer: &CustomerStore,
    actor: &Actor,
    csv: &str,
) -> Result<Result<i64, String>, SyncError> {
    let rows = match checked(customer, csv).await? {
        Ok(rows) => rows,
        Err(why) => return Ok(Err(why)),
    };
    let now = engine.clock.now();
    let mut write = customer.begin().await?;
    hold_plan(&mut write).await?;
    let users: Vec<Read> = rows.into_iter().filter_map(|(_, read)| read).collect();
    let writes: Vec<_> = users.iter().map(|read| read.write(None, engine.random.uuid(now), now)).collect();
    match write.write_users(&writes).await {
        Ok(_) => {}
        Err(StoreError::Taken(what)) => {
            return Ok(Err(format!("{what} was taken meanwhile. Nothing was added: review the file again.")));
        }
        Err(error) => return Err(error.into()),
    }
    for read in &users {
        let entry = actor.entry(now, "user.import", read.primary.as_str(), changes(None, read));
        write.audit(entry).await?;
    }
    write.raise_topic("users").await?;
    let added = i64::try_from(users.len()).unwrap_or(i64::MAX);
    write.commit().await?;
    Ok(Ok(added))
}

type Checked = Vec<(ImportRow, Option<Read>)>;

async fn checked(customer: &CustomerStore, csv: &str) -> Result<Result<Checked, String>, SyncError> {
    let typed = match rows(csv) {
        Ok(typed) => typed,
        Err(why) => return Ok(Err(why)),
    };
    let managed = managed(customer).await?;
    let mut rows: Checked = typed
        .into_iter()
        .map(|(line, user)| match user.read(&managed) {
            Ok(read) => (ImportRow { line, user, verdict: Verdict::Add }, Some(read)),
            Err(refused) => (ImportRow { line, user, verdict: Verdict::Refused(words(refused)) }, None),
        })
        .collect();
    let wanted: Vec<Address> =
        rows.iter().filter_map(|(_, read)| read.as_ref()).flat_map(Read::addresses).cloned().collect();
    // Only read: the transaction is dropped.
    let mut write = customer.begin().await?;
    let mut held: HashMap<Address, String> = write
        .holders(&wanted)
        .await?
        .into_iter()
        .map(|row| (row.address, "another user".to_owned()))
        .collect();
    drop(write);
    for (row, slot) in &mut rows {
        let Some(read) = slot else { continue };
        let clash = read
            .addresses()
            .find_map(|address| held.get(address).map(|holder| format!("{address} belongs to {holder}.")));
        if let Some(clash) = clash {
            row.verdict = Verdict::Refused(clash);
            *slot = None;
            continue;
        }
        let line = format!("line {} of the file", row.line);
        held.extend(read.addresses().map(|address| (address.clone(), line.clone())));
    }
    Ok(Ok(rows))
}

impl Read {
    fn addresses(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.primary).chain(&self.aliases)
    }
}

fn words(refused: Refused) -> String {
    match refused {
        Refused::Field(ManualField::Name | ManualField::Primary | ManualField::Aliases, words) => words,
        Refused::Missing => String::new(),
    }
}

/// The rows of the file with their lines.
fn rows(csv: &str) -> Result<Vec<(usize, ManualUser)>, String> {
    let mut records = records(csv.trim_start_matches('\u{FEFF}'))?.into_iter();
    let Some((_, head)) = records.next() else { return Err("The file is empty.".to_owned()) };
    let head: Vec<String> = head.iter().map(|cell| cell.trim().to_lowercase().replace(' ', "_")).collect();
    let column = |names: &[&str]| head.iter().position(|cell| names.contains(&cell.as_str()));
    let (Some(name), Some(address)) =
        (column(&["name", "display_name"]), column(&["address", "primary_address", "email", "mail"]))
    else {
        return Err(
            "The first line must name the columns: name, address, and if there is one aliases.".to_owned()
        );
    };
    let aliases = column(&["aliases", "alias"]);
    let mut users = Vec::new();
    for (line, cells) in records {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if users.len() == MOST_ROWS {
            return Err(format!("The file has more than {MOST_ROWS} rows. Import it in parts."));
        }
        let cell = |at: Option<usize>| {
            let text = at.and_then(|at| cells.get(at)).map(String::as_str).unwrap_or_default();
            // What an export put before a cell that looks like a formula.
            let plain = text.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@']));
            plain.unwrap_or(text).to_owned()
        };
        let user =
            ManualUser { name: cell(Some(name)), primary: cell(Some(address)), aliases: cell(aliases) };
        users.push((line, user));
    }
    Ok(users)
}

/// RFC 4180: cells between commas (or semicolons, as spreadsheets of some countries write them), quoted when they hold one. Each record with the
/// line at which it begins.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let first = text.lines().next().unwrap_or_default();
    let separator = if first.contains(';') && !first.contains(',') { ';' } else { ',' };
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut line, mut began) = (false, 1, 1);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\n' {
            line += 1;
        }
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            _ if quoted => cell.push(letter),
            '"' if cell.is_empty() => quoted = true,
            '\r' => {}
            '\n' => {
                record.push(std::mem::take(&mut cell));
                records.push((began, std::mem::take(&mut record)));
                began = line;
            }
            _ if letter == separator => record.push(std::mem::take(&mut cell)),
            _ => cell.push(letter),
        }
    }
    if quoted {
        return Err(format!("The quotation mark in the row of line {began} is not closed."));
    }
    if !(record.is_empty() && cell.is_empty()) {
        record.push(cell);
        records.push((began, record));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(csv: &str) -> Vec<(usize, String, String, String)> {
        let rows = rows(csv).unwrap();
        rows.into_iter().map(|(line, user)| (line, user.name, user.primary, user.aliases)).collect()
    }

    #[test]
    fn quotes_line_ends_and_semicolons_are_read_as_spreadsheets_write_them() {
        let row = |line, name: &str, primary: &str, aliases: &str| {
            (line, name.to_owned(), primary.to_owned(), aliases.to_owned())
        };
        assert_eq!(
            read(
                "\u{FEFF}Name,Address,Aliases\r\n\"Byron, \"\"Ada\"\"\",a@b.example,\"x@b.example\ny@b.example\"\r\n\r\n'=Sum,c@b.example,"
            ),
            [
                row(2, "Byron, \"Ada\"", "a@b.example", "x@b.example\ny@b.example"),
                row(5, "=Sum", "c@b.example", ""),
            ]
        );
        assert_eq!(read("primary address;name\na@b.example;Ada"), [row(2, "Ada", "a@b.example", "")]);
    }

    #[test]
    fn a_file_that_is_none_is_refused_in_words() {
        assert!(rows("").unwrap_err().contains("empty"));
        assert!(rows("who,where\nx,y").unwrap_err().contains("first line"));
        assert!(rows("name,address\n\"x,y").unwrap_err().contains("not closed"));
    }
}

//! What users are found by: one text per user, with an index of its letters on either engine.
//!
//! The text holds the folded name, the primary address and the aliases, each between line ends, so that the beginning of any of them is the
//! letters behind a line end. It is written by the transaction that writes the user. SQLite keeps every three letters of it in an FTS5
//! table (by trigger), Postgres in a `pg_trgm` index; both lead to candidates, which are then compared with the text itself.
//!
//! One or two letters have no trigram: they are looked for at the beginning of names and addresses, in the indexes that are there anyway.

use domain::service::{Source, Status};

use crate::{
    CustomerWrite,
    error::Result,
    given::Given,
    sql::{Connection, all, execute, one, statements},
    user_lists::UserFilter,
    user_pages::Place,
};

statements! {
    WRITE = "INSERT INTO user_search (user_id, customer_id, text)
             SELECT u.id, u.customer_id, CAST($2 AS TEXT) || CAST($3 AS TEXT) || u.sort_name || CAST($3 AS TEXT) || u.primary_address
                 || CAST($3 AS TEXT)
                 || COALESCE((SELECT string_agg(a.address, CAST($3 AS TEXT) ORDER BY a.address) FROM user_addresses a
                     WHERE a.customer_id = u.customer_id AND a.user_id = u.id AND a.is_primary = FALSE), '') || CAST($3 AS TEXT)
             FROM users u WHERE u.customer_id = $1 AND u.id ", among("$4" "BIGINT"), "
             ON CONFLICT (user_id) DO UPDATE SET text = excluded.text WHERE user_search.text <> excluded.text";
    /// SQLite's index is asked for the trigrams ($2), of which one is the customer's mark; Postgres's for the pattern itself.
    PARTS = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM ", found("$2"), "
             s.customer_id = $1 AND s.text LIKE $3 ESCAPE '!' AND u.customer_id = $1
             AND (CAST($4 AS TEXT) = '' OR u.source = $4) AND (CAST($5 AS TEXT) = '' OR u.status = $5) LIMIT $6";
    PARTS_COUNT = "SELECT COUNT(*) FROM (SELECT u.id FROM ", found("$2"), "
             s.customer_id = $1 AND s.text LIKE $3 ESCAPE '!' AND u.customer_id = $1
             AND (CAST($4 AS TEXT) = '' OR u.source = $4) AND (CAST($5 AS TEXT) = '' OR u.status = $5) LIMIT $6) AS found";
    NAME_BEGINS = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at FROM users u
                   WHERE u.customer_id = $1 AND u.sort_name >= $2 AND u.sort_name < $3
                       AND (CAST($4 AS TEXT) = '' OR u.source = $4) AND (CAST($5 AS TEXT) = '' OR u.status = $5) LIMIT $6";
    NAME_BEGINS_COUNT = "SELECT COUNT(*) FROM (SELECT u.id FROM users u
                   WHERE u.customer_id = $1 AND u.sort_name >= $2 AND u.sort_name < $3
                       AND (CAST($4 AS TEXT) = '' OR u.source = $4) AND (CAST($5 AS TEXT) = '' OR u.status = $5) LIMIT $6) AS found";
    ADDRESS_BEGINS_COUNT = "SELECT COUNT(*) FROM (SELECT u.id
                      FROM user_addresses a JOIN users u ON u.customer_id = a.customer_id AND u.id = a.user_id
                      WHERE a.customer_id = $1 AND a.address >= $2 AND a.address < $3
                          AND (CAST($4 AS TEXT) = '' OR u.source = $4) AND (CAST($5 AS TEXT) = '' OR u.status = $5) LIMIT $6) AS found";
    ADDRESS_BEGINS = "SELECT u.id, u.sort_name, u.primary_address, u.changed_at
                      FROM user_addresses a JOIN users u ON u.customer_id = a.customer_id AND u.id = a.user_id
                      WHERE a.customer_id = $1 AND a.address >= $2 AND a.address < $3
                          AND (CAST($4 AS TEXT) = '' OR u.source = $4) AND (CAST($5 AS TEXT) = '' OR u.status = $5) LIMIT $6";
}

/// The longest search, in characters; the rest of a longer one is not looked for.
const LONGEST: usize = 100;
/// How many letters the engines' indexes begin with.
const TRIGRAM: usize = 3;
/// Between names and addresses in the text; no name or address holds one.
const LINE_END: &str = "\n";
/// Behind every text that begins with the letters before it.
pub(crate) const LAST: char = char::MAX;

/// What is searched for in names and addresses, without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// Reads what was typed. Spaces around it, control characters and whatever is beyond 100 characters are passed over; a whole mail address
    /// is brought into the form in which addresses are kept.
    #[must_use]
    pub fn new(typed: &str) -> Self {
        let plain: String = typed.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
        let folded = domain::address::Address::parse(&plain)
            .map_or_else(|| plain.trim().to_lowercase(), |address| address.to_string());
        Self(folded)
    }

    /// Whether nothing is searched for: everybody is found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is too short to be looked for anywhere but at the beginning of names and addresses.
    #[must_use]
    pub fn is_prefix(&self) -> bool {
        !self.is_empty() && self.0.chars().count() < TRIGRAM
    }

    /// The folded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pattern for LIKE that a found user's text fits.
    pub(crate) fn pattern(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut pattern = String::from("%");
        if self.is_prefix() {
            pattern.push_str(LINE_END);
        }
        for c in self.0.chars() {
            if matches!(c, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(c);
        }
        pattern.push('%');
        pattern
    }

    /// Every three letters of it and the customer's mark, as FTS5 reads a query.
    fn trigrams(&self, customer_id: i64) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        let quoted = |letters: &[char]| {
            let text: String = letters.iter().collect();
            format!("\"{}\"", text.replace('"', "\"\""))
        };
        let mut query = quoted(&mark(customer_id).chars().collect::<Vec<_>>());
        for trigram in letters.windows(TRIGRAM) {
            query.push_str(" AND ");
            query.push_str(&quoted(trigram));
        }
        query
    }
}

/// Three times a letter that stands for the customer: a trigram of its own, so that the index leads to this customer's users only. Customers
/// far apart may share one; then the customer of each row still decides.
fn mark(customer_id: i64) -> String {
    let offset = u32::try_from(customer_id.rem_euclid(65_000)).unwrap_or(0);
    char::from_u32(0xF_0000 + offset).unwrap_or(LAST).to_string().repeat(TRIGRAM)
}

/// The users that a search finds, in no order, at most so many. `None` when there are more.
pub(crate) async fn found(
    connection: &mut Connection,
    customer_id: i64,
    filter: &UserFilter,
    most: i64,
) -> Result<Option<Vec<Place>>> {
    let source = filter.source.map_or("", Source::name);
    let status = filter.status.map_or("", Status::name);
    let limit = most.saturating_add(1);
    let search = &filter.search;
    let mut places = Vec::new();
    if search.is_prefix() {
        let (from, to) = (search.as_str(), format!("{}{LAST}", search.as_str()));
        for (count, statement) in [(NAME_BEGINS_COUNT, NAME_BEGINS), (ADDRESS_BEGINS_COUNT, ADDRESS_BEGINS)] {
            // Counted before one who is found twice is dropped: what lies beyond the limit was not looked at. Counting is also cheaper than
            // reading as many for nothing.
            let (count,) = one!(connection, (i64,), count, customer_id, from, to.as_str(), source, status, limit)?;
            if count > most {
                return Ok(None);
            }
            let found =
                all!(connection, Place, statement, customer_id, from, to.as_str(), source, status, limit)?;
            places.extend(found);
        }
    } else {
        let (trigrams, pattern) = (search.trigrams(customer_id), search.pattern());
        let (trigrams, pattern) = (trigrams.as_str(), pattern.as_str());
        if most < i64::MAX {
            // Counting is cheaper than reading as many for nothing.
            let (count,) = one!(
                connection,
                (i64,),
                PARTS_COUNT,
                customer_id,
                trigrams,
                pattern,
                source,
                status,
                limit
            )?;
            if count > most {
                return Ok(None);
            }
        }
        places = all!(connection, Place, PARTS, customer_id, trigrams, pattern, source, status, limit)?;
    }
    places.sort_unstable_by_key(|place| place.id);
    places.dedup_by_key(|place| place.id);
    Ok((!over(&places, most)).then_some(places))
}

fn over(places: &[Place], most: i64) -> bool {
    i64::try_from(places.len()).is_ok_and(|found| found > most)
}

impl CustomerWrite {
    /// Brings what these users are found by in line with their names and addresses.
    pub(crate) async fn write_search(&mut self, user_ids: &[i64]) -> Result<()> {
        if user_ids.is_empty() {
            return Ok(());
        }
        let given = Given::nothing().ints(user_ids.iter().copied());
        execute!(self.connection, WRITE, self.customer_id, mark(self.customer_id), LINE_END; given).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_folded_and_freed_of_what_cannot_be_in_a_name() {
        assert_eq!(Search::new("  ADA\tLovelace\n").as_str(), "ada lovelace");
        assert_eq!(Search::new("Ada@BÜCHER.example").as_str(), "ada@xn--bcher-kva.example");
        assert_eq!(Search::new(&"x".repeat(500)).as_str().len(), LONGEST);
        assert!(Search::new(" \n ").is_empty() && !Search::new(" ").is_prefix());
        assert!(Search::new("李雷").is_prefix() && !Search::new("ada").is_prefix());
    }

    #[test]
    fn letters_with_a_meaning_for_like_and_for_fts5_lose_it() {
        assert_eq!(Search::new("50%_off!").pattern(), "%50!%!_off!!%");
        assert_eq!(Search::new("a%").pattern(), "%\na!%%");
        let query = Search::new("a\"b*").trigrams(1);
        assert_eq!(query, "\"\u{F0001}\u{F0001}\u{F0001}\" AND \"a\"\"b\" AND \"\"\"b*\"");
    }
}

//! Writes a search filter without blanks, escaping what RFC 4515 demands and bytes that are no text.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{Comparison, Filter, FilterKind};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('(')?;
        match &self.kind {
            FilterKind::And(parts) => list(f, '&', parts)?,
            FilterKind::Or(parts) => list(f, '|', parts)?,
            FilterKind::Not(part) => write!(f, "!{part}")?,
            FilterKind::Present(attribute) => write!(f, "{attribute}=*")?,
            FilterKind::Compare(attribute, comparison, wanted) => {
                f.write_str(attribute)?;
                f.write_str(match comparison {
                    Comparison::Equal => "=",
                    Comparison::Approximate => "~=",
                    Comparison::AtLeast => ">=",
                    Comparison::AtMost => "<=",
                })?;
                value(f, wanted)?;
            }
            FilterKind::Substrings(attribute, first, middle, last) => {
                write!(f, "{attribute}=")?;
                value(f, first)?;
                f.write_char('*')?;
                for part in middle {
                    value(f, part)?;
                    f.write_char('*')?;
                }
                value(f, last)?;
            }
            FilterKind::Extensible { attribute, dn, rule, value: wanted } => {
                f.write_str(attribute.as_deref().unwrap_or(""))?;
                f.write_str(if *dn { ":dn" } else { "" })?;
                rule.as_ref().map_or(Ok(()), |rule| write!(f, ":{rule}"))?;
                f.write_str(":=")?;
                value(f, wanted)?;
            }
        }
        f.write_char(')')
    }
}

fn list(f: &mut Formatter<'_>, operator: char, parts: &[Filter]) -> fmt::Result {
    f.write_char(operator)?;
    parts.iter().try_for_each(|part| part.fmt(f))
}

fn value(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\0' | '(' | ')' | '*' | '\\' => write!(f, "\\{:02x}", u32::from(c))?,
                _ => f.write_char(c)?,
            }
        }
        chunk.invalid().iter().try_for_each(|byte| write!(f, "\\{byte:02x}"))?;
    }
    Ok(())
}

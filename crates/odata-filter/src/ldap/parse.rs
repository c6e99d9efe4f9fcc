//! Reads a search filter. Blanks between parts are allowed, as all servers do; within an assertion they count.

use super::{Comparison, Filter, FilterKind};
use crate::{
    parser::{MAX_LENGTH, MAX_NESTING},
    problem::{Code, Problem, Span},
};

/// Reads a search filter.
///
/// # Errors
/// The first mistake, with its place and, where it is clear what was meant, a correction.
pub fn parse(text: &str) -> Result<Filter, Problem> {
    if text.len() > MAX_LENGTH {
        let message = format!("The filter has {} bytes; at most {MAX_LENGTH} are read.", text.len());
        return Err(Problem::new(Code::TooLong, message, Span::new(0, text.ceil_char_boundary(1))));
    }
    let mut parser = Parser { text, at: 0, depth: 0 };
    parser.blanks();
    if parser.at == text.len() {
        return Err(problem("The filter is empty.", Span::new(text.len(), text.len())));
    }
    if parser.peek() != Some(b'(') {
        let span = Span::new(parser.at, text.trim_ascii_end().len());
        let wrapped = format!("({})", span.of(text));
        return Err(problem("A filter begins with '('.", Span::new(parser.at, parser.at)).fix(span, wrapped));
    }
    let filter = parser.filter()?;
    parser.blanks();
    if parser.at < text.len() {
        let rest = Span::new(parser.at, text.len());
        let error = problem("The filter has ended before this.", rest);
        return Err(if parser.peek() == Some(b'(') {
            let all = Span::new(filter.span.start, text.len());
            error
                .hint("Several conditions stand in one (&…).")
                .fix(all, format!("(&{})", all.of(text).trim_ascii_end()))
        } else {
            error.fix(rest, "")
        });
    }
    Ok(filter)
}

fn problem(message: impl Into<String>, span: Span) -> Problem {
    Problem::new(Code::InvalidLdapFilter, message, span)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// The character at the place, for underlining.
    fn here(&self) -> Span {
        let length = self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        Span::new(self.at, self.at + length)
    }

    /// `(…)`, with the place at the opening parenthesis.
    fn filter(&mut self) -> Result<Filter, Problem> {
        let start = self.at;
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(problem(format!("Parentheses nest deeper than {MAX_NESTING}."), self.here()));
        }
        self.at += 1;
        self.blanks();
        let kind = match self.peek() {
            Some(b'&') => FilterKind::And(self.parts()?),
            Some(b'|') => FilterKind::Or(self.parts()?),
            Some(b'!') => {
                let bang = self.here();
                let mut parts = self.parts()?;
                match (parts.pop(), parts.is_empty()) {
                    (Some(part), true) => FilterKind::Not(Box::new(part)),
                    _ => return Err(problem("'!' is followed by exactly one filter.", bang)),
                }
            }
            Some(b'(') => return Err(self.doubled()),
            _ => self.assertion()?,
        };
        if self.peek() != Some(b')') {
            return Err(self.unclosed());
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Filter { kind, span: Span::new(start, self.at) })
    }

    fn unclosed(&self) -> Problem {
        let end = Span::new(self.text.len(), self.text.len());
        problem("')' is missing.", self.here()).fix(end, ")")
    }

    fn doubled(&self) -> Problem {
        problem("A filter is an assertion such as (cn=Anna), or &, | or ! with filters.", self.here())
            .hint("Leave out the second parenthesis, or write '&' between them.")
            .fix(Span::new(self.at, self.at), "&")
    }

    /// The filters behind `&`, `|` or `!`, up to the closing parenthesis.
    fn parts(&mut self) -> Result<Vec<Filter>, Problem> {
        let operator = self.peek();
        self.at += 1;
        let mut parts = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                Some(b'(') => parts.push(self.filter()?),
                Some(b')') => return Ok(parts),
                None => return Err(self.unclosed()),
                byte if byte == operator => {
                    return Err(problem("The operator stands once, before all its filters.", self.here())
                        .fix(self.here(), ""));
                }
                Some(_) if operator == Some(b'!') => {
                    let end = self
                        .text
                        .get(self.at..)
                        .and_then(|rest| rest.find(')'))
                        .map_or(self.at, |n| self.at + n);
                    let span = Span::new(self.at, end);
                    return Err(problem("'!' is followed by a filter in parentheses.", self.here())
                        .fix(span, format!("({})", span.of(self.text))));
                }
                Some(_) => return Err(problem("A filter in parentheses is expected.", self.here())),
            }
        }
    }

    fn assertion(&mut self) -> Result<FilterKind, Problem> {
        let start = self.at;
        let name = self.name()?;
        let (operator, length) = match self.text.as_bytes().get(self.at..) {
            Some([b'=', ..]) => (Comparison::Equal, 1),
            Some([b'~', b'=', ..]) => (Comparison::Approximate, 2),
            Some([b'>', b'=', ..]) => (Comparison::AtLeast, 2),
            Some([b'<', b'=', ..]) => (Comparison::AtMost, 2),
            Some([b':', ..]) => return self.extensible(name),
            _ => return Err(self.operator_expected(start)),
        };
        let name = name.ok_or_else(|| problem("The name of an attribute is missing.", self.here()))?;
        self.at += length;
        let mut parts = self.value(operator == Comparison::Equal)?;
        if parts.len() == 1 {
            return Ok(FilterKind::Compare(name, operator, parts.pop().unwrap_or_default()));
        }
        let last = parts.pop().unwrap_or_default();
        let first = if parts.is_empty() { Vec::new() } else { parts.remove(0) };
        // Stars next to each other ask for nothing between them.
        parts.retain(|part| !part.is_empty());
        if first.is_empty() && last.is_empty() && parts.is_empty() {
            return Ok(FilterKind::Present(name));
        }
        Ok(FilterKind::Substrings(name, first, parts, last))
    }

    fn operator_expected(&self, start: usize) -> Problem {
        let here = self.here();
        match self.peek() {
            Some(b'>' | b'<') => {
                let sign = here.of(self.text);
                problem(format!("There is no '{sign}', only '{sign}='."), here).fix(here, format!("{sign}="))
            }
            Some(b'!') => {
                let end = self
                    .text
                    .get(self.at..)
                    .and_then(|rest| rest.find(')'))
                    .map_or(here.end, |n| self.at + n);
                let span = Span::new(start, end);
                let turned = span.of(self.text).replacen('!', "", 1);
                problem("Inequality is written (!(attribute=value)).", here).fix(span, format!("!({turned})"))
            }
            Some(b')') | None => problem("'=' and a value are missing.", here),
            _ => problem("'=', '~=', '>=', '<=' or ':' is expected.", here),
        }
    }

    /// An attribute description: a name or number, with options (`;binary`). `None` when there is none.
    fn name(&mut self) -> Result<Option<String>, Problem> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"-.;_".contains(&byte)) {
            self.at += 1;
        }
        let span = Span::new(start, self.at);
        let name = span.of(self.text);
        // Blanks before the operator are a slip that servers forgive.
        self.blanks();
        match name.bytes().next() {
            None => Ok(None),
            Some(first) if first.is_ascii_alphanumeric() => Ok(Some(name.to_owned())),
            Some(_) => Err(problem("A name begins with a letter.", span)),
        }
    }

    /// `[:dn][:rule]:=value`, with the place at the first colon.
    fn extensible(&mut self, attribute: Option<String>) -> Result<FilterKind, Problem> {
        let (mut dn, mut rule) = (false, None);
        loop {
            self.at += 1;
            if self.peek() == Some(b'=') {
                break;
            }
            let here = self.here();
            match self.name()? {
                Some(name) if name.eq_ignore_ascii_case("dn") && !dn && rule.is_none() => dn = true,
                Some(name) if rule.is_none() => rule = Some(name),
                _ => return Err(problem("A matching rule is expected, then ':='.", here)),
            }
            if self.peek() != Some(b':') {
                return Err(problem("':=' is expected.", self.here()));
            }
        }
        if attribute.is_none() && rule.is_none() {
            return Err(problem("An attribute or a matching rule is missing.", self.here()));
        }
        self.at += 1;
        let value = self.value(false)?.pop().unwrap_or_default();
        Ok(FilterKind::Extensible { attribute, dn, rule, value })
    }

    /// The value up to the closing parenthesis, split at its stars where these mean something.
    fn value(&mut self, stars: bool) -> Result<Vec<Vec<u8>>, Problem> {
        let mut parts = vec![Vec::new()];
        while let Some(byte) = self.peek().filter(|byte| *byte != b')') {
            match byte {
                b'*' if stars => parts.push(Vec::new()),
                b'*' | b'(' | 0 => {
                    let escaped = format!("\\{byte:02x}");
                    let message = format!("This character is written {escaped} in a value.");
                    return Err(problem(message, self.here()).fix(self.here(), escaped));
                }
                _ => {
                    let byte = if byte == b'\\' { self.escape()? } else { byte };
                    parts.last_mut().into_iter().for_each(|part| part.push(byte));
                }
            }
            self.at += 1;
        }
        Ok(parts)
    }

    /// `\2a`; leaves the place at the last digit.
    fn escape(&mut self) -> Result<u8, Problem> {
        let digits = self.text.get(self.at + 1..self.at + 3).unwrap_or("");
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                self.at += 2;
                Ok(byte)
            }
            _ => Err(problem("A backslash is followed by two hexadecimal digits.", self.here())
                .hint("The backslash itself is written \\5c.")
                .fix(self.here(), "\\5c")),
        }
    }
}

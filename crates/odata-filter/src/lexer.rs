//! Splits a filter into tokens the way Microsoft's OData library does, whose positions Graph reports.
//!
//! One pass over the whole text. What cannot be a token ends the list: the parser gets to it only when it has
//! read everything before, so the first mistake in the text is the one that is reported.

use crate::{
    datetime,
    problem::{Problem, Span, utf16_at},
};

/// Kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Open,
    Close,
    Comma,
    Minus,
    Slash,
    Dot,
    Colon,
    Equal,
    /// `*`, `?`, `[…]`, `{…}`, `@name`: known to the language, of no use in a directory filter.
    Other,
    Text,
    Ident,
    /// An identifier directly followed by a quoted value, `name'…'`.
    Quoted,
    Guid,
    Date,
    DateTimeOffset,
    TimeOfDay,
    Int32,
    Int64,
    Decimal,
    Double,
    Single,
    Bool,
    Null,
    End,
    /// Not a token; [`Tokens::error`] says why. Always the last one.
    Bad,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// The tokens of a text; the last one is [`Kind::End`] or [`Kind::Bad`].
pub(crate) struct Tokens {
    pub list: Vec<Token>,
    pub error: Option<Problem>,
}

/// Splits `text`.
pub(crate) fn tokens(text: &str) -> Tokens {
    let mut lexer = Lexer { text, at: 0 };
    let mut list = Vec::with_capacity(text.len() / 4 + 2);
    loop {
        lexer.skip(char::is_whitespace);
        let start = lexer.at;
        match lexer.token() {
            Ok(kind) => {
                list.push(Token { kind, span: Span::new(start, lexer.at) });
                if kind == Kind::End {
                    return Tokens { list, error: None };
                }
            }
            Err(problem) => {
                list.push(Token { kind: Kind::Bad, span: problem.span });
                return Tokens { list, error: Some(problem) };
            }
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn skip(&mut self, accepted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&accepted) {
            self.bump();
        }
    }

    fn token(&mut self) -> Result<Kind, Problem> {
        let Some(c) = self.peek() else { return Ok(Kind::End) };
        let single = match c {
            '(' => Kind::Open,
            ')' => Kind::Close,
            ',' => Kind::Comma,
            '/' => Kind::Slash,
            '.' => Kind::Dot,
            ':' => Kind::Colon,
            '=' => Kind::Equal,
            '*' | '?' => Kind::Other,
            '\'' => return self.string(self.at),
            '-' => return self.minus(),
            '[' | '{' => return self.bracketed(c),
            '@' => return self.alias(),
            _ if c.is_ascii_digit() => return self.number(),
            _ if is_ident_start(c) => return self.word(),
            _ => return Err(self.invalid(c)),
        };
        self.bump();
        Ok(single)
    }

    /// A quoted string; a doubled quote stands for one.
    fn string(&mut self, from: usize) -> Result<Kind, Problem> {
        loop {
            self.bump();
            self.skip(|c| c != '\'');
            if self.peek().is_none() {
                let text = self.text;
                let position = utf16_at(text, text.len());
                return Err(Problem::clause(
                    format!("There is an unterminated string literal at position {position} in '{text}'."),
                    Span::new(from, text.len()),
                )
                .hint("The closing quote is missing.")
                .fix(Span::new(text.trim_end().len(), text.len()), "'"));
            }
            self.bump();
            if self.peek() != Some('\'') {
                return Ok(Kind::Text);
            }
        }
    }

    fn word(&mut self) -> Result<Kind, Problem> {
        let from = self.at;
        self.bump();
        self.skip(is_ident_part);
        if self.peek() == Some('-') && datetime::is_guid(self.literal_from(from)) {
            self.at = from + self.literal_from(from).len();
            return Ok(Kind::Guid);
        }
        let word = self.text.get(from..self.at).unwrap_or("");
        if self.peek() == Some('\'') {
            return self.quoted(from);
        }
        Ok(match word {
            "true" | "false" => Kind::Bool,
            "null" => Kind::Null,
            "INF" | "NaN" => Kind::Double,
            _ => Kind::Ident,
        })
    }

    /// `name'…'`. Nearly always this is a quote that was not doubled: `'O'Brien'`.
    fn quoted(&mut self, from: usize) -> Result<Kind, Problem> {
        match self.string(from) {
            Ok(_) => Ok(Kind::Quoted),
            Err(_) => {
                let text = self.text;
                let position = utf16_at(text, text.len());
                let problem = Problem::clause(
                    format!("There is an unterminated literal at position {position} in '{text}'."),
                    Span::new(from, text.len()),
                );
                let inner_quote = text.get(..from).is_some_and(|before| before.ends_with('\''));
                Err(if inner_quote {
                    problem
                        .hint("A quote inside a string is written twice: 'O''Brien'.")
                        .fix(Span::new(from - 1, from), "''")
                } else {
                    problem.hint("A string begins and ends with a single quote.")
                })
            }
        }
    }

    fn minus(&mut self) -> Result<Kind, Problem> {
        let from = self.at;
        let mut rest = self.rest().chars().skip(1);
        match rest.next() {
            Some(c) if c.is_ascii_digit() => {
                let kind = self.number()?;
                if kind == Kind::Guid {
                    self.at = from + 1;
                    return Ok(Kind::Minus);
                }
                Ok(kind)
            }
            _ if self.rest().strip_prefix("-INF").is_some_and(|rest| !rest.starts_with(is_ident_part)) => {
                self.at += 4;
                Ok(Kind::Double)
            }
            _ => {
                self.bump();
                Ok(Kind::Minus)
            }
        }
    }

    /// Whatever begins with a digit (or a minus and a digit): dates and GUIDs too.
    fn number(&mut self) -> Result<Kind, Problem> {
        let from = self.at;
        if self.peek() == Some('-') {
            self.bump();
        }
        self.skip(|c| c.is_ascii_digit());
        if matches!(self.peek(), Some(c) if c == '-' || c == ':' || c.is_ascii_alphabetic()) {
            let literal = self.literal_from(from);
            let kind = if datetime::Date::parse(literal).is_some() {
                Some(Kind::Date)
            } else if datetime::Instant::parse(literal).is_some() {
                Some(Kind::DateTimeOffset)
            } else if datetime::is_guid(literal) {
                Some(Kind::Guid)
            } else if datetime::is_time_of_day(literal) {
                Some(Kind::TimeOfDay)
            } else if datetime::looks_like_date(literal) {
                let hint = "Not a valid date and time; write it as 2024-01-31T00:00:00Z.";
                return Err(self.malformed(from, literal, hint));
            } else if datetime::looks_like_guid(literal) {
                let hint = "Not a valid GUID; it has groups of 8, 4, 4, 4 and 12 hexadecimal digits.";
                return Err(self.malformed(from, literal, hint));
            } else {
                None
            };
            if let Some(kind) = kind {
                self.at = from + literal.len();
                return Ok(kind);
            }
        }
        let mut fractional = false;
        if self.peek() == Some('.') {
            fractional = true;
            self.bump();
            self.digits()?;
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            fractional = true;
            self.bump();
            if matches!(self.peek(), Some('+' | '-')) {
                self.bump();
            }
            self.digits()?;
        }
        let digits = self.text.get(from..self.at).unwrap_or("");
        let kind = match self.peek() {
            Some('m' | 'M') => Kind::Decimal,
            Some('d' | 'D') => Kind::Double,
            Some('f' | 'F') => Kind::Single,
            Some('l' | 'L') => Kind::Int64,
            _ if fractional => return Ok(Kind::Double),
            _ if digits.parse::<i32>().is_ok() => return Ok(Kind::Int32),
            _ if digits.parse::<i64>().is_ok() => return Ok(Kind::Int64),
            _ => return Ok(Kind::Decimal),
        };
        self.bump();
        Ok(kind)
    }

    /// A date or a GUID gone wrong. The library would read a subtraction and report a place in its middle.
    fn malformed(&self, from: usize, literal: &str, hint: &str) -> Problem {
        let end = from + literal.len();
        let position = utf16_at(self.text, end);
        let message = format!("Syntax error at position {position} in '{}'.", self.text);
        Problem::clause(message, Span::new(from, end)).hint(hint)
    }

    fn digits(&mut self) -> Result<(), Problem> {
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.skip(|c| c.is_ascii_digit());
            return Ok(());
        }
        let position = utf16_at(self.text, self.at);
        Err(Problem::clause(
            format!("A digit was expected at position {position} in '{}'.", self.text),
            Span::new(self.at, self.at),
        ))
    }

    fn bracketed(&mut self, open: char) -> Result<Kind, Problem> {
        let from = self.at;
        let close = if open == '[' { ']' } else { '}' };
        let mut depth = 0_u32;
        while let Some(c) = self.peek() {
            self.bump();
            match c {
                '\'' => {
                    self.skip(|c| c != '\'');
                    self.bump();
                }
                _ if c == open => depth = depth.saturating_add(1),
                _ if c == close => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return Ok(Kind::Other);
                    }
                }
                _ => {}
            }
        }
        Err(Problem::clause("Found an unbalanced bracket expression.", Span::new(from, self.text.len())))
    }

    fn alias(&mut self) -> Result<Kind, Problem> {
        self.bump();
        match self.peek() {
            Some(c) if is_ident_start(c) => {
                self.bump();
                self.skip(is_ident_part);
                Ok(Kind::Other)
            }
            Some(c) => Err(self.invalid(c)),
            None => {
                let position = utf16_at(self.text, self.at);
                Err(Problem::clause(
                    format!("Syntax error at position {position} in '{}'.", self.text),
                    Span::new(self.at - 1, self.at),
                ))
            }
        }
    }

    fn invalid(&self, c: char) -> Problem {
        let position = utf16_at(self.text, self.at);
        Problem::clause(
            format!("Syntax error: character '{c}' is not valid at position {position} in '{}'.", self.text),
            Span::new(self.at, self.at + c.len_utf8()),
        )
    }

    /// From `from` to the next comma, parenthesis or blank: how far a date or a GUID can reach.
    fn literal_from(&self, from: usize) -> &str {
        let rest = self.text.get(from..).unwrap_or("");
        let end = rest.find(|c: char| c == ',' || c == ')' || c.is_whitespace()).unwrap_or(rest.len());
        rest.get(..end).unwrap_or("")
    }
}

pub(crate) fn is_ident_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

pub(crate) fn is_ident_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

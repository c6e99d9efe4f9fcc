//! Advice for the mistakes that administrators make: another language's operators, quotes of a word
//! processor, a forgotten quote, a misspelt property.

use crate::{
    lexer::{Kind, Token},
    problem::{Problem, Span},
};

/// Adds advice to a syntax error, unless it already has some.
pub(crate) fn for_syntax(text: &str, tokens: &[Token], problem: Problem) -> Problem {
    if problem.hint.is_some() {
        return problem;
    }
    let (at, rest) = (problem.span.start, text.get(problem.span.start..).unwrap_or(""));
    let Some(c) = rest.chars().next() else { return at_end(text, tokens, problem) };
    if let Some((written, meant, hint)) = FOREIGN.iter().find(|(written, ..)| rest.starts_with(written)) {
        // `!=` is reported at its `=` when the `!` before it was readable, `==` at its first sign.
        let problem = problem.hint(*hint);
        if meant.is_empty() {
            return problem;
        }
        return problem.fix(Span::new(at, at + written.len()), *meant);
    }
    match c {
        '-' => dashed_operator(rest, at, problem),
        '"' | '‘' | '’' | '‚' | '‛' | '“' | '”' | '„' | '`' | '´' => {
            quotes(text, c, at, problem)
        }
        '%' => problem.hint("Write the filter as plain text; it is encoded for the address on sending."),
        ')' if problem.message.contains("Syntax error") => {
            problem.hint("This closing parenthesis has no opening one.").fix(Span::new(at, at + 1), "")
        }
        ')' => problem.hint("A value or a property is missing before the parenthesis."),
        '(' => problem
            .hint("A function name and its parenthesis stand together, without a blank.")
            .fix(Span::new(text.get(..at).unwrap_or("").trim_end().len(), at), ""),
        ',' => problem.hint("Conditions are joined by 'and' or 'or'.").fix(Span::new(at, at + 1), "and"),
        _ => word(text, tokens, problem),
    }
}

/// Operators of other languages: as written, as meant, and why.
const FOREIGN: [(&str, &str, &str); 14] = [
    ("==", "eq", "Equality is written 'eq'."),
    ("=", "eq", "Equality is written 'eq'."),
    ("!=", "ne", "Inequality is written 'ne'."),
    ("<>", "ne", "Inequality is written 'ne'."),
    ("<=", "le", "'At most' is written 'le'."),
    (">=", "ge", "'At least' is written 'ge'."),
    ("<", "le", "Graph compares with 'le' (at most)."),
    (">", "ge", "Graph compares with 'ge' (at least)."),
    ("&&", "and", "Conditions are joined by 'and'."),
    ("&", "and", "Conditions are joined by 'and'."),
    ("||", "or", "Alternatives are joined by 'or'."),
    ("|", "or", "Alternatives are joined by 'or'."),
    ("!", "not ", "Negation is written 'not'."),
    (";", "", "A filter is one expression, without a semicolon."),
];

/// PowerShell's `-eq`, `-and`, `-like`.
fn dashed_operator(rest: &str, at: usize, problem: Problem) -> Problem {
    let length = rest.bytes().skip(1).take_while(u8::is_ascii_alphabetic).count();
    let word = rest.get(1..=length).unwrap_or("").to_ascii_lowercase();
    let span = Span::new(at, at + 1 + length);
    match word.as_str() {
        "eq" | "ne" | "gt" | "ge" | "lt" | "le" | "in" | "and" | "or" | "not" => {
            let hint = format!("Operators have no dash here: '{word}'.");
            problem.hint(hint).fix(span, word)
        }
        "like" | "match" | "contains" => {
            problem.hint("There are no patterns; use startsWith(property,'beginning').")
        }
        "notlike" | "notmatch" => problem.hint("Use not startsWith(property,'beginning')."),
        _ => problem,
    }
}

/// `"x"`, `‘x’`: strings stand between single straight quotes.
fn quotes(text: &str, open: char, at: usize, problem: Problem) -> Problem {
    let problem = problem.hint("Strings stand between single straight quotes: 'text'.");
    let inner = at + open.len_utf8();
    let closers: &[char] = match open {
        '"' => &['"'],
        '`' | '´' => &['`', '´'],
        _ => &['‘', '’', '‚', '‛', '“', '”', '„', '\''],
    };
    let rest = text.get(inner..).unwrap_or("");
    let Some(length) = rest.find(closers) else {
        return problem.fix(Span::new(at, inner), "'");
    };
    let closer = rest.get(length..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let value = rest.get(..length).unwrap_or("").replace('\'', "''");
    problem.fix(Span::new(at, inner + length + closer), format!("'{value}'"))
}

fn at_end(text: &str, tokens: &[Token], problem: Problem) -> Problem {
    let end = Span::new(text.trim_end().len(), text.trim_end().len());
    if text.trim().is_empty() {
        return problem.hint("The filter is empty.");
    }
    if problem.message.contains("')' or") {
        return problem.hint("A closing parenthesis is missing.").fix(end, ")");
    }
    let last = tokens.iter().rev().find(|token| token.kind != Kind::End);
    match last.map(|token| token.span.of(text)) {
        Some(last) => problem.hint(format!("Something is missing after '{last}'.")),
        None => problem,
    }
}

/// A word where an operator or the end was expected.
fn word(text: &str, tokens: &[Token], problem: Problem) -> Problem {
    let span = problem.span;
    let found = span.of(text).to_ascii_lowercase();
    let meant = match found.as_str() {
        "equals" | "equal" | "is" => Some("eq"),
        "neq" | "isnot" => Some("ne"),
        "gte" => Some("ge"),
        "lte" => Some("le"),
        _ => None,
    };
    if let Some(meant) = meant {
        return problem.hint(format!("Write '{meant}'.")).fix(span, meant);
    }
    if matches!(found.as_str(), "like" | "contains" | "startswith" | "endswith" | "matches") {
        return problem.hint("Functions come first: startsWith(property,'beginning').");
    }
    // `'O'Brien'` with further quotes behind it reads as a string and a word glued to it.
    let glued = tokens.iter().any(|token| token.kind == Kind::Text && token.span.end == span.start);
    if glued {
        return problem
            .hint("A quote inside a string is written twice: 'O''Brien'.")
            .fix(Span::new(span.start - 1, span.start), "''");
    }
    let previous = tokens.iter().rev().find(|token| token.span.end <= span.start);
    let after_value = previous.is_some_and(|token| {
        !matches!(token.kind, Kind::Ident | Kind::Open | Kind::Comma | Kind::Slash | Kind::Dot | Kind::Colon)
    });
    match previous {
        Some(_) if after_value => problem
            .hint("Conditions are joined by 'and' or 'or'.")
            .fix(Span::new(span.start, span.start), "and "),
        Some(token) => {
            let hint =
                format!("After '{}' an operator is expected: eq, ne, in, ge, le.", token.span.of(text));
            problem.hint(hint)
        }
        None => problem,
    }
}

/// The candidate that is spelt most like `word`, if any comes near.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(word)).map(|(_, name)| *name);
    // The names of Graph are ASCII, so a byte is a letter here.
    let limit = (word.len() / 3).clamp(1, 4);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if alias == Some(candidate) {
            return alias;
        }
        // A long filter may be wrong in every clause: what cannot be near is not measured.
        if candidate.len().abs_diff(word.len()) > limit || best.is_some_and(|(_, best)| best == candidate) {
            continue;
        }
        let distance = distance(word.as_bytes(), candidate.as_bytes());
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Names that other systems give to what Graph calls otherwise.
const ALIASES: [(&str, &str); 20] = [
    ("email", "mail"),
    ("emailAddress", "mail"),
    ("upn", "userPrincipalName"),
    ("userName", "userPrincipalName"),
    ("login", "userPrincipalName"),
    ("firstName", "givenName"),
    ("lastName", "surname"),
    ("sn", "surname"),
    ("name", "displayName"),
    ("company", "companyName"),
    ("title", "jobTitle"),
    ("enabled", "accountEnabled"),
    ("office", "officeLocation"),
    ("zip", "postalCode"),
    ("zipCode", "postalCode"),
    ("mobile", "mobilePhone"),
    ("licenses", "assignedLicenses"),
    ("aliases", "proxyAddresses"),
    ("dirSyncEnabled", "onPremisesSyncEnabled"),
    ("samAccountName", "onPremisesSamAccountName"),
];

/// Edit distance without regard to case, a swap of neighbours counting one.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let same =
        |a: Option<&u8>, b: Option<&u8>| matches!((a, b), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b));
    let mut before: Vec<usize> = Vec::new();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    let mut current: Vec<usize> = Vec::with_capacity(previous.len());
    for (row, a) in left.iter().enumerate() {
        current.clear();
        current.push(row + 1);
        let mut last = row + 1;
        for ((column, b), above) in right.iter().enumerate().zip(previous.windows(2)) {
            let (diagonal, above) = match above {
                [diagonal, above] => (*diagonal, *above),
                _ => (usize::MAX - 1, usize::MAX - 1),
            };
            let mut cost = (diagonal + usize::from(!a.eq_ignore_ascii_case(b))).min(above + 1).min(last + 1);
            let swapped = row > 0
                && column > 0
                && same(left.get(row - 1), Some(b))
                && same(right.get(column - 1), Some(a));
            if swapped {
                cost = cost.min(before.get(column - 1).copied().unwrap_or(cost) + 1);
            }
            current.push(cost);
            last = cost;
        }
        std::mem::swap(&mut before, &mut previous);
        std::mem::swap(&mut previous, &mut current);
    }
    previous.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_one_step_and_case_is_none() {
        assert_eq!(distance(b"dispalyname", b"displayName"), 1);
        assert_eq!(distance(b"", b"abc"), 3);
        assert_eq!(nearest("departmnet", ["mail", "department"].into_iter()), Some("department"));
        assert_eq!(nearest("xyz", ["mail", "department"].into_iter()), None);
        assert_eq!(nearest("email", ["mail", "surname"].into_iter()), Some("mail"));
    }
}

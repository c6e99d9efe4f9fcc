//! What is wrong with a filter, and where: the shape of every refusal and every remark of this crate.
//!
//! The wording of refusals is Graph's own (its gateway parses with Microsoft's OData library, its directory
//! answers the rest), so that an administrator finds the same text here, in Test and in a search engine.
//! Our own advice goes into [`Problem::hint`], and a correction that can be applied into [`Problem::fix`].

/// A stretch of the filter text, in bytes; `start..end` always lies on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte; equal to `start` for a place between two characters.
    pub end: usize,
}

impl Span {
    /// The span from `start` to `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The same stretch in UTF-16 units, as a browser's text area and Graph's messages count.
    #[must_use]
    pub fn utf16(self, text: &str) -> Span {
        Span::new(utf16_at(text, self.start), utf16_at(text, self.end))
    }

    pub(crate) fn to(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    pub(crate) fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or("")
    }
}

/// The UTF-16 offset of a byte offset: .NET, and with it Graph, counts in UTF-16 units.
pub(crate) fn utf16_at(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).map(|(_, c)| c.len_utf16()).sum()
}

/// Why a filter is refused, or what to know about one that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Graph's gateway cannot parse or bind the filter (`BadRequest`).
    BadRequest,
    /// The directory refuses an argument (`Request_BadRequest`).
    RequestBadRequest,
    /// The directory does not support the clause (`Request_UnsupportedQuery`).
    RequestUnsupportedQuery,
    /// Longer than Graph takes in one address.
    TooLong,
    /// Accepted as far as the sources go, but they disagree: a dry run on the tenant decides.
    Uncertain,
    /// The directory filters by it, but this crate's side cannot: a sync that reads by delta never sees the
    /// property, or an LDAP rule needs the whole directory.
    NotFollowed,
    /// Not a search filter of RFC 4515.
    InvalidLdapFilter,
}

impl Code {
    /// Graph's error code, or this project's own word where Graph has none.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::BadRequest => "BadRequest",
            Code::RequestBadRequest => "Request_BadRequest",
            Code::RequestUnsupportedQuery => "Request_UnsupportedQuery",
            Code::TooLong => "too_long",
            Code::Uncertain => "uncertain",
            Code::NotFollowed => "not_followed",
            Code::InvalidLdapFilter => "invalid_ldap_filter",
        }
    }
}

/// A refusal or a remark, tied to a place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Graph's error code, or ours.
    pub code: Code,
    /// Graph's own message where it is known.
    pub message: String,
    /// What to underline.
    pub span: Span,
    /// Advice in plain words.
    pub hint: Option<String>,
    /// An edit that would help.
    pub fix: Option<Fix>,
}

/// A correction: replace `span` by `replacement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced; may be empty (an insertion).
    pub span: Span,
    /// The new text.
    pub replacement: String,
}

impl Fix {
    /// The filter after the correction.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let before = text.get(..self.span.start).unwrap_or("");
        let after = text.get(self.span.end..).unwrap_or("");
        format!("{before}{}{after}", self.replacement)
    }
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>, span: Span) -> Self {
        Self { code, message: message.into(), span, hint: None, fix: None }
    }

    /// What the OData library says, as Graph wraps it.
    pub(crate) fn clause(odl: impl std::fmt::Display, span: Span) -> Self {
        Self::new(Code::BadRequest, format!("Invalid filter clause: {odl}"), span)
    }

    pub(crate) fn unsupported(message: impl Into<String>, span: Span) -> Self {
        Self::new(Code::RequestUnsupportedQuery, message, span)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

impl std::error::Error for Problem {}

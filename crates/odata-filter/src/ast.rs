//! The syntax tree of a filter, as [`crate::parse`] builds it and its `Display` writes it.
//!
//! Chains of `and` and of `or` are flat lists, so that a filter of a thousand alternatives is no deeper than
//! one of two: together with the parser's limits this bounds the depth of every tree, and with it the stack
//! that checking, evaluating, printing and dropping one takes. Two trees are equal when they say the same;
//! where they stood in a text does not count.

use crate::problem::Span;

/// A node and where it stands in the text.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The text it was read from, without enclosing parentheses.
    pub span: Span,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of node.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// Two or more alternatives.
    Or(Vec<Expr>),
    /// Two or more conditions.
    And(Vec<Expr>),
    /// `not …`
    Not(Box<Expr>),
    /// `-…` before anything that is not a number.
    Negate(Box<Expr>),
    /// `left eq right` and the like; `has` too.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `left add right` and the like: OData, though no directory property takes part in it.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// `left in right`; the right side is a [`ExprKind::List`] in every filter that makes sense.
    In(Box<Expr>, Box<Expr>),
    /// `('a', 'b')` after `in`.
    List(Vec<Expr>),
    /// `department`, `onPremisesExtensionAttributes/extensionAttribute1`, or a range variable.
    Path(Path),
    /// `proxyAddresses/$count`
    Count(Path),
    /// `proxyAddresses/any(p:…)`
    Lambda(Lambda),
    /// `startsWith(displayName,'A')`
    Call(Name, Vec<Expr>),
    /// A value.
    Literal(Literal),
}

/// A name and where it stands. Two names are equal when they are spelled alike.
#[derive(Clone, Debug)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Names joined by slashes; never empty when it comes from the parser.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The segments, outermost first.
    pub segments: Vec<Name>,
}

impl Path {
    /// The path as written, `a/b`.
    #[must_use]
    pub fn text(&self) -> String {
        self.segments.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("/")
    }

    pub(crate) fn span(&self) -> Span {
        match (self.segments.first(), self.segments.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }
}

/// `any` or `all` over a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Lambda {
    /// `all` instead of `any`.
    pub all: bool,
    /// The collection.
    pub path: Path,
    /// The range variable and the condition; `any()` has neither.
    pub body: Option<(Name, Box<Expr>)>,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the operators of the language")]
pub enum CompareOp {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Has,
}

impl CompareOp {
    pub(crate) const ALL: [CompareOp; 7] =
        [Self::Eq, Self::Ne, Self::Gt, Self::Ge, Self::Lt, Self::Le, Self::Has];

    /// As written in a filter.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Has => "has",
        }
    }

    /// As Graph's messages name it.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Eq => "Equal",
            Self::Ne => "NotEqual",
            Self::Gt => "GreaterThan",
            Self::Ge => "GreaterThanOrEqual",
            Self::Lt => "LessThan",
            Self::Le => "LessThanOrEqual",
            Self::Has => "Has",
        }
    }
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the operators of the language")]
pub enum ArithmeticOp {
    Add,
    Sub,
    Mul,
    Div,
    DivBy,
    Mod,
}

impl ArithmeticOp {
    pub(crate) const ALL: [ArithmeticOp; 6] =
        [Self::Add, Self::Sub, Self::Mul, Self::Div, Self::DivBy, Self::Mod];

    pub(crate) const fn keyword(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::DivBy => "divby",
            Self::Mod => "mod",
        }
    }

    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Sub => "Subtract",
            Self::Mul => "Multiply",
            Self::Div | Self::DivBy => "Divide",
            Self::Mod => "Modulo",
        }
    }

    pub(crate) const fn is_additive(self) -> bool {
        matches!(self, Self::Add | Self::Sub)
    }
}

/// A value. All but strings, flags and `null` keep the text as written: nothing is lost in printing.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the literal kinds of the language")]
pub enum Literal {
    Null,
    Bool(bool),
    /// Without the quotes, inner quotes no longer doubled.
    Text(String),
    Guid(String),
    DateTimeOffset(String),
    Date(String),
    TimeOfDay(String),
    Int32(String),
    Int64(String),
    Decimal(String),
    Double(String),
    Single(String),
    /// `duration'P1D'` with its prefix and quotes; likewise the next three.
    Duration(String),
    Binary(String),
    Geography(String),
    Geometry(String),
    /// `Namespace.Type'Member'`
    Enum(String),
}

//! Builds the syntax tree, with the precedence of Microsoft's OData library, and its
//! messages with its positions, because Graph reports exactly those.
//!
//! Loosest first: `or`, `and`, comparisons, `add sub`, `mul div mod`, `not` and `-`, `in` and `has`. Keywords
//! are read in any case; `true`, `false` and `null` only in lower case. For "Syntax error" the library reports
//! the offset *after* the token it stumbled over, for "… expected" the start of the token it found instead.

mod operand;

use crate::{
    ast::{ArithmeticOp, CompareOp, Expr, ExprKind},
    lexer::{Kind, Token, Tokens, tokens},
    problem::{Code, Problem, Span, utf16_at},
    suggest,
};

/// The longest text that is looked at, in bytes; Graph's own limit is far lower.
pub const MAX_LENGTH: usize = 64 * 1024;

/// How deep parentheses, functions, lambdas and `not` may nest. The OData library stops at about 100, the
/// directory at [`crate::MAX_HEIGHT`]; this bounds the stack that the crate uses.
pub const MAX_NESTING: usize = 64;

/// Reads a filter.
///
/// # Errors
/// The first mistake in the text, with Graph's message, the place and a suggestion.
pub fn parse(text: &str) -> Result<Expr, Problem> {
    if text.len() > MAX_LENGTH {
        let message = format!("The filter has {} bytes; at most {MAX_LENGTH} are read.", text.len());
        return Err(Problem::new(Code::TooLong, message, Span::new(0, text.ceil_char_boundary(1))));
    }
    let tokens = tokens(text);
    let mut parser = Parser { text, tokens: &tokens, at: 0, depth: 0, chained: 0, variables: Vec::new() };
    let result = parser.binary(Level::Or).and_then(|expr| match parser.token().kind {
        Kind::End => Ok(expr),
        _ => Err(parser.syntax_error()),
    });
    result.map_err(|problem| suggest::for_syntax(text, &tokens.list, problem))
}

/// A binary operator other than `in` and `has`, which bind tighter than the unary ones.
#[derive(Clone, Copy)]
enum Operator {
    Or,
    And,
    Compare(CompareOp),
    Arithmetic(ArithmeticOp),
}

/// How tightly an operator binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Compare,
    Add,
    Multiply,
    Unary,
}

impl Operator {
    fn level(self) -> Level {
        match self {
            Operator::Or => Level::Or,
            Operator::And => Level::And,
            Operator::Compare(_) => Level::Compare,
            Operator::Arithmetic(operator) if operator.is_additive() => Level::Add,
            Operator::Arithmetic(_) => Level::Multiply,
        }
    }
}

impl Level {
    fn next(self) -> Level {
        match self {
            Level::Or => Level::And,
            Level::And => Level::Compare,
            Level::Compare => Level::Add,
            Level::Add => Level::Multiply,
            Level::Multiply | Level::Unary => Level::Unary,
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t Tokens,
    at: usize,
    depth: usize,
    /// Operators beyond the first in chains such as `a eq b eq c`, over the whole text: such a chain grows
    /// the tree to the left without any nesting in the text.
    chained: usize,
    variables: Vec<String>,
}

impl Parser<'_> {
    fn token(&self) -> Token {
        self.token_at(self.at)
    }

    fn token_at(&self, at: usize) -> Token {
        let end = Span::new(self.text.len(), self.text.len());
        self.tokens
            .list
            .get(at)
            .or(self.tokens.list.last())
            .copied()
            .unwrap_or(Token { kind: Kind::End, span: end })
    }

    fn advance(&mut self) -> Token {
        let token = self.token();
        self.at += 1;
        token
    }

    fn word(&self) -> &str {
        match self.token() {
            Token { kind: Kind::Ident, span } => span.of(self.text),
            _ => "",
        }
    }

    fn is_word(&self, keyword: &str) -> bool {
        self.word().eq_ignore_ascii_case(keyword)
    }

    /// Whether the current token is `kind` and directly follows the previous one, without a blank.
    fn is_glued(&self, kind: Kind) -> bool {
        let previous = self.at.checked_sub(1).map(|at| self.token_at(at).span.end);
        self.token().kind == kind && previous == Some(self.token().span.start)
    }

    fn syntax_error(&self) -> Problem {
        let token = self.token();
        self.lexical().unwrap_or_else(|| {
            let position = utf16_at(self.text, token.span.end);
            Problem::clause(format!("Syntax error at position {position} in '{}'.", self.text), token.span)
        })
    }

    fn expected(&self, what: &str) -> Problem {
        let span = self.token().span;
        self.lexical().unwrap_or_else(|| {
            let position = utf16_at(self.text, span.start);
            Problem::clause(format!("{what} expected at position {position} in '{}'.", self.text), span)
        })
    }

    /// The lexer's own complaint, when the current token is the place of it.
    fn lexical(&self) -> Option<Problem> {
        (self.token().kind == Kind::Bad).then(|| self.tokens.error.clone()).flatten()
    }

    fn enter(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > MAX_NESTING { Err(self.too_deep()) } else { Ok(()) }
    }

    fn too_deep(&self) -> Problem {
        Problem::clause("Recursion depth exceeded allowed limit.", self.token().span)
    }

    fn chain(&mut self) -> Result<(), Problem> {
        self.chained += 1;
        if self.chained > MAX_NESTING { Err(self.too_deep()) } else { Ok(()) }
    }

    /// An expression of operators that bind at least as tightly as `least`.
    ///
    /// One loop instead of a function per level: fewer frames for each parenthesis, so that the deepest
    /// filter fits a small stack.
    fn binary(&mut self, least: Level) -> Result<Expr, Problem> {
        let mut left = self.unary()?;
        // The operator that `left` was built with in this loop: its chain goes on, one in parentheses does not.
        let mut chain: Option<Operator> = None;
        while let Some(operator) = self.operator().filter(|operator| operator.level() >= least) {
            self.advance();
            let right = self.binary(operator.level().next())?;
            let span = left.span.to(right.span);
            if chain.is_some_and(|chain| chain.level() == operator.level()) {
                match &mut left.kind {
                    ExprKind::Or(operands) | ExprKind::And(operands) => {
                        operands.push(right);
                        left.span = span;
                        continue;
                    }
                    _ => self.chain()?,
                }
            }
            let kind = match operator {
                Operator::Or => ExprKind::Or(vec![left, right]),
                Operator::And => ExprKind::And(vec![left, right]),
                Operator::Compare(operator) => ExprKind::Compare(operator, Box::new(left), Box::new(right)),
                Operator::Arithmetic(operator) => {
                    ExprKind::Arithmetic(operator, Box::new(left), Box::new(right))
                }
            };
            left = Expr { kind, span };
            chain = Some(operator);
        }
        Ok(left)
    }

    fn operator(&self) -> Option<Operator> {
        let compare = CompareOp::ALL.into_iter().filter(|operator| *operator != CompareOp::Has);
        let word = self.word();
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if word.len() > "divby".len() {
            None
        } else if is("or") {
            Some(Operator::Or)
        } else if is("and") {
            Some(Operator::And)
        } else if let Some(operator) = compare.into_iter().find(|operator| is(operator.keyword())) {
            Some(Operator::Compare(operator))
        } else {
            ArithmeticOp::ALL.into_iter().find(|operator| is(operator.keyword())).map(Operator::Arithmetic)
        }
    }

    fn unary(&mut self) -> Result<Expr, Problem> {
        let token = self.token();
        if token.kind != Kind::Minus && !self.is_word("not") {
            return self.in_has();
        }
        self.advance();
        self.enter()?;
        let operand = if token.kind == Kind::Minus && is_number(self.token().kind) {
            self.negative_number(token.span)?
        } else {
            let operand = self.unary()?;
            let span = token.span.to(operand.span);
            let operand = Box::new(operand);
            let kind =
                if token.kind == Kind::Minus { ExprKind::Negate(operand) } else { ExprKind::Not(operand) };
            Expr { kind, span }
        };
        self.depth -= 1;
        Ok(operand)
    }

    /// `- 5`: the sign joins the number, however far away it stands.
    fn negative_number(&mut self, sign: Span) -> Result<Expr, Problem> {
        let number = self.advance();
        let digits = number.span.of(self.text);
        let kind = match digits.strip_prefix('-') {
            // `--5`
            Some(_) => {
                ExprKind::Negate(Box::new(Expr { kind: self.literal(number, digits)?, span: number.span }))
            }
            None => self.literal(number, &format!("-{digits}"))?,
        };
        Ok(Expr { kind, span: sign.to(number.span) })
    }

    fn in_has(&mut self) -> Result<Expr, Problem> {
        let mut left = self.primary()?;
        let mut first = true;
        loop {
            let has = self.is_word("has");
            if !has && !self.is_word("in") {
                return Ok(left);
            }
            if !std::mem::take(&mut first) {
                self.chain()?;
            }
            self.advance();
            let right = if has { self.primary()? } else { self.in_operand()? };
            let span = left.span.to(right.span);
            let (left_box, right) = (Box::new(left), Box::new(right));
            let kind = if has {
                ExprKind::Compare(CompareOp::Has, left_box, right)
            } else {
                ExprKind::In(left_box, right)
            };
            left = Expr { kind, span };
        }
    }

    /// What follows `in`: a list of literals, or something that the check will refuse.
    fn in_operand(&mut self) -> Result<Expr, Problem> {
        let open = self.token();
        let list = match self.literal_end(self.at + 1) {
            Some(end) => matches!(self.token_at(end).kind, Kind::Comma | Kind::Close),
            None => self.token_at(self.at + 1).kind == Kind::Close,
        };
        if open.kind != Kind::Open || !list {
            return self.primary();
        }
        self.advance();
        let mut items = Vec::new();
        if self.token().kind != Kind::Close {
            loop {
                if self.literal_end(self.at).is_none() {
                    return Err(self.expected("Expression"));
                }
                items.push(self.primary()?);
                match self.token().kind {
                    Kind::Comma => self.advance(),
                    _ => break,
                };
            }
        }
        if self.token().kind != Kind::Close {
            return Err(self.expected("')' or ','"));
        }
        let close = self.advance();
        Ok(Expr { kind: ExprKind::List(items), span: open.span.to(close.span) })
    }

    /// The token behind the literal that begins at `at`, if one does; an enumeration value is several tokens.
    fn literal_end(&self, mut at: usize) -> Option<usize> {
        while self.token_at(at).kind == Kind::Ident && self.token_at(at + 1).kind == Kind::Dot {
            at += 2;
        }
        is_literal(self.token_at(at).kind).then_some(at + 1)
    }
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Int32 | Kind::Int64 | Kind::Decimal | Kind::Double | Kind::Single)
}

fn is_literal(kind: Kind) -> bool {
    is_number(kind)
        || matches!(
            kind,
            Kind::Text
                | Kind::Quoted
                | Kind::Guid
                | Kind::Date
                | Kind::DateTimeOffset
                | Kind::TimeOfDay
                | Kind::Bool
                | Kind::Null
        )
}

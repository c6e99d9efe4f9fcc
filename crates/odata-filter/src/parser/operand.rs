//! The operands of a filter: values, paths, calls, lambdas, and whatever stands in parentheses.

use super::{Level, Parser, is_literal};
use crate::{
    ast::{Expr, ExprKind, Lambda, Literal, Name, Path},
    lexer::{Kind, Token},
    problem::{Problem, utf16_at},
};

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expr, Problem> {
        let token = self.token();
        // The library looks one token ahead here, so a bad character right behind comes first.
        if self.token_at(self.at + 1).kind == Kind::Bad {
            self.at += 1;
            return Err(self.syntax_error());
        }
        match token.kind {
            Kind::Open => {
                self.advance();
                self.enter()?;
                let inner = self.binary(Level::Or)?;
                if self.token().kind != Kind::Close {
                    return Err(self.expected("')' or operator"));
                }
                self.advance();
                self.depth -= 1;
                Ok(inner)
            }
            Kind::Ident => self.path(false),
            kind if is_literal(kind) => {
                self.advance();
                Ok(Expr { kind: self.literal(token, token.span.of(self.text))?, span: token.span })
            }
            _ => Err(self.expected("Expression")),
        }
    }

    /// A property path, a function call or an enumeration value. `argument`: a bare type name is allowed.
    fn path(&mut self, argument: bool) -> Result<Expr, Problem> {
        let mut segments = Vec::new();
        loop {
            let name = self.dotted_name()?;
            if self.token().kind == Kind::Quoted {
                let quoted = self.advance();
                let span = name.span.to(quoted.span);
                return Ok(Expr {
                    kind: ExprKind::Literal(Literal::Enum(span.of(self.text).to_owned())),
                    span,
                });
            }
            if segments.is_empty() && self.is_glued(Kind::Open) {
                let lambda = name.text.eq_ignore_ascii_case("any") || name.text.eq_ignore_ascii_case("all");
                let span = name.span;
                let hint = "A collection comes first: proxyAddresses/any(x:…).";
                return self.call(name).map_err(|problem| match lambda {
                    true => Problem { span, hint: Some(hint.to_owned()), fix: None, ..problem },
                    false => problem,
                });
            }
            segments.push(name);
            if self.token().kind != Kind::Slash {
                break;
            }
            self.advance();
            let path = Path { segments: std::mem::take(&mut segments) };
            if self.is_word("any") || self.is_word("all") {
                return self.lambda(path);
            }
            if self.is_word("$count") {
                let span = path.span().to(self.advance().span);
                return Ok(Expr { kind: ExprKind::Count(path), span });
            }
            segments = path.segments;
            if self.token().kind != Kind::Ident {
                return Err(self.syntax_error());
            }
        }
        if !argument && segments.last().is_some_and(|name| name.text.contains('.')) {
            return Err(self.expected("'('"));
        }
        let path = Path { segments };
        Ok(Expr { span: path.span(), kind: ExprKind::Path(path) })
    }

    /// `name` or `name.name`; stops before a quoted value that makes it an enumeration value.
    fn dotted_name(&mut self) -> Result<Name, Problem> {
        let mut span = self.advance().span;
        while self.token().kind == Kind::Dot {
            self.advance();
            match self.token().kind {
                Kind::Ident => span = span.to(self.advance().span),
                Kind::Quoted => break,
                _ => return Err(self.syntax_error()),
            }
        }
        Ok(Name { text: span.of(self.text).chars().filter(|c| !c.is_whitespace()).collect(), span })
    }

    fn call(&mut self, name: Name) -> Result<Expr, Problem> {
        self.advance();
        self.enter()?;
        let mut arguments = Vec::new();
        if self.token().kind != Kind::Close {
            loop {
                arguments.push(self.argument()?);
                match self.token().kind {
                    Kind::Comma => self.advance(),
                    Kind::Close => break,
                    _ => return Err(self.expected("')' or ','")),
                };
            }
        }
        let span = name.span.to(self.advance().span);
        self.depth -= 1;
        Ok(Expr { kind: ExprKind::Call(name, arguments), span })
    }

    /// An argument: any expression, or a bare type name as in `isof(microsoft.graph.user)`.
    fn argument(&mut self) -> Result<Expr, Problem> {
        let mut end = self.at;
        while self.token_at(end).kind == Kind::Ident && self.token_at(end + 1).kind == Kind::Dot {
            end += 2;
        }
        let bare = self.token_at(end).kind == Kind::Ident
            && matches!(self.token_at(end + 1).kind, Kind::Comma | Kind::Close);
        if end > self.at && bare { self.path(true) } else { self.binary(Level::Or) }
    }

    fn lambda(&mut self, path: Path) -> Result<Expr, Problem> {
        let all = self.is_word("all");
        self.advance();
        if self.token().kind != Kind::Open {
            return Err(self.expected("'('"));
        }
        self.advance();
        self.enter()?;
        // `any()` asks for any element; `all()` means nothing (the library would take it, the standard not).
        let body = if self.token().kind == Kind::Close && !all { None } else { Some(self.lambda_body()?) };
        let close = self.advance();
        self.depth -= 1;
        Ok(Expr { span: path.span().to(close.span), kind: ExprKind::Lambda(Lambda { all, path, body }) })
    }

    fn lambda_body(&mut self) -> Result<(Name, Box<Expr>), Problem> {
        let token = self.token();
        if token.kind != Kind::Ident {
            return Err(self.expected("Expression"));
        }
        let variable = Name { text: token.span.of(self.text).to_owned(), span: token.span };
        if self.variables.contains(&variable.text) {
            let message = format!("The range variable '{}' has already been declared.", variable.text);
            return Err(Problem::clause(message, variable.span));
        }
        self.advance();
        if self.token().kind != Kind::Colon {
            return Err(self.syntax_error());
        }
        self.advance();
        self.variables.push(variable.text.clone());
        let body = self.binary(Level::Or)?;
        self.variables.pop();
        if self.token().kind != Kind::Close {
            return Err(self.expected("')' or ','"));
        }
        Ok((variable, Box::new(body)))
    }

    pub(super) fn literal(&self, token: Token, text: &str) -> Result<ExprKind, Problem> {
        let owned = text.to_owned();
        Ok(ExprKind::Literal(match token.kind {
            Kind::Null => Literal::Null,
            Kind::Bool => Literal::Bool(text == "true"),
            Kind::Text => Literal::Text(unquote(text)),
            Kind::Guid => Literal::Guid(owned),
            Kind::Date => Literal::Date(owned),
            Kind::DateTimeOffset => Literal::DateTimeOffset(owned),
            Kind::TimeOfDay => Literal::TimeOfDay(owned),
            Kind::Int32 => Literal::Int32(owned),
            Kind::Int64 => Literal::Int64(owned),
            Kind::Decimal => Literal::Decimal(owned),
            Kind::Double => Literal::Double(owned),
            Kind::Single => Literal::Single(owned),
            _ => match text.split_once('\'').map(|(prefix, _)| prefix.to_ascii_lowercase()).as_deref() {
                Some("duration") => Literal::Duration(owned),
                Some("binary") => Literal::Binary(owned),
                Some("geography") => Literal::Geography(owned),
                Some("geometry") => Literal::Geometry(owned),
                _ => {
                    let position = utf16_at(self.text, token.span.end);
                    let message = format!("Syntax error at position {position} in '{}'.", self.text);
                    return Err(Problem::clause(message, token.span));
                }
            },
        }))
    }
}

fn unquote(text: &str) -> String {
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text).replace("''", "'")
}

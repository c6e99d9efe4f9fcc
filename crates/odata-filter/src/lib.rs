//! tmp
mod ast;
mod capability;
mod check;
mod datetime;
mod lexer;
mod parser;
mod print;
mod problem;
mod resolve;
mod suggest;
pub use check::*;
pub use ast::*;
pub use capability::*;
pub use parser::*;
pub use problem::*;

//! What several screens share. Native HTML first: every part works without JavaScript and gains by it.

#[cfg(feature = "ssr")]
pub mod chart;
mod field;
mod icon;
mod list;
pub mod markup;
mod message;
mod moment;
mod pager;
mod rendered;
mod state;
mod steps;
mod submit;
mod table;

pub use domain::number::{count, counted};
pub use field::{Checkbox, SelectField, TextField};
pub use icon::Icon;
pub use list::{Address, Choice, SearchForm, SortHead};
pub use message::{Message, Toast, Tone};
pub use moment::{Moment, MomentView};
pub use pager::Pager;
pub use rendered::{Rendered, RenderedView};
pub use state::{Empty, ErrorView, Loading};
pub use steps::Steps;
pub use submit::Submit;
pub use table::{Cell, Pick, Row, Table, TableView};

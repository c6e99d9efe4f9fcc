//! What several screens share. Native HTML first: every part works without JavaScript and gains by it.

mod field;
mod icon;
pub mod markup;
mod message;
mod moment;
mod pager;
mod state;
mod steps;
mod submit;

pub use domain::number::{count, counted};
pub use field::{Checkbox, SelectField, TextField};
pub use icon::Icon;
pub use message::{Message, Toast, Tone};
pub use moment::{Moment, MomentView};
pub use pager::Pager;
pub use state::{Empty, ErrorView, Loading};
pub use steps::Steps;
pub use submit::Submit;

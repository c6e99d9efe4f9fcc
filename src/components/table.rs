//! Tables whose cells the server has made ready: one renderer in the browser for every such list.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Moment, MomentView};

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// Foreign text, and in a soft line below it what goes with it.
    Text(String, String),
    /// A mail address: it may be shortened in its local part, never in its domain.
    Address(String, String),
    /// A word with a class that colours it, and in a soft line below it what goes with it.
    Badge(String, String, String),
    /// A moment; the text stands where there is none.
    When(Option<Moment>, String),
    /// A button of the form around the table: its name, its value, its words, and what it does for a screen reader.
    Button(String, String, String, String),
    /// A local path and its words.
    Link(String, String),
}

impl Cell {
    /// Foreign text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into(), String::new())
    }

    /// A mail address.
    pub fn address(address: impl Into<String>) -> Self {
        Self::Address(address.into(), String::new())
    }

    /// A word with a class.
    pub fn badge(class: &str, word: &str) -> Self {
        Self::Badge(class.to_owned(), word.to_owned(), String::new())
    }

    /// A button of the form around the table.
    pub fn button(name: &str, value: impl Into<String>, words: &str, what: impl Into<String>) -> Self {
        Self::Button(name.to_owned(), value.into(), words.to_owned(), what.into())
    }
}

/// How a row can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// The name and the value that the form sends for it.
    pub name: String,
    /// See `name`.
    pub value: String,
    /// Whether it is chosen at first.
    pub chosen: bool,
    /// Whether it is chosen with all others, and cannot be left out.
    pub fixed: bool,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// How it can be chosen, if at all.
    pub pick: Option<Pick>,
    /// The cells; the first text among them is the row's heading.
    pub cells: Vec<Cell>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// What it lists, for a screen reader.
    pub caption: String,
    /// The headings of the columns.
    pub heads: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(caption: &str, heads: &[&str]) -> Self {
        Self {
            caption: caption.to_owned(),
            heads: heads.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row that cannot be chosen.
    pub fn push(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row { pick: None, cells });
    }
}

/// A table; on small screens a list of cards in the same order of reading.
#[component]
pub fn TableView(
    /// The table.
    table: Table,
) -> impl IntoView {
    let Table { caption, heads, rows } = table;
    let picks = rows.iter().any(|row| row.pick.is_some());
    let labels = heads.clone();
    let rows = rows.into_iter().map(|row| {
        // The first text is the row's heading, also where a button stands before it.
        let heading = row.cells.iter().position(|cell| matches!(cell, Cell::Text(..) | Cell::Address(..)));
        let name = match heading.and_then(|at| row.cells.get(at)) {
            Some(Cell::Text(text, _) | Cell::Address(text, _)) => text.clone(),
            _ => String::new(),
        };
        let pick = row.pick.map(|pick| {
            view! {
                <td class="pick">
                    <input
                        type="checkbox"
                        name=pick.name
                        value=pick.value
                        checked=pick.chosen
                        disabled=pick.fixed
                        aria-label=format!("Select {name}")
                    />
                </td>
            }
        });
        let cells = row.cells.into_iter().zip(labels.clone()).enumerate().map(|(at, (cell, label))| {
            if Some(at) == heading {
                view! { <th scope="row" data-label=label>{cell_view(cell)}</th> }.into_any()
            } else {
                view! { <td data-label=label>{cell_view(cell)}</td> }.into_any()
            }
        });
        let cells = cells.collect_view();
        view! { <tr>{pick}{cells}</tr> }
    });
    let rows = rows.collect_view();
    let heads = heads.into_iter().map(|head| view! { <th scope="col">{head}</th> }).collect_view();
    view! {
        <div class="table-wrap">
            <table class="list" class:picks=picks>
                <caption class="visually-hidden">{caption}</caption>
                <thead>
                    <tr>
                        {picks.then(|| view! { <th scope="col" class="pick"><span class="visually-hidden">"Selected"</span></th> })}
                        {heads}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// What stands in a soft line below.
fn soft(text: String) -> impl IntoView {
    (!text.is_empty()).then(|| view! { <span class="soft below">{text}</span> })
}

fn cell_view(cell: Cell) -> AnyView {
    match cell {
        Cell::Text(text, below) => view! { <bdi>{text}</bdi>{soft(below)} }.into_any(),
        Cell::Address(address, below) => {
            let (local, domain) = address
                .rsplit_once('@')
                .map_or((address.clone(), String::new()), |(local, domain)| {
                    (local.to_owned(), format!("@{domain}"))
                });
            view! {
                <span class="address" title=address>
                    <span class="address-local">{local}</span>
                    <span>{domain}</span>
                </span>
                {soft(below)}
            }
            .into_any()
        }
        Cell::Badge(class, word, below) => {
            view! { <span class=format!("badge {class}")>{word}</span>{soft(below)} }.into_any()
        }
        Cell::When(moment, otherwise) => match moment {
            Some(moment) => view! { <MomentView moment=moment />{soft(otherwise)} }.into_any(),
            None => view! { <span class="soft">{otherwise}</span> }.into_any(),
        },
        Cell::Button(name, value, words, what) => {
            view! { <button type="submit" class="button small" name=name value=value title=what.clone() aria-label=what>{words}</button> }
                .into_any()
        }
        Cell::Link(path, words) => view! { <a href=path>{words}</a> }.into_any(),
    }
}

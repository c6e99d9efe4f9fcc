//! Manual users: the form, the question before one is deleted, the import, and who the directory would take over.

use domain::{guard::Decision, role::Role, service::Source};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use store::User;
use sync::manual_users::{self, ImportRow, ManualField, ManualUser, Refused, Verdict};

use crate::{
    access::{self, Desk},
    components::{
        Address, Empty, Icon, Message, Moment, MomentView, Rendered, TextField, Tone, count, counted,
        markup::inside_of_area,
    },
    error::AppError,
    pages::customer_path,
};

/// How many rows of a review are shown; the count is of all.
const SHOWN: usize = 500;
/// The longest text of an import in the page's field.
const LONGEST_CSV: usize = 900 * 1024;

/// What was typed and what was wrong with it, for the next load of the form.
#[derive(Serialize, Deserialize)]
struct Typed {
    name: String,
    primary: String,
    aliases: String,
    error: (String, String),
}

/// The form's address for a new user, or for the one of that id.
fn form_path(slug: &str, id: Option<&str>) -> String {
    match id {
        Some(id) => customer_path(slug, &format!("users/{id}/edit")),
        None => customer_path(slug, "users/new"),
    }
}

async fn manual_user(desk: &Desk, id: &str) -> Result<User, AppError> {
    let Ok(id) = id.parse() else { return Err(access::not_found()) };
    let user = desk.customer.user(id).await.map_err(|error| access::store_error(&error))?;
    user.filter(|user| user.source == Source::Manual).ok_or_else(access::not_found)
}

/// The form; without an id for a new user.
pub(super) async fn form(slug: &str, id: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Administrator).await?;
    let user = if id.is_empty() { None } else { Some(manual_user(&desk, id).await?) };
    let path = form_path(slug, user.as_ref().map(|_| id));
    let typed = access::take_answer::<Typed>(&desk.portal, &desk.session, &path).await?;
    let saved = user.as_ref().map(|user| Typed {
        name: user.display_name.clone(),
        primary: user.primary_address.to_string(),
        aliases: user.aliases.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        error: Default::default(),
    });
    let refused = typed.is_some();
    let Typed { name, primary, aliases, error } = typed.or(saved).unwrap_or(Typed {
        name: String::new(),
        primary: String::new(),
        aliases: String::new(),
        error: Default::default(),
    });
    let error = move |field: &str| {
        let words = (error.0 == field && !error.1.is_empty()).then(|| error.1.clone());
        Signal::derive(move || words.clone())
    };
    let title = if user.is_some() { "Edit user" } else { "Add a Manual user" };
    let back = match &user {
        Some(user) => customer_path(slug, &format!("users/{}", user.public_id)),
        None => customer_path(slug, "users"),
    };
    let view = view! {
        <div class="page-head"><h1>{title}</h1></div>
        {user
            .is_none()
            .then(|| {
                view! {
                    <p class="soft">
                        "For people whom no directory delivers, such as mail contacts. A sync never changes them; should the directory deliver the address one day, you are asked."
                    </p>
                }
            })}
        <form method="post" action="/api/save_manual_user" class="card narrow">
            <input type="hidden" name="slug" value=slug.to_owned() />
            <input type="hidden" name="id" value=user.as_ref().map(|user| user.public_id.to_string()).unwrap_or_default() />
            <TextField name="name" label="Name" value=name error=error("name")>""</TextField>
            <TextField name="primary" label="Primary address" value=primary error=error("primary")>
                "In a managed domain of this customer."
            </TextField>
            <TextField name="aliases" label="Aliases" kind="area" value=aliases error=error("aliases")>
                "One address a line."
            </TextField>
            <div class="actions">
                <button type="submit" class="button primary">"Save"</button>
                <a class="button" href=back>"Cancel"</a>
            </div>
        </form>
    };
    let message =
        refused.then(|| Message::new(Tone::Bad, "One field needs another look. Nothing was saved."));
    Ok(Rendered::new(view).with_message(message))
}

/// Save.
pub(super) async fn save(slug: &str, id: Option<&str>, typed: ManualUser) -> Result<(), AppError> {
    let desk = access::require(slug, Role::Administrator).await?;
    let engine = &desk.portal.engine;
    let saved = match id {
        Some(id) => {
            let user = manual_user(&desk, id).await?;
            manual_users::edit(engine, &desk.customer, &desk.actor(), user.public_id, &typed)
                .await
                .map(|saved| saved.map(|()| user.public_id))
        }
        None => manual_users::add(engine, &desk.customer, &desk.actor(), &typed).await,
    };
    match saved.map_err(|error| access::sync_error(&error))? {
        Ok(user) => {
            let path = customer_path(slug, &format!("users/{user}"));
            let message = Message::new(Tone::Good, "The user was saved.");
            access::answer(&desk.portal, &desk.session, &path, message).await.map(drop)
        }
        Err(Refused::Missing) => Err(access::not_found()),
        Err(Refused::Field(field, words)) => {
            let field = match field {
                ManualField::Name => "name",
                ManualField::Primary => "primary",
                ManualField::Aliases => "aliases",
            };
            let ManualUser { name, primary, aliases } = typed;
            let typed = Typed { name, primary, aliases, error: (field.to_owned(), words) };
            access::answer(&desk.portal, &desk.session, &form_path(slug, id), typed).await.map(drop)
        }
    }
}

/// The question before a Manual user is deleted.
pub(super) async fn delete_page(slug: &str, id: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Administrator).await?;
    let user = manual_user(&desk, id).await?;
    let back = customer_path(slug, &format!("users/{}", user.public_id));
    let addresses =
        counted(i64::try_from(user.aliases.len() + 1).unwrap_or(i64::MAX), "address", "addresses");
    let view = view! {
        <div class="page-head"><h1>"Delete this user?"</h1></div>
        <div class="card narrow">
            <p>
                <strong><bdi>{user.display_name}</bdi></strong>
                ", "
                <Address address=user.primary_address.to_string() />
                ", "
                {format!("is no longer served under {addresses}.")}
            </p>
            <p class="soft">"The user can be restored from the recycle bin for 30 days."</p>
            <form method="post" action="/api/delete_manual_user" class="actions">
                <input type="hidden" name="slug" value=slug.to_owned() />
                <input type="hidden" name="id" value=user.public_id.to_string() />
                <a class="button" href=back autofocus>"Keep the user"</a>
                <button type="submit" class="button danger">"Delete"</button>
            </form>
        </div>
    };
    Ok(Rendered::new(view))
}

/// Delete.
pub(super) async fn delete(slug: &str, id: &str) -> Result<(), AppError> {
    let desk = access::require(slug, Role::Administrator).await?;
    let user = manual_user(&desk, id).await?;
    let deleted =
        manual_users::delete(&desk.portal.engine, &desk.customer, &desk.actor(), user.public_id).await;
    deleted.map_err(|error| access::sync_error(&error))?;
    let message = Message::new(Tone::Good, format!("{} was deleted.", user.display_name));
    access::answer(&desk.portal, &desk.session, &customer_path(slug, "users"), message).await.map(drop)
}

/// What came of a file, for the next load of the import's page.
#[derive(Serialize, Deserialize)]
struct Reviewed {
    csv: String,
    /// Why the file cannot be read.
    error: Option<String>,
}

/// The import: the field for the file's text, or the review of what was sent.
pub(super) async fn import_page(slug: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Administrator).await?;
    let path = customer_path(slug, "users/import");
    let reviewed = access::take_answer::<Reviewed>(&desk.portal, &desk.session, &path).await?;
    let (csv, error) = reviewed.map_or_else(Default::default, |reviewed| (reviewed.csv, reviewed.error));
    let review = if csv.is_empty() || error.is_some() {
        None
    } else {
        let review = manual_users::review(&desk.customer, &csv).await;
        review.map_err(|error| access::sync_error(&error))?.ok()
    };
    let view = view! {
        <div class="page-head">
            <h1>"Import Manual users"</h1>
            <a href=customer_path(slug, "users")>"All users"</a>
        </div>
        {match review {
            Some(review) => review_view(slug, review.additions(), review.rows, csv).into_any(),
            None => import_form(slug, csv, error).into_any(),
        }}
    };
    Ok(Rendered::new(view))
}

fn import_form(slug: &str, csv: String, error: Option<String>) -> impl IntoView + use<> {
    view! {
        <form method="post" action="/api/import_users" class="card narrow">
            <input type="hidden" name="slug" value=slug.to_owned() />
            <p>
                "Paste a CSV whose first line names the columns " <code>"name"</code> ", " <code>"address"</code>
                " and, if there are some, " <code>"aliases"</code> ". What the portal exports can be imported again."
            </p>
            <TextField name="csv" label="CSV" kind="area" value=csv error=Signal::derive(move || error.clone())>
                {format!("At most {} rows. The next page shows what becomes of each; nothing is changed before.", count(i64::try_from(manual_users::MOST_ROWS).unwrap_or(i64::MAX)))}
            </TextField>
            <div class="actions">
                <button type="submit" class="button primary">"Review"</button>
                <a class="button" href=customer_path(slug, "users")>"Cancel"</a>
            </div>
        </form>
    }
}

fn review_view(slug: &str, additions: usize, rows: Vec<ImportRow>, csv: String) -> impl IntoView + use<> {
    let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let refused = rows.len() - additions;
    let shown = rows.len() > SHOWN;
    let mut rows = rows;
    // What needs a look comes first.
    rows.sort_by_key(|row| (row.verdict == Verdict::Add, row.line));
    let lines: Vec<_> = rows
        .into_iter()
        .take(SHOWN)
        .map(|row| {
            let verdict = match row.verdict {
                Verdict::Add => view! { <span class="badge good">"Will be added"</span> }.into_any(),
                Verdict::Refused(why) => {
                    view! { <span class="badge bad">"Left out"</span> " " {why} }.into_any()
                }
            };
            view! {
                <tr>
                    <th scope="row" data-label="Name"><bdi>{row.user.name}</bdi></th>
                    <td data-label="Address"><Address address=row.user.primary /></td>
                    <td data-label="Line" class="number">{count(whole(row.line))}</td>
                    <td data-label="What happens">{verdict}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="card">
            <p>
                <strong>{format!("{} will be added", counted(whole(additions), "user", "users"))}</strong>
                {(refused > 0).then(|| format!(", {} left out", counted(whole(refused), "row is", "rows are")))} "."
            </p>
            <form method="post" action="/api/import_users" class="actions">
                <input type="hidden" name="slug" value=slug.to_owned() />
                <textarea name="csv" hidden inner_html=inside_of_area(&csv)></textarea>
                {(additions > 0)
                    .then(|| view! { <button type="submit" class="button primary" name="go" value="on">"Add them"</button> })}
                <a class="button" href=customer_path(slug, "users/import")>"Another file"</a>
            </form>
        </div>
        <div class="table-wrap">
            <table class="list">
                <caption class="visually-hidden">"Rows of the file"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Name"</th>
                        <th scope="col">"Address"</th>
                        <th scope="col" class="number">"Line"</th>
                        <th scope="col">"What happens"</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </div>
        {shown.then(|| view! { <p class="soft">{format!("The first {SHOWN} rows are shown.")}</p> })}
    }
}

/// Review, or with `go` the import itself.
pub(super) async fn import(slug: &str, csv: String, go: bool) -> Result<(), AppError> {
    let desk = access::require(slug, Role::Administrator).await?;
    let path = customer_path(slug, "users/import");
    let refuse = async |csv: String, error: String| {
        let answer = Reviewed { csv, error: Some(error) };
        access::answer(&desk.portal, &desk.session, &path, answer).await.map(drop)
    };
    if csv.len() > LONGEST_CSV {
        return refuse(String::new(), "The file is too long. Import it in parts.".to_owned()).await;
    }
    if go {
        let added = manual_users::import(&desk.portal.engine, &desk.customer, &desk.actor(), &csv).await;
        return match added.map_err(|error| access::sync_error(&error))? {
            Ok(added) => {
                let words = format!("{} added.", counted(added, "user was", "users were"));
                let users = customer_path(slug, "users");
                let message = Message::new(Tone::Good, words);
                access::answer(&desk.portal, &desk.session, &users, message).await.map(drop)
            }
            Err(why) => refuse(csv, why).await,
        };
    }
    let review = manual_users::review(&desk.customer, &csv).await;
    match review.map_err(|error| access::sync_error(&error))? {
        Ok(_) => {
            let answer = Reviewed { csv, error: None };
            access::answer(&desk.portal, &desk.session, &path, answer).await.map(drop)
        }
        Err(why) => refuse(csv, why).await,
    }
}

/// Who the directory would take over.
pub(super) async fn take_overs_page(slug: &str) -> Result<Rendered, AppError> {
    let desk = access::require(slug, Role::Viewer).await?;
    let path = customer_path(slug, "users/take-over");
    let loaded = async {
        let take_overs = desk.customer.take_overs().await?;
        let ids: Vec<i64> = take_overs.iter().map(|one| one.user_id).collect();
        Ok((take_overs, desk.customer.users_numbered(&ids).await?))
    };
    let (take_overs, users) = loaded.await.map_err(|error| access::store_error(&error))?;
    let message = access::take_answer::<Message>(&desk.portal, &desk.session, &path).await?;
    let now = desk.portal.now();
    let may = desk.role >= Role::Operator;
    let lines: Vec<_> = take_overs
        .into_iter()
        .filter_map(|one| {
            let user = users.iter().find(|user| user.id == one.user_id)?;
            let link = customer_path(slug, &format!("users/{}", user.public_id));
            let state = match one.decision {
                Decision::Waiting => "Waiting for you",
                Decision::Approved => "Taken over by the next sync",
                Decision::Dismissed => "Never taken over",
            };
            let button = |decision: &'static str, words: &'static str, shown: bool| {
                shown.then(|| {
                    view! { <button type="submit" class="button" name="decision" value=decision>{words}</button> }
                })
            };
            Some(view! {
                <tr>
                    <th scope="row" data-label="Manual user">
                        <a href=link><bdi>{user.display_name.clone()}</bdi></a>
                    </th>
                    <td data-label="Address"><Address address=user.primary_address.to_string() /></td>
                    <td data-label="In the directory"><bdi>{one.display_name}</bdi></td>
                    <td data-label="Since"><MomentView moment=Moment::at(one.since, now) /></td>
                    <td data-label="Decision">
                        <p>{state}</p>
                        {may
                            .then(|| {
                                view! {
                                    <form method="post" action="/api/decide_take_over" class="actions">
                                        <input type="hidden" name="slug" value=slug.to_owned() />
                                        <input type="hidden" name="id" value=user.public_id.to_string() />
                                        <input type="hidden" name="external_id" value=one.external_id />
                                        {button("take", "Take over", one.decision != Decision::Approved)}
                                        {button("never", "Never take over", one.decision != Decision::Dismissed)}
                                    </form>
                                }
                            })}
                    </td>
                </tr>
            })
        })
        .collect();
    let body = if lines.is_empty() {
        view! {
            <Empty
                why="Nobody is waiting. When the directory delivers the address of a Manual user, the two are listed here."
                step=Some((customer_path(slug, "users"), "All users"))
            />
        }
        .into_any()
    } else {
        view! {
            <p class="notice">
                <Icon name="info" />
                <span>
                    "Taken over, the user keeps its history and follows the directory from the next sync on. Never taken over, the person in the directory is synced without the address."
                </span>
            </p>
            <div class="table-wrap">
                <table class="list">
                    <caption class="visually-hidden">"Manual users whose address the directory delivers"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Manual user"</th>
                            <th scope="col">"Address"</th>
                            <th scope="col">"In the directory"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col">"Decision"</th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let view = view! {
        <div class="page-head">
            <h1>"Take over Manual users"</h1>
            <a href=customer_path(slug, "users")>"All users"</a>
        </div>
        {body}
    };
    Ok(Rendered::new(view).with_message(message).about("users conflicts"))
}

/// Take over, or never.
pub(super) async fn decide_take_over(
    slug: &str,
    id: &str,
    external_id: &str,
    decision: &str,
) -> Result<(), AppError> {
    let desk = access::require(slug, Role::Operator).await?;
    let take = match decision {
        "take" => true,
        "never" => false,
        _ => return Err(access::not_found()),
    };
    let Ok(id) = id.parse() else { return Err(access::not_found()) };
    let actor = desk.actor();
    let decided =
        sync::take_overs::decide(&desk.portal.engine, &desk.customer, &actor, id, external_id, take).await;
    let message = if decided.map_err(|error| access::sync_error(&error))? {
        let words = if take {
            "The next sync takes the user over."
        } else {
            "The user stays as it is, whatever the directory says."
        };
        Message::new(Tone::Good, words)
    } else {
        Message::new(Tone::Warning, "Nothing was waiting any more.")
    };
    let path = customer_path(slug, "users/take-over");
    access::answer(&desk.portal, &desk.session, &path, message).await.map(drop)
}

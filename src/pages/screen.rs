//! A page that the server renders: title and heading stand at once, the rest is put in place when it comes.

use std::{future::Future, pin::Pin};

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_params_map};

use super::live;
use crate::{
    components::{ErrorView, Loading, Rendered, RenderedView},
    error::AppError,
};

/// The address of such a page, in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The customer's slug.
    pub(super) slug: String,
    /// The id of what the page is about, such as a run's.
    pub(super) id: String,
    /// The query, without its question mark: filters and cursors. The server reads it.
    pub(super) query: String,
}

/// What a page's server function will answer.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Rendered, AppError>> + Send>>;

/// A page under that title and what its server function answers for the address.
pub(super) fn screen(title: &'static str, load: fn(Place) -> Answer) -> impl IntoView {
    let params = use_params_map();
    let location = use_location();
    let here = Memo::new(move |before: Option<&(String, Place)>| {
        let param = |name: &str| params.with(|params| params.get(name).unwrap_or_default());
        let id = [param("run"), param("id")].concat();
        let now = (location.pathname.get(), Place { slug: param("slug"), id, query: location.search.get() });
        match before {
            // The address is already that of another page, for which this one is about to make room: what stands in it is none of this
            // page's, which would ask in vain.
            Some(before) if shape(&before.0, &before.1) != shape(&now.0, &now.1) => before.clone(),
            _ => now,
        }
    });
    let data = Resource::new(move || here.with(|(_, place)| place.clone()), load);
    ask_again_while_live(data);
    let topics = move || {
        data.with(|data| match data {
            Some(Ok(rendered)) => rendered.topics().to_owned(),
            _ => String::new(),
        })
    };
    live::when_changed(topics, move || data.refetch());
    view! {
        <Title text=title />
        <Transition fallback=|| view! { <Loading /> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(rendered) => view! { <RenderedView rendered=rendered /> }.into_any(),
                    Err(error) => view! { <ErrorView error=error /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// What addresses of the same page have in common: all but which customer and which object it is about.
fn shape(path: &str, place: &Place) -> String {
    let about = |part: &str| !part.is_empty() && (part == place.slug || part == place.id);
    path.split('/').map(|part| if about(part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}

/// While the page is live, it is asked for every two seconds.
fn ask_again_while_live(data: Resource<Result<Rendered, AppError>>) {
    Effect::new(move || {
        if data.with(|data| matches!(data, Some(Ok(rendered)) if rendered.is_live())) {
            let ask = move || {
                if !live::is_busy() {
                    data.refetch();
                }
            };
            let timer = set_interval_with_handle(ask, std::time::Duration::from_secs(2));
            on_cleanup(move || drop(timer.map(|timer| timer.clear())));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{Place, shape};

    #[test]
    fn a_page_knows_its_own_address_whatever_customer_and_object_it_is_about() {
        let of = |path: &str, slug: &str, id: &str| {
            let place = Place { slug: slug.to_owned(), id: id.to_owned(), query: String::new() };
            shape(path, &place)
        };
        let one = of("/customers/a/users/1", "a", "1");
        assert_eq!(one, of("/customers/b/users/2", "b", "2"));
        assert_ne!(one, of("/customers/a/users", "a", ""));
        assert_ne!(one, of("/customers/a/users/1/edit", "a", "1"));
        assert_ne!(one, of("/customers/a/sync-history/2", "a", "2"));
    }
}

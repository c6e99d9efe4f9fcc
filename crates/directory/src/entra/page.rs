//! A page of objects as Graph sends it, and as a sync receives it.

use std::borrow::Cow;

use domain::{
    group::{DirectoryGroup, Membership},
    object::DirectoryUser,
    run::Notice,
};
use serde::Deserialize;
use serde_json::{error::Category, value::RawValue};

use super::{
    answer::is_html,
    error::Problem,
    user::{Object, read_user},
};

/// Which page of a read. Both parts are plain text, so that a checkpoint can keep them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageLink {
    /// The first page of a full round, which names everything there is.
    First {
        /// The properties to read, separated by commas: [`USER_SELECTION`](super::USER_SELECTION) or
        /// [`GROUP_SELECTION`](super::GROUP_SELECTION). All rounds that follow are bound to them: another selection is another full round.
        select: String,
    },
    /// A link as it was received: the next link of the page before, or the delta link of the round before. The latter begins a delta round, which
    /// names what has changed since.
    Next(String),
}

/// Where a read goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextOrDelta {
    /// There are more pages: the next one's link.
    Next(String),
    /// This was the last page: the link that will tell what changed since.
    Delta(String),
}

/// A page of users. The same user may appear on several pages and in several rounds; the last word counts.
///
/// A user is always told whole, also in a delta round: what is missing was never set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPage {
    /// The users that could be read.
    pub users: Vec<DirectoryUser>,
    /// Ids of users that are gone.
    pub removed: Vec<String>,
    /// A notice for each object that could not be read.
    pub unreadable: Vec<Notice>,
    /// A notice for each user of whom a value had to be changed to be stored.
    pub changed_values: Vec<Notice>,
    /// Where the read goes on.
    pub next: NextOrDelta,
}

/// A page of groups. The same group may appear on several pages and in several rounds; the last word counts.
///
/// Of a group with many members each page tells a part, and the group again beside it: groups are to be merged by id, and members by group and
/// id. A group without members on a page has not lost any. A group in [`groups`](Self::groups) is always told whole. (No documentation says
/// that Graph ever sends the members of a group alone; should it, they are in [`members`](Self::members) and the group is not in `groups`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPage {
    /// The groups that could be read.
    pub groups: Vec<DirectoryGroup>,
    /// Who came and went, in the order in which the page tells it. Also of groups that could not be read.
    pub members: Vec<MemberChange>,
    /// Ids of groups that are gone, and their memberships with them.
    pub removed: Vec<String>,
    /// A notice for each group that could not be read, and for each of which a member could not.
    pub unreadable: Vec<Notice>,
    /// A notice for each group of which a value had to be changed to be stored.
    pub changed_values: Vec<Notice>,
    /// Where the read goes on.
    pub next: NextOrDelta,
}

/// What a page tells of a direct membership. In a full round everybody has joined.
///
/// That a user was deleted ends memberships too, and Graph does not always tell so here: whoever keeps them has to follow from the users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// There is this membership.
    Joined(Membership),
    /// There is no such membership any more.
    Left {
        /// The group's id.
        group: String,
        /// The member's id.
        member: String,
    },
}

/// The frame of a list: the objects as text.
#[derive(Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow)]
    pub(super) value: Vec<&'a RawValue>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub(super) delta: Option<String>,
    #[serde(rename = "@odata.count")]
    pub(super) count: Option<i64>,
}

/// The objects of a list.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) users: Vec<DirectoryUser>,
    pub(super) removed: Vec<String>,
    pub(super) unreadable: Vec<Notice>,
    pub(super) changed_values: Vec<Notice>,
}

impl<'a> Frame<'a> {
    /// Reads a list.
    pub(super) fn read(body: &'a str) -> Result<Self, Problem> {
        serde_json::from_str(body).map_err(|error| no_answer(&error, body.as_bytes()))
    }

    /// Where the read goes on. Exactly one of the two links must be there: a page without any would end the read as if it were complete, and what
    /// it did not name would count as gone.
    fn link(&self) -> Result<NextOrDelta, Problem> {
        let unexpected = |what: &str| Err(Problem::Unexpected { what: what.to_owned() });
        match (&self.next, &self.delta) {
            (Some(next), None) => Ok(NextOrDelta::Next(next.clone())),
            (None, Some(delta)) => Ok(NextOrDelta::Delta(delta.clone())),
            (None, None) => unexpected("the page has neither a next link nor a delta link"),
            (Some(_), Some(_)) => unexpected("the page has both a next link and a delta link"),
        }
    }

    /// Reads each object by itself.
    pub(super) fn users(&self) -> Objects {
        let mut objects = Objects { users: Vec::with_capacity(self.value.len()), ..Objects::default() };
        for object in &self.value {
            match read_user(object.get()) {
                // The last word about an object counts.
                Object::User(user, notice) => {
                    objects.removed.retain(|id| *id != user.external_id);
                    objects.users.push(user);
                    objects.changed_values.extend(notice);
                }
                Object::Removed(id) => {
                    objects.users.retain(|user| user.external_id != id);
                    objects.removed.push(id);
                }
                Object::Unreadable(notice) => objects.unreadable.push(notice),
            }
        }
        objects
    }
}

/// A body as text. Bytes that are no UTF-8 become U+FFFD: one broken name must not cost the whole page.
pub(super) fn text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body)
}

/// What a body is that could not be read: broken, or JSON of another shape.
pub(super) fn no_answer(error: &serde_json::Error, body: &[u8]) -> Problem {
    match error.classify() {
        Category::Data => Problem::Unexpected { what: "it has not the shape of the answer".to_owned() },
        Category::Io | Category::Syntax | Category::Eof => Problem::NotJson { html: is_html(body) },
    }
}

/// A page of users from its body.
pub(super) fn user_page(body: &[u8]) -> Result<UserPage, Problem> {
    let body = text(body);
    let frame = Frame::read(&body)?;
    let next = frame.link()?;
    let Objects { users, removed, unreadable, changed_values } = frame.users();
    Ok(UserPage { users, removed, unreadable, changed_values, next })
}

/// A page of groups from its body.
pub(super) fn group_page(body: &[u8]) -> Result<GroupPage, Problem> {
    let body = text(body);
    let frame = Frame::read(&body)?;
    let mut page = GroupPage {
        groups: Vec::with_capacity(frame.value.len()),
        members: Vec::new(),
        removed: Vec::new(),
        unreadable: Vec::new(),
        changed_values: Vec::new(),
        next: frame.link()?,
    };
    for object in &frame.value {
        page.take(object.get());
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBERS: &[u8] = include_bytes!("../../tests/data/recorded/group-members.json");
    const GROUPS: &[u8] = include_bytes!("../../tests/data/recorded/groups.json");
    const USER: &str = include_str!("../../tests/data/recorded/user.json");

    #[test]
    fn the_recorded_members_of_a_group_are_read_unchanged() {
        let body = text(MEMBERS);
        let frame = Frame::read(&body).unwrap();
        let objects = frame.users();
        assert_eq!((objects.users.len(), objects.unreadable.len(), objects.changed_values.len()), (19, 0, 0));
        assert_eq!((&frame.next, &frame.delta), (&None, &None));
        let adele = &objects.users[0];
        assert_eq!(adele.external_id, "87d349ed-44d7-43e1-9a83-5f2406dee5bd");
        assert_eq!(adele.display_name.as_deref(), Some("Adele Vance"));
        assert_eq!(adele.mail.as_deref(), Some("AdeleV@M365x214355.onmicrosoft.com"));
        assert_eq!(adele.account_enabled, None);
        for user in &objects.users {
            let attributes: serde_json::Value = serde_json::from_str(&user.attributes).unwrap();
            assert_eq!(attributes["id"], user.external_id);
            assert!(attributes.get("@odata.type").is_none());
            assert!(domain::address::Addresses::of(user).is_some(), "{user:?}");
        }
    }

    #[test]
    fn the_recorded_user_is_read_unchanged() {
        let Object::User(megan, None) = read_user(USER) else { panic!("not read") };
        let addresses = domain::address::Addresses::of(&megan).unwrap();
        assert_eq!(addresses.primary.as_str(), "meganb@m365x214355.onmicrosoft.com");
        let aliases: Vec<_> = addresses.aliases.iter().map(|alias| alias.as_str()).collect();
        assert_eq!(aliases, ["megan@m365x214355.onmicrosoft.com"]);
        let attributes: serde_json::Value = serde_json::from_str(&megan.attributes).unwrap();
        assert_eq!(attributes["officeLocation"], "12/1110");
        assert!(attributes.get("@odata.context").is_none());
    }

    #[test]
    fn the_recorded_groups_are_a_list_of_49() {
        let body = text(GROUPS);
        assert_eq!(Frame::read(&body).unwrap().value.len(), 49);
    }

    #[test]
    fn a_recorded_list_without_a_link_is_no_page_of_a_read() {
        assert!(matches!(user_page(MEMBERS), Err(Problem::Unexpected { .. })));
    }

    #[test]
    fn one_bad_object_never_costs_the_others() {
        let body = br#"{"value":[{"id":"1"},5,{"id":"2","mail":[]},{"id":"3","@removed":{"reason":"deleted"}},{"id":"4","displayName":"\u0000"}],
            "@odata.deltaLink":"https://g.example/d"}"#;
        let page = user_page(body).unwrap();
        let ids: Vec<_> = page.users.iter().map(|user| user.external_id.as_str()).collect();
        assert_eq!(ids, ["1", "4"]);
        assert_eq!(page.removed, ["3"]);
        assert_eq!((page.unreadable.len(), page.changed_values.len()), (2, 1));
        assert_eq!(page.next, NextOrDelta::Delta("https://g.example/d".to_owned()));
    }

    #[test]
    fn the_last_word_about_an_object_of_a_page_counts() {
        let body = br#"{"value":[{"id":"1"},{"id":"1","@removed":{"reason":"changed"}},{"id":"2","@removed":{"reason":"changed"}},{"id":"2"}],
            "@odata.nextLink":"n"}"#;
        let page = user_page(body).unwrap();
        let ids: Vec<_> = page.users.iter().map(|user| user.external_id.as_str()).collect();
        assert_eq!((ids, page.removed), (vec!["2"], vec!["1".to_owned()]));
    }

    #[test]
    fn bytes_that_are_no_text_cost_one_name_and_not_the_page() {
        let page = user_page(b"{\"value\":[{\"id\":\"1\",\"displayName\":\"A\xff\"},{\"id\":\"2\"}],\"@odata.nextLink\":\"n\"}").unwrap();
        assert_eq!(page.users.len(), 2);
        assert_eq!(page.users[0].display_name.as_deref(), Some("A\u{fffd}"));
    }

    #[test]
    fn an_empty_page_is_a_page_and_a_broken_one_is_not() {
        assert!(user_page(br#"{"value":[],"@odata.nextLink":"n"}"#).unwrap().users.is_empty());
        assert_eq!(user_page(b"<!DOCTYPE html>"), Err(Problem::NotJson { html: true }));
        assert_eq!(user_page(br#"{"value":[{"id":"1"},{"i"#), Err(Problem::NotJson { html: false }));
        assert_eq!(user_page(b""), Err(Problem::NotJson { html: false }));
        assert!(matches!(user_page(br#"{"values":[]}"#), Err(Problem::Unexpected { .. })));
        let both = br#"{"value":[],"@odata.nextLink":"n","@odata.deltaLink":"d"}"#;
        assert!(matches!(user_page(both), Err(Problem::Unexpected { .. })));
    }
}

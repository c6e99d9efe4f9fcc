//! One group object of an answer, with the part of its members that comes along.

use domain::{
    group::{DirectoryGroup, GroupKind, MemberKind, Membership},
    run::NoticeKind,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    object::{
        Name, Properties, address, display_name, flag, id, is_a, is_id, is_type_of, kept, notice,
        proxy_addresses, texts,
    },
    page::{GroupPage, MemberChange},
};

/// The `$select` of a read of groups. Naming `members` is what brings the memberships along, and their changes.
pub const GROUP_SELECTION: &str =
    "id,displayName,mail,mailEnabled,securityEnabled,groupTypes,proxyAddresses,members";

/// What an entry says about the group itself.
#[derive(Default)]
struct Told {
    group: DirectoryGroup,
    unified: bool,
    mail_enabled: bool,
    security_enabled: bool,
    /// Whether it says anything at all.
    anything: bool,
}

/// An entry of `members@delta`.
#[derive(Deserialize)]
struct Member<'a> {
    #[serde(rename = "@odata.type", borrow)]
    kind: Option<Name<'a>>,
    #[serde(borrow)]
    id: Name<'a>,
    #[serde(rename = "@removed")]
    removed: Option<IgnoredAny>,
}

impl GroupPage {
    /// Reads one object into the page.
    ///
    /// What an entry says of members is taken whatever becomes of the group's own properties: a delta query says it once.
    pub(super) fn take(&mut self, text: &str) {
        let Ok(Properties(properties)) = serde_json::from_str(text) else {
            let what = "An entry of the answer is no object; it was skipped.".to_owned();
            return self.unreadable.push(notice(NoticeKind::Unreadable, "", None, what));
        };
        let mut told = Told::default();
        let (mut members, mut changes, mut wrong, mut removed) = (None, Vec::new(), None, false);
        for (name, value) in properties {
            let value = value.get();
            match name.as_ref() {
                "id" => told.group.external_id = id(value).unwrap_or_default(),
                "@removed" => removed = true,
                "members@delta" => members = Some(value),
                name => {
                    let value = kept(name, value, &mut changes);
                    wrong = wrong.or(told.take(name, &value, &mut changes).err());
                }
            }
        }
        let about = |kind, detail: String| {
            notice(kind, &told.group.external_id, told.group.display_name.as_deref(), detail)
        };
        if told.group.external_id.is_empty() {
            let what = "A group has no usable id; it was skipped.".to_owned();
            return self.unreadable.push(about(NoticeKind::Unreadable, what));
        }
        if removed {
            return self.removed.push(told.group.external_id);
        }
        if let Some(Err(what)) = members.map(|members| self.take_members(&told.group.external_id, members)) {
            self.unreadable.push(about(NoticeKind::Unreadable, what));
        }
        if let Some(what) = wrong {
            let what = format!("{what}; the group was skipped.");
            return self.unreadable.push(about(NoticeKind::Unreadable, what));
        }
        if told.anything {
            self.changed_values
                .extend((!changes.is_empty()).then(|| about(NoticeKind::ValueChanged, changes.join(" "))));
            self.groups.push(told.group());
        } else if members.is_none() {
            let what = "An entry says nothing about a group but its id; it was skipped.".to_owned();
            self.unreadable.push(about(NoticeKind::Unreadable, what));
        }
    }

    /// Reads a slice of the members of a group; those that cannot be read are counted in the error.
    fn take_members(&mut self, group: &str, text: &str) -> Result<(), String> {
        let Ok(entries) = serde_json::from_str::<Option<Vec<&RawValue>>>(text) else {
            return Err("The members of the group are no list; they were left out.".to_owned());
        };
        let entries = entries.unwrap_or_default();
        let before = self.members.len();
        self.members.extend(entries.iter().filter_map(|entry| read_member(group, entry.get())));
        match entries.len() - (self.members.len() - before) {
            0 => Ok(()),
            1 => Err("A member of the group could not be read and was left out.".to_owned()),
            lost => Err(format!("{lost} members of the group could not be read and were left out.")),
        }
    }
}

impl Told {
    fn take(&mut self, name: &str, value: &str, changes: &mut Vec<String>) -> Result<(), String> {
        let group = &mut self.group;
        match name {
            "displayName" => group.display_name = display_name(name, value, changes)?,
            "mail" => group.mail = address(name, value, changes)?,
            "proxyAddresses" => group.proxy_addresses = proxy_addresses(name, value, changes)?,
            "groupTypes" => self.unified = texts(name, value)?.iter().any(|kind| kind == "Unified"),
            "mailEnabled" => self.mail_enabled = flag(name, value)?.unwrap_or_default(),
            "securityEnabled" => self.security_enabled = flag(name, value)?.unwrap_or_default(),
            "@odata.type" => return is_a("group", value),
            _ => return Ok(()),
        }
        self.anything = true;
        Ok(())
    }

    fn group(self) -> DirectoryGroup {
        let kind = match (self.unified, self.mail_enabled, self.security_enabled) {
            (true, ..) => GroupKind::Microsoft365,
            (false, true, true) => GroupKind::MailEnabledSecurity,
            (false, true, false) => GroupKind::Distribution,
            (false, false, _) => GroupKind::Security,
        };
        DirectoryGroup { kind, ..self.group }
    }
}

fn read_member(group: &str, text: &str) -> Option<MemberChange> {
    let Member { kind, id: Name(id), removed } = serde_json::from_str(text).ok()?;
    if !is_id(&id) {
        return None;
    }
    let (group, member) = (group.to_owned(), id.into_owned());
    if removed.is_some() {
        return Some(MemberChange::Left { group, member });
    }
    let kind = kind.map_or(MemberKind::Other, |Name(kind)| member_kind(&kind));
    Some(MemberChange::Joined(Membership { group, member, kind }))
}

fn member_kind(odata_type: &str) -> MemberKind {
    if is_type_of("user", odata_type) {
        MemberKind::User
    } else if is_type_of("group", odata_type) {
        MemberKind::Group
    } else {
        MemberKind::Other
    }
}

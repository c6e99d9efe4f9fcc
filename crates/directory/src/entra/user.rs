//! One user object of an answer.

use domain::{
    object::DirectoryUser,
    run::{Notice, NoticeKind},
};

use super::object::{
    Properties, address, display_name, flag, id, is_a, kept, notice, proxy_addresses, shown,
};

/// The `$select` of a read: what mail rules need, and what custom filters may name without a new first read.
pub const USER_SELECTION: &str = "id,userPrincipalName,mail,mailNickname,proxyAddresses,otherMails,displayName,givenName,surname,\
     accountEnabled,userType,externalUserState,onPremisesSyncEnabled,onPremisesImmutableId,department,jobTitle,companyName,country,city,\
     officeLocation,state,postalCode,streetAddress,employeeId,employeeType,usageLocation,preferredLanguage,businessPhones,mobilePhone,\
     createdDateTime,assignedLicenses,onPremisesExtensionAttributes";

/// The largest `attributes`, in bytes.
const ATTRIBUTES: usize = 64 * 1_024;

/// What an object of an answer is.
#[derive(Debug)]
pub(super) enum Object {
    /// A user, and what had to be changed to store it.
    User(DirectoryUser, Option<Notice>),
    /// The id of a user that is gone.
    Removed(String),
    /// Not understood.
    Unreadable(Notice),
}

/// Reads one object.
pub(super) fn read_user(text: &str) -> Object {
    let Ok(Properties(properties)) = serde_json::from_str(text) else {
        return unreadable(
            &DirectoryUser::default(),
            "An entry of the answer is no object; it was skipped.".to_owned(),
        );
    };
    let mut user = DirectoryUser::default();
    let mut attributes = Attributes::new(text.len());
    let mut changes = Vec::new();
    let mut wrong = None;
    let mut removed = false;
    for (name, value) in properties {
        if name == "id" {
            user.external_id = id(value.get()).unwrap_or_default();
        }
        let value = kept(&name, value.get(), &mut changes);
        if name == "@removed" {
            removed = true;
        } else if let Err(what) = take(&mut user, &name, &value, &mut changes) {
            wrong = wrong.or(Some(what));
        }
        // Annotations (`@odata.type`, `manager@delta`) are about the object and no part of it.
        if !name.contains('@') && !name.contains(char::is_control) && !attributes.add(&name, &value) {
            changes.push(format!(
                "The attributes are larger than 64 KB; \"{}\" was left out of them.",
                shown(&name)
            ));
        }
    }
    if user.external_id.is_empty() {
        return unreadable(&user, "An object has no usable id; it was skipped.".to_owned());
    }
    if removed {
        return Object::Removed(user.external_id);
    }
    if let Some(what) = wrong {
        return unreadable(&user, format!("{what}; the object was skipped."));
    }
    user.attributes = attributes.finish();
    let notice = (!changes.is_empty()).then(|| about(NoticeKind::ValueChanged, &user, changes.join(" ")));
    Object::User(user, notice)
}

/// Puts a property into the field that a rule reads, when there is one.
fn take(user: &mut DirectoryUser, name: &str, value: &str, changes: &mut Vec<String>) -> Result<(), String> {
    match name {
        "userPrincipalName" => user.user_principal_name = address(name, value, changes)?,
        "mail" => user.mail = address(name, value, changes)?,
        "proxyAddresses" => user.proxy_addresses = proxy_addresses(name, value, changes)?,
        "displayName" => user.display_name = display_name(name, value, changes)?,
        "accountEnabled" => user.account_enabled = flag(name, value)?,
        "@odata.type" => is_a("user", value)?,
        _ => {}
    }
    Ok(())
}

/// `attributes` as it grows.
struct Attributes(String);

impl Attributes {
    fn new(size_hint: usize) -> Self {
        let mut text = String::with_capacity(size_hint.min(ATTRIBUTES));
        text.push('{');
        Self(text)
    }

    /// Adds a property, unless it does not fit.
    fn add(&mut self, name: &str, value: &str) -> bool {
        let Ok(name) = serde_json::to_string(name) else { return false };
        if self.0.len() + name.len() + value.len() + 3 > ATTRIBUTES {
            return false;
        }
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&name);
        self.0.push(':');
        self.0.push_str(value);
        true
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn unreadable(user: &DirectoryUser, detail: String) -> Object {
    Object::Unreadable(about(NoticeKind::Unreadable, user, detail))
}

fn about(kind: NoticeKind, user: &DirectoryUser, detail: String) -> Notice {
    notice(kind, &user.external_id, user.display_name.as_deref(), detail)
}

#[cfg(test)]
mod tests {
    use super::{super::object::ADDRESS, *};

    fn user(text: &str) -> (DirectoryUser, Option<Notice>) {
        match read_user(text) {
            Object::User(user, notice) => (user, notice),
            other => panic!("{other:?}"),
        }
    }

    fn refused(text: &str) -> Notice {
        match read_user(text) {
            Object::Unreadable(notice) => notice,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_user_is_read_with_every_selected_property_as_sent() {
        let text = r##"{"@odata.type":"#microsoft.graph.user","id":"1","displayName":"=cmd()<script>'","mail":null,
            "userPrincipalName":"a@x.example","proxyAddresses":["SMTP:a@x.example","smtp:b@x.example"],"accountEnabled":false,
            "assignedLicenses":[{"skuId":"s","disabledPlans":[]}],"manager@delta":[],"name \"q\"":1}"##;
        let (user, notice) = user(text);
        assert_eq!(notice, None);
        assert_eq!(user.external_id, "1");
        assert_eq!(user.display_name.as_deref(), Some("=cmd()<script>'"));
        assert_eq!(user.mail, None);
        assert_eq!(user.proxy_addresses, ["SMTP:a@x.example", "smtp:b@x.example"]);
        assert_eq!(user.account_enabled, Some(false));
        assert_eq!(
            user.attributes,
            r#"{"id":"1","displayName":"=cmd()<script>'","mail":null,"userPrincipalName":"a@x.example","proxyAddresses":["SMTP:a@x.example","smtp:b@x.example"],"accountEnabled":false,"assignedLicenses":[{"skuId":"s","disabledPlans":[]}],"name \"q\"":1}"#
        );
    }

    #[test]
    fn a_property_that_is_missing_or_null_is_unknown() {
        let (user, _) = user(r#"{"id":"1","proxyAddresses":null,"accountEnabled":null}"#);
        assert_eq!(
            user,
            DirectoryUser {
                external_id: "1".to_owned(),
                attributes: user.attributes.clone(),
                ..DirectoryUser::default()
            }
        );
    }

    #[test]
    fn a_wrong_type_makes_the_object_unreadable_and_names_it() {
        for (property, value) in [
            ("mail", "5"),
            ("userPrincipalName", "{}"),
            ("proxyAddresses", "\"a@x.example\""),
            ("proxyAddresses", "[1]"),
            ("accountEnabled", "\"true\""),
            ("displayName", "[]"),
        ] {
            let notice = refused(&format!(r#"{{"{property}":{value},"id":"7"}}"#));
            assert_eq!((notice.kind, notice.external_id.as_str()), (NoticeKind::Unreadable, "7"));
            assert!(notice.detail.contains(property), "{}", notice.detail);
        }
    }

    #[test]
    fn an_object_without_a_usable_id_is_unreadable_under_its_name() {
        let long = format!(r#"{{"id":"{}","displayName":"N"}}"#, "a".repeat(129));
        for text in [
            r#"{"displayName":"N"}"#,
            r#"{"id":null,"displayName":"N"}"#,
            r#"{"id":"a b","displayName":"N"}"#,
            r#"{"id":"a\u0000b","displayName":"N"}"#,
            r#"{"id":7,"displayName":"N"}"#,
            &long,
        ] {
            assert_eq!(refused(text).display_name, "N", "{text}");
        }
        for text in ["5", "null", "[]", "\"x\""] {
            assert_eq!(refused(text).external_id, "", "{text}");
        }
    }

    #[test]
    fn a_removed_object_is_only_its_id() {
        let removed = read_user(r#"{"id":"9","@removed":{"reason":"changed"},"mail":5}"#);
        assert!(matches!(removed, Object::Removed(id) if id == "9"));
    }

    #[test]
    fn another_kind_of_object_is_no_user() {
        let notice = refused(r##"{"@odata.type":"#microsoft.graph.device","id":"1"}"##);
        assert!(notice.detail.contains("#microsoft.graph.device"), "{}", notice.detail);
    }

    #[test]
    fn a_nul_is_removed_everywhere_and_told() {
        let (user, notice) = user(r#"{"id":"1","displayName":"A\u0000da","jobTitle":"x\\u0000y\u0000"}"#);
        assert_eq!(user.display_name.as_deref(), Some("Ada"));
        assert_eq!(user.attributes, r#"{"id":"1","displayName":"Ada","jobTitle":"x\\u0000y"}"#);
        let notice = notice.unwrap();
        assert_eq!((notice.kind, notice.display_name.as_str()), (NoticeKind::ValueChanged, "Ada"));
        assert!(notice.detail.contains("jobTitle"), "{}", notice.detail);
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced_and_a_whole_one_kept() {
        let (user, notice) = user(r#"{"id":"1","displayName":"\ud83d\ude00 \ud83d \ude00 \u00e9"}"#);
        assert_eq!(user.display_name.as_deref(), Some("😀 \u{fffd} \u{fffd} é"));
        assert!(notice.is_some());
        serde_json::from_str::<serde_json::Value>(&user.attributes).unwrap();
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_a_long_address_left_out() {
        let name = "é".repeat(300);
        let long = format!("smtp:{}@x.example", "a".repeat(ADDRESS));
        let text = format!(
            r#"{{"id":"1","displayName":"{name}","mail":"{long}","proxyAddresses":["SMTP:a@x.example","{long}"]}}"#
        );
        let (user, notice) = user(&text);
        assert_eq!(user.display_name, Some("é".repeat(256)));
        assert_eq!((user.mail, user.proxy_addresses), (None, vec!["SMTP:a@x.example".to_owned()]));
        let detail = notice.unwrap().detail;
        for property in ["displayName", "mail", "proxyAddresses"] {
            assert!(detail.contains(property), "{detail}");
        }
    }

    #[test]
    fn attributes_stay_within_their_size_and_the_rest_is_kept() {
        let text = format!(r#"{{"id":"1","aboutMe":"{}","jobTitle":"Auditor"}}"#, "a".repeat(ATTRIBUTES));
        let (user, notice) = user(&text);
        assert_eq!(user.attributes, r#"{"id":"1","jobTitle":"Auditor"}"#);
        assert!(notice.unwrap().detail.contains("aboutMe"));
    }
}

//! Proxy addresses of an object: `SMTP:` before the primary address, `smtp:` before an alias.

use serde_json::Value;

use crate::tenant::Object;

/// The proxy addresses of an object, to be changed and put back.
pub(super) fn proxies(object: &Object) -> Vec<String> {
    let list = object.get("proxyAddresses").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The primary address without its prefix.
pub(super) fn primary(proxies: &[String]) -> Option<&str> {
    proxies.iter().find_map(|proxy| proxy.strip_prefix("SMTP:"))
}

/// Where an alias stands.
pub(super) fn alias(proxies: &[String], address: &str) -> Option<usize> {
    let is =
        |proxy: &String| proxy.strip_prefix("smtp:").is_some_and(|alias| alias.eq_ignore_ascii_case(address));
    proxies.iter().position(is)
}

/// Makes an address the primary one in place of the old, which goes.
pub(super) fn replace_primary(proxies: &mut Vec<String>, address: &str) {
    proxies.retain(|proxy| !proxy.starts_with("SMTP:"));
    proxies.insert(0, format!("SMTP:{address}"));
}

/// Makes an address the primary one; the old one stays as an alias, as Exchange does on a renaming.
pub(super) fn promote(proxies: &mut Vec<String>, address: &str) {
    if let Some(at) = alias(proxies, address) {
        proxies.remove(at);
    }
    let old = primary(proxies).map(str::to_owned);
    replace_primary(proxies, address);
    if let Some(old) = old.filter(|old| !old.eq_ignore_ascii_case(address)) {
        proxies.push(format!("smtp:{old}"));
    }
}

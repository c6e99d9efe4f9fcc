//! The configuration, from the environment alone; `.env` files and flags would be further ways to the same few values.
//!
//! [`Config::read`] reports every mistake at once, and says for each what to write instead.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use directory::entra::Endpoints;
use domain::{Random, Secret};
use store::DatabaseUrl;

use crate::access::PublicUrl;

/// Everything that the environment decides.
#[derive(Debug)]
pub struct Config {
    /// `ROLLCALL_LISTEN`: where the server listens.
    pub listen: SocketAddr,
    /// `ROLLCALL_PUBLIC_URL`: where browsers reach it. `None` means the address it listens on.
    pub public_url: Option<PublicUrl>,
    /// `ROLLCALL_TRUSTED_PROXIES`: peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// `ROLLCALL_DATA_DIR`: the key and the SQLite database.
    pub data_dir: PathBuf,
    /// `ROLLCALL_DATABASE_URL`: the database.
    pub database: DatabaseUrl,
    /// `ROLLCALL_ADMIN_EMAIL` and `ROLLCALL_ADMIN_PASSWORD`: the administrator to create when there is none.
    pub first_administrator: Option<(String, Secret)>,
    /// `ROLLCALL_ENTRA_LOGIN_URL` and `ROLLCALL_GRAPH_URL`: Microsoft's endpoints.
    pub endpoints: Endpoints,
    /// `ROLLCALL_METRICS_TOKEN`: the bearer token that `GET /metrics` asks for.
    pub metrics_token: Option<Secret>,
    /// `ROLLCALL_KEY` or `ROLLCALL_KEY_FILE`: the key that seals secrets. `None` means the data folder's own.
    key: Option<KeySource>,
}

#[derive(Debug)]
enum KeySource {
    Text(Secret),
    File(PathBuf),
}

/// What is wrong with the configuration, a line each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Config {
    /// Reads the variables through `variable`, which is the environment in the real program.
    ///
    /// # Errors
    /// Every variable that cannot be understood.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut wrong = Vec::new();
        let get = |name: &str| {
            variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let listen = get("ROLLCALL_LISTEN").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let listen = listen.parse().unwrap_or_else(|_| {
            wrong.push(format!(
                "ROLLCALL_LISTEN: \"{listen}\" is not an address and port such as 127.0.0.1:3000"
            ));
            SocketAddr::from(([127, 0, 0, 1], 3000))
        });
        let public_url = get("ROLLCALL_PUBLIC_URL").and_then(|text| match public_url(&text) {
            Ok(url) => Some(url),
            Err(why) => {
                wrong.push(format!("ROLLCALL_PUBLIC_URL: \"{text}\" {why}"));
                None
            }
        });
        if public_url.is_none() && wrong.is_empty() && !listen.ip().is_loopback() {
            wrong.push(
                "ROLLCALL_PUBLIC_URL: say under which https address browsers reach the portal, because it listens beyond this machine".to_owned(),
            );
        }
        let proxies = get("ROLLCALL_TRUSTED_PROXIES").unwrap_or_default();
        let mut trusted_proxies = Vec::new();
        for entry in proxies.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            match entry.parse() {
                Ok(ip) => trusted_proxies.push(ip),
                Err(_) => wrong.push(format!(
                    "ROLLCALL_TRUSTED_PROXIES: \"{entry}\" is not an IP address; list them with commas"
                )),
            }
        }
        let data_dir = PathBuf::from(get("ROLLCALL_DATA_DIR").unwrap_or_else(|| "./data".to_owned()));
        let default = DatabaseUrl::Sqlite(data_dir.join("rollcall.db"));
        let database = get("ROLLCALL_DATABASE_URL")
            .map_or(Ok(default), |text| DatabaseUrl::parse(&text))
            .unwrap_or_else(|error| {
                wrong.push(format!("ROLLCALL_DATABASE_URL: {error}"));
                DatabaseUrl::Sqlite(PathBuf::new())
            });
        let first_administrator = match (get("ROLLCALL_ADMIN_EMAIL"), variable("ROLLCALL_ADMIN_PASSWORD")) {
            (Some(email), Some(password)) => Some((email, Secret::new(password))),
            (None, None) => None,
            _ => {
                wrong
                    .push("ROLLCALL_ADMIN_EMAIL and ROLLCALL_ADMIN_PASSWORD: set both or neither".to_owned());
                None
            }
        };
        let endpoints = endpoints(get("ROLLCALL_ENTRA_LOGIN_URL"), get("ROLLCALL_GRAPH_URL"))
            .map_err(|error| wrong.push(error));
        let key = match (get("ROLLCALL_KEY"), get("ROLLCALL_KEY_FILE")) {
            (Some(_), Some(_)) => {
                wrong.push("ROLLCALL_KEY and ROLLCALL_KEY_FILE: set one of them, not both".to_owned());
                None
            }
            (Some(text), None) => Some(KeySource::Text(Secret::new(text))),
            (None, Some(path)) => Some(KeySource::File(PathBuf::from(path))),
            (None, None) => None,
        };
        match endpoints {
            Ok(endpoints) if wrong.is_empty() => Ok(Self {
                listen,
                public_url,
                trusted_proxies,
                data_dir,
                database,
                first_administrator,
                endpoints,
                metrics_token: get("ROLLCALL_METRICS_TOKEN").map(Secret::new),
                key,
            }),
            _ => Err(ConfigError(wrong)),
        }
    }

    /// Creates the data folder, and reads the key that seals secrets. Without a key of its own the portal makes one in the data folder.
    ///
    /// # Errors
    /// When the folder or the key cannot be made or read, or the key is no key.
    pub fn key(&self, random: &dyn Random) -> Result<[u8; 32], ConfigError> {
        let io = |what: &str, path: &Path, error: &std::io::Error| {
            ConfigError(vec![format!("{what} {}: {error}", path.display())])
        };
        make_private_folder(&self.data_dir)
            .map_err(|error| io("cannot make the data folder", &self.data_dir, &error))?;
        let (text, whence) = match &self.key {
            Some(KeySource::Text(text)) => (text.clone(), "ROLLCALL_KEY".to_owned()),
            Some(KeySource::File(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| io("cannot read the key file", path, &error))?;
                (Secret::new(text), path.display().to_string())
            }
            None => {
                let path = self.data_dir.join("key");
                let text = own_key(&path, random)
                    .map_err(|error| io("cannot make or read the key file", &path, &error))?;
                (Secret::new(text), path.display().to_string())
            }
        };
        parse_key(text.expose()).ok_or_else(|| {
            ConfigError(vec![format!(
                "{whence}: a key is 64 hexadecimal digits, such as the output of: openssl rand -hex 32"
            )])
        })
    }
}

fn public_url(text: &str) -> Result<PublicUrl, &'static str> {
    let url: http::Uri = text.parse().map_err(|_| "is not a URL")?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err("needs https:// and a host name");
    };
    if url.path_and_query().is_some_and(|rest| rest.as_str() != "/") || authority.as_str().contains('@') {
        return Err("must be a scheme and a host, without a path");
    }
    let host = authority.host().trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match scheme {
        "https" => {
            Ok(PublicUrl { origin: format!("https://{}", authority.as_str().to_lowercase()), secure: true })
        }
        "http" if loopback => {
            Ok(PublicUrl { origin: format!("http://{}", authority.as_str().to_lowercase()), secure: false })
        }
        "http" => Err("must begin with https://, because it is not this machine's own address"),
        _ => Err("must begin with https://"),
    }
}

fn endpoints(login: Option<String>, graph: Option<String>) -> Result<Endpoints, String> {
    let (login, graph) = match (login, graph) {
        (None, None) => (Endpoints::PUBLIC_LOGIN.to_owned(), Endpoints::PUBLIC_GRAPH.to_owned()),
        (Some(login), Some(graph)) => (login, graph),
        _ => {
            let why = "set both or neither, because they belong to one cloud";
            return Err(format!("ROLLCALL_ENTRA_LOGIN_URL and ROLLCALL_GRAPH_URL: {why}"));
        }
    };
    Endpoints::parse(&login, &graph)
        .map_err(|error| format!("ROLLCALL_ENTRA_LOGIN_URL and ROLLCALL_GRAPH_URL: {error}"))
}

fn make_private_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    if path.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The data folder's own key; two processes that start at once end up with the same one.
fn own_key(path: &Path, random: &dyn Random) -> std::io::Result<String> {
    use std::{
        io::{ErrorKind, Write},
        os::unix::fs::OpenOptionsExt,
    };

    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read,
    }
    let text: String = random.token().iter().map(|byte| format!("{byte:02x}")).collect();
    // Written beside and linked into place: whoever reads the key reads all of it, and the first one to link wins.
    let mut suffix = [0; 8];
    random.fill(&mut suffix);
    let beside = path.with_extension(suffix.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::read_to_string(path),
    }
}

fn parse_key(text: &str) -> Option<[u8; 32]> {
    let text = text.trim();
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<_>> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::server::machine::SystemRandom;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    fn mistakes(pairs: &[(&str, &str)]) -> Vec<String> {
        read(pairs).err().map(|error| error.0).unwrap_or_default()
    }

    #[test]
    fn an_empty_environment_is_a_portal_on_this_machine() {
        let config = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.data_dir, PathBuf::from("./data"));
        assert!(matches!(config.database, DatabaseUrl::Sqlite(path) if path.ends_with("data/rollcall.db")));
        assert!(config.public_url.is_none() && config.first_administrator.is_none());
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let wrong = mistakes(&[
            ("ROLLCALL_LISTEN", "here"),
            ("ROLLCALL_PUBLIC_URL", "http://portal.example"),
            ("ROLLCALL_TRUSTED_PROXIES", "proxy"),
            ("ROLLCALL_DATABASE_URL", "mysql://x"),
            ("ROLLCALL_ADMIN_EMAIL", "a@x.example"),
            ("ROLLCALL_GRAPH_URL", "https://graph.example"),
            ("ROLLCALL_KEY", "a"),
            ("ROLLCALL_KEY_FILE", "b"),
        ]);
        assert_eq!(wrong.len(), 7, "{wrong:#?}");
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for (text, right) in [
            ("http://127.0.0.1:3000", true),
            ("http://localhost:3000/", true),
            ("http://[::1]:3000", true),
            ("http://portal.example", false),
            ("https://portal.example", true),
            ("https://portal.example/path", false),
            ("https://user@portal.example", false),
            ("ftp://portal.example", false),
            ("portal.example", false),
        ] {
            assert_eq!(public_url(text).is_ok(), right, "{text}");
        }
    }

    #[test]
    fn a_server_beyond_this_machine_needs_its_public_address() {
        assert_eq!(mistakes(&[("ROLLCALL_LISTEN", "0.0.0.0:3000")]).len(), 1);
        assert!(
            mistakes(&[
                ("ROLLCALL_LISTEN", "0.0.0.0:3000"),
                ("ROLLCALL_PUBLIC_URL", "https://portal.example")
            ])
            .is_empty()
        );
    }

    #[test]
    fn the_data_folder_and_its_key_are_for_the_owner_alone_and_the_key_stays() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let config = read(&[("ROLLCALL_DATA_DIR", data.to_str().unwrap())]).unwrap();
        let key = config.key(&SystemRandom).unwrap();
        assert_eq!(config.key(&SystemRandom).unwrap(), key);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&data), mode(&data.join("key"))), (0o700, 0o600));
        assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert_eq!(parse_key(&format!(" {}\n", "0f".repeat(32))), Some([15; 32]));
        for text in ["", "0f", &"0g".repeat(32), &"é".repeat(32)] {
            assert_eq!(parse_key(text), None, "{text}");
        }
    }

    #[test]
    fn a_configuration_prints_no_secret() {
        let config = read(&[
            ("ROLLCALL_ADMIN_EMAIL", "a@x.example"),
            ("ROLLCALL_ADMIN_PASSWORD", "hunter2hunter2"),
            ("ROLLCALL_KEY", "abcdef"),
            ("ROLLCALL_METRICS_TOKEN", "scrape-me"),
        ]);
        let text = format!("{:?}", config.unwrap());
        assert!(["hunter2", "abcdef", "scrape-me"].iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

//! A secret and a token stay where they belong, even when the other side repeats them.

use std::{
    io,
    sync::{Arc, Mutex},
};

use directory::entra::{GraphError, PageLink};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Answer, SECRET, Server, credentials};

const BEARER: &str = "aaaa.bbbb.cccc";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn spoken(error: &GraphError) -> String {
    format!("{error} {error:?} {} {} {}", error.headline(), error.remedy(), error.detail())
}

fn assert_silent(text: &str) {
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    for hidden in [SECRET, encoded.as_str(), BEARER] {
        assert!(!text.contains(hidden), "{hidden:?} in {text}");
    }
}

#[tokio::test]
async fn neither_errors_nor_logs_repeat_a_secret_that_the_other_side_echoes() {
    let log = Log::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // While the process knows of one subscriber only, a message that another test's thread meets first is switched on or off by that thread.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start().await;
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let echo = |status| {
        Answer::new(
            status,
            format!(
                r#"{{"error":"{SECRET}","error_description":"AADSTS7000215: client_secret={encoded} or {SECRET}","error_codes":[7000215],
                    "trace_id":"{SECRET}","correlation_id":"{SECRET}"}}"#
            ),
        )
        .header("request-id", SECRET)
    };
    server.play_tokens([echo(401), Answer::new(503, SECRET), Answer::token(BEARER)]);
    let graph = server.client();
    let refused = graph.token().await.unwrap_err();
    assert!(refused.detail().contains("***"), "nothing was echoed: {}", refused.detail());
    assert_silent(&spoken(&refused));

    let echo = format!(r#"{{"error":{{"code":"{BEARER}","message":"Bearer {BEARER}"}}}}"#);
    let echo = |status| Answer::new(status, echo.clone()).header("request-id", BEARER);
    server.play([echo(500), echo(400)]);
    let refused = graph.users_page(&PageLink::First { select: "id".to_owned() }).await.unwrap_err();
    assert!(refused.headline().contains("***"), "nothing was echoed: {}", refused.headline());
    assert_silent(&spoken(&refused));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the directory answered") && log.contains("will be repeated"), "{log}");
    let ids: Vec<_> =
        server.asked().iter().map(|asked| asked.header("client-request-id").to_owned()).collect();
    assert!(ids.len() == 2 && ids.iter().all(|id| log.contains(id)), "every request can be found: {log}");
    assert_silent(&log);
}

#[test]
fn credentials_print_without_their_secret() {
    let text = format!("{:?}", credentials());
    assert!(text.contains("***"), "{text}");
    assert_silent(&text);
}

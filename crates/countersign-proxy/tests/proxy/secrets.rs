//! Nothing that a stranger could use is logged.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

use crate::support::{
    proxy::Proxy,
    raw::{exchange, status},
    signed::{SECRET, get, post, with_another_key},
    upstream::Upstream,
};

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

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Source: CVE-2023-30610.
#[tokio::test]
async fn no_secret_is_logged_at_any_level() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // All tests of this process log here from now on.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let upstream = Upstream::careless().await;
    let proxy = Proxy::verify_all(&upstream.url()).await;
    let honest = post("/a?token=query-value", b"body-value").with("cookie", "a=cookie-value");
    let refused = with_another_key("/a?token=query-value", b"body-value");
    let refused = refused
        .with("cookie", "a=cookie-value")
        .with("x-private", "header-value");
    let malformed = get("/a")
        .with("connection", "host")
        .with("x-private", "header-value");
    let mut secrets: Vec<String> = [
        SECRET,
        "query-value",
        "body-value",
        "cookie-value",
        "header-value",
    ]
    .map(str::to_owned)
    .to_vec();
    for (request, expected) in [
        (&honest, 200),
        (&honest, 401),
        (&refused, 401),
        (&malformed, 400),
    ] {
        let answer = exchange(proxy.addr(), &request.closing()).await;
        assert_eq!(status(&answer), expected, "{answer}");
        for name in ["authorization", "x-nonce"] {
            let (_, value) = request
                .headers
                .iter()
                .find(|(found, _)| found == name)
                .unwrap();
            secrets.push(value.rsplit('=').next().unwrap().to_owned());
        }
    }
    let log = log.0.lock().unwrap().clone();
    let log = String::from_utf8_lossy(&log);
    assert!(
        !log.contains(honest_signature(&honest)),
        "not even where a nonce is shown"
    );
    assert!(log.contains("replayed"), "the events are captured: {log}");
    for secret in secrets {
        // A used nonce is worth nothing, and tells an operator which request came twice.
        let mut lines = log
            .lines()
            .filter(|line| !line.contains("code=\"replayed\""));
        let line = lines.find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
}

fn honest_signature(request: &crate::support::signed::Signed) -> &str {
    let found = request
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    found.unwrap().1.rsplit('=').next().unwrap()
}

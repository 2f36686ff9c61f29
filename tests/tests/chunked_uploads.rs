//! Uploads of S3 clients: bodies in chunks, which the layer verifies and decodes in every mode.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests panic where a constant is wrong"
)]

use axum::{
    Router,
    body::{Body, Bytes},
    http::HeaderMap,
    routing::put,
};
use base64ct::{Base64, Encoding as _};
use countersign::{CallerKey, Keyring, Secret, SigV4VerifySettings, SigningKey, Verifier};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use sha2::{Digest as _, Sha256};
use tests::{client, directory::Directory, keys, server::Server, signed::AUTHORITY};
use tower_countersign::{BodyMode, SpillLimits, VerifyLayer};

const REGION: &str = "eu-central-1";
const DAY: &str = "20260102";
const DATE: &str = "20260102T030405Z";
const SECRET: &str = "a secret text of these tests that no other test has";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

fn mac(key: &[u8], data: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hash(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

/// A signer of one upload, written after the documentation of S3.
struct Upload {
    mode: &'static str,
    head: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Upload {
    /// Signs a PUT of `data` to `/`, in chunks of this size.
    fn new(mode: &'static str, data: &[u8], chunk: usize) -> Self {
        let mut headers = vec![
            ("host", AUTHORITY.to_owned()),
            ("x-amz-content-sha256", mode.to_owned()),
            ("x-amz-decoded-content-length", data.len().to_string()),
        ];
        if mode != SIGNED {
            headers.push(("x-amz-trailer", "x-amz-checksum-sha256".to_owned()));
        }
        Self::with(mode, headers, data, chunk)
    }

    fn with(
        mode: &'static str,
        mut headers: Vec<(&'static str, String)>,
        data: &[u8],
        chunk: usize,
    ) -> Self {
        headers.push(("x-amz-date", DATE.to_owned()));
        headers.sort();
        let mut lines = String::new();
        for (name, value) in &headers {
            lines.extend([*name, ":", value, "\n"]);
        }
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let request = format!("PUT\n/\n\n{lines}\n{names}\n{mode}");
        let scope = format!("{DAY}/{REGION}/s3/aws4_request");
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in [DAY, REGION, "s3", "aws4_request"] {
            key = mac(&key, part);
        }
        let sign =
            |kind: &str, rest: &str| hex(&mac(&key, &format!("{kind}\n{DATE}\n{scope}\n{rest}")));
        let mut previous = sign("AWS4-HMAC-SHA256", &hash(request.as_bytes()));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDUPLOADER/{scope}, SignedHeaders={names}, \
             Signature={previous}"
        );
        let mut body = Vec::new();
        for piece in data.chunks(chunk).chain([&[][..]]) {
            body.extend_from_slice(format!("{:x}", piece.len()).as_bytes());
            if mode != UNSIGNED_TRAILER {
                let rest = format!("{previous}\n{EMPTY}\n{}", hash(piece));
                previous = sign("AWS4-HMAC-SHA256-PAYLOAD", &rest);
                body.extend_from_slice(format!(";chunk-signature={previous}").as_bytes());
            }
            body.extend_from_slice(b"\r\n");
            if !piece.is_empty() {
                body.extend_from_slice(piece);
                body.extend_from_slice(b"\r\n");
            }
        }
        if mode != SIGNED {
            let checksum = Base64::encode_string(&Sha256::digest(data));
            let line = format!("x-amz-checksum-sha256:{checksum}");
            body.extend_from_slice(format!("{line}\r\n").as_bytes());
            if mode == SIGNED_TRAILER {
                let rest = format!("{previous}\n{}", hash(format!("{line}\n").as_bytes()));
                let signature = sign("AWS4-HMAC-SHA256-TRAILER", &rest);
                let line = format!("x-amz-trailer-signature:{signature}\r\n");
                body.extend_from_slice(line.as_bytes());
            }
        }
        body.extend_from_slice(b"\r\n");
        let mut head: Vec<_> = headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        head.push(("authorization".to_owned(), authorization));
        Self { mode, head, body }
    }

    fn coded(mut self, coding: &str) -> Self {
        let coding = ("content-encoding".to_owned(), coding.to_owned());
        self.head.push(coding);
        self
    }

    fn request(&self, split: Option<usize>) -> Request<Body> {
        let mut request = Request::put(format!("http://{AUTHORITY}/"));
        for (name, value) in self.head.iter().filter(|(name, _)| name != "host") {
            request = request.header(name, value);
        }
        let body = match split {
            None => Body::from(self.body.clone()),
            Some(at) => {
                let (first, second) = self.body.split_at(at);
                let pieces = [first, second].map(Bytes::copy_from_slice);
                let frames =
                    pieces.map(|piece| Ok::<_, std::io::Error>(http_body::Frame::data(piece)));
                Body::new(StreamBody::new(futures::stream::iter(frames)))
            }
        };
        request.body(body).unwrap()
    }
}

fn settings() -> SigV4VerifySettings {
    SigV4VerifySettings::new(REGION, "s3").unwrap()
}

fn layer(
    settings: SigV4VerifySettings,
    mode: BodyMode,
    directory: &Directory,
) -> VerifyLayer<Keyring> {
    let key = SigningKey::sigv4(&Secret::from_text(SECRET).unwrap());
    let key = CallerKey::new("1", key.verifying_key()).unwrap();
    let key = key.with_key_id("AKIDUPLOADER").unwrap();
    let key = key.with_nonce(countersign::NonceRule::Optional);
    let ring = Keyring::builder().caller("uploader", key).build().unwrap();
    let verifier = Verifier::builder().accept_only(settings);
    let verifier = verifier.expected_hosts([AUTHORITY]).build().unwrap();
    VerifyLayer::new(ring)
        .with_clock(|| keys::NOW)
        .with_verifier(verifier)
        .with_spill(SpillLimits::in_directory(directory.path()).unwrap())
        .with_body_mode(mode)
        .unwrap()
}

/// A service that returns the decoded body, and the headers that a handler could read it by.
async fn service(settings: SigV4VerifySettings, mode: BodyMode, directory: &Directory) -> Server {
    let handler = async |headers: HeaderMap, body: Bytes| {
        let shown = |name: &str| {
            let values = headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap());
            values.collect::<Vec<_>>().join("|")
        };
        let head = [
            "content-length",
            "content-encoding",
            "transfer-encoding",
            "x-amz-trailer",
            "x-amz-decoded-content-length",
        ];
        let head = head.map(shown).join(",");
        [head.as_bytes(), b"\n", &body[..]].concat()
    };
    let app = Router::new().route("/", put(handler));
    Server::axum(app.layer(layer(settings, mode, directory))).await
}

/// Returns the status, the line of headers, and the decoded body.
async fn send(server: &Server, upload: &Upload, split: Option<usize>) -> (u16, String, Vec<u8>) {
    let client = client::http1(server.addr());
    let answer = client.request(upload.request(split)).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let line = body.iter().position(|byte| *byte == b'\n');
    let (line, rest) = body.split_at(line.map_or(body.len(), |at| at + 1));
    let line = String::from_utf8_lossy(line).trim_end().to_owned();
    (status, line, rest.to_vec())
}

fn all() -> SigV4VerifySettings {
    settings().with_chunked().insecure_accept_unsigned_chunks()
}

const MODES: [BodyMode; 3] = [BodyMode::Buffer, BodyMode::Spill, BodyMode::Stream];
const KINDS: [&str; 3] = [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER];

fn data(length: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(length).collect()
}

#[tokio::test]
async fn the_handler_sees_the_decoded_body_in_every_mode() {
    let directory = Directory::new();
    for mode in MODES {
        let server = service(all(), mode, &directory).await;
        for kind in KINDS {
            for (length, chunk) in [(0, 1), (1, 1), (5_000, 1_000), (1_000_000, 65_536)] {
                let sent = data(length);
                for coding in [None, Some("aws-chunked")] {
                    let upload = Upload::new(kind, &sent, chunk);
                    let upload = match coding {
                        Some(coding) => upload.coded(coding),
                        None => upload,
                    };
                    let (status, line, found) = send(&server, &upload, None).await;
                    let name = format!("{mode:?}, {kind}, {length}, {coding:?}");
                    assert_eq!((status, line), (200, format!("{length},,,,")), "{name}");
                    assert!(found == sent, "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_body_may_arrive_in_pieces_that_end_anywhere() {
    let directory = Directory::new();
    let sent = data(30);
    for mode in MODES {
        let server = service(all(), mode, &directory).await;
        for kind in KINDS {
            let upload = Upload::new(kind, &sent, 12);
            for at in (1..upload.body.len()).step_by(7) {
                let (status, _, found) = send(&server, &upload, Some(at)).await;
                assert_eq!((status, &found), (200, &sent), "{mode:?}, {kind}, {at}");
            }
        }
    }
}

#[tokio::test]
async fn a_changed_body_is_refused_in_every_mode() {
    let directory = Directory::new();
    let sent = data(3_000);
    for mode in MODES {
        let server = service(all(), mode, &directory).await;
        for kind in KINDS {
            let upload = Upload::new(kind, &sent, 1_024);
            let length = upload.body.len();
            for at in [0, 90, 200, 1_500, length - 40, length - 1] {
                let mut changed = Upload::new(kind, &sent, 1_024);
                changed.body[at] ^= 1;
                let (status, line, _) = send(&server, &changed, None).await;
                let refused = (401, "{\"error\":\"body_mismatch\"}");
                assert_eq!((status, &*line), refused, "{mode:?}, {kind}, {at}");
            }
            let mut cut = Upload::new(kind, &sent, 1_024);
            cut.body.truncate(length - 2);
            assert_eq!(
                send(&server, &cut, None).await.0,
                401,
                "{mode:?}, {kind}: cut"
            );
            let mut more = Upload::new(kind, &sent, 1_024);
            more.body.push(b'x');
            assert_eq!(
                send(&server, &more, None).await.0,
                401,
                "{mode:?}, {kind}: more"
            );
        }
    }
}

#[tokio::test]
async fn each_kind_of_chunks_needs_its_switch_and_the_reason_names_it() {
    use tower::ServiceExt;
    let directory = Directory::new();
    for (kind, accepting, switch) in [
        (SIGNED, settings().with_chunked(), "with_chunked"),
        (SIGNED_TRAILER, settings().with_chunked(), "with_chunked"),
        (
            UNSIGNED_TRAILER,
            settings().insecure_accept_unsigned_chunks(),
            "insecure_accept_unsigned_chunks",
        ),
    ] {
        let upload = Upload::new(kind, b"data", 4);
        let other = if kind == UNSIGNED_TRAILER {
            settings().with_chunked()
        } else {
            settings().insecure_accept_unsigned_chunks()
        };
        for refusing in [settings(), other] {
            let app = Router::new().route("/", put(async || "run"));
            let app = app.layer(layer(refusing, BodyMode::Buffer, &directory));
            let answer = app.oneshot(upload.request(None)).await.unwrap();
            let refusal: &tower_countersign::Refusal = answer.extensions().get().unwrap();
            assert_eq!(refusal.code(), "malformed", "{kind}");
            let reason = refusal.to_string();
            assert!(reason.contains(switch), "{kind}: {refusal}");
            let start =
                "x-amz-content-sha256: expected the hash of the whole body, found STREAMING-";
            assert!(reason.starts_with(start), "{kind}: {refusal}");
        }
        let server = service(accepting, BodyMode::Buffer, &directory).await;
        assert_eq!(send(&server, &upload, None).await.0, 200, "{kind}");
    }
}

/// The kind of chunks is the signed `x-amz-content-sha256`, so it cannot be changed on the way.
#[tokio::test]
async fn a_relabelled_body_has_a_wrong_signature() {
    let directory = Directory::new();
    let server = service(all(), BodyMode::Buffer, &directory).await;
    for (from, to) in [
        (SIGNED_TRAILER, UNSIGNED_TRAILER),
        (UNSIGNED_TRAILER, SIGNED_TRAILER),
    ] {
        let mut upload = Upload::new(from, b"data", 4);
        for (name, value) in &mut upload.head {
            if name == "x-amz-content-sha256" {
                to.clone_into(value);
            }
        }
        let (status, line, _) = send(&server, &upload, None).await;
        let refused = (401, "{\"error\":\"invalid_signature\"}");
        assert_eq!((status, &*line), refused, "{from} as {to}, {}", upload.mode);
    }
}

#[tokio::test]
async fn a_coding_decides_nothing_and_is_refused_on_other_bodies() {
    let directory = Directory::new();
    let server = service(all(), BodyMode::Buffer, &directory).await;
    let headers = || {
        vec![
            ("host", AUTHORITY.to_owned()),
            ("x-amz-content-sha256", hash(b"data")),
        ]
    };
    let literal: &'static str = hash(b"data").leak();
    let mut plain = Upload::with(literal, headers(), b"data", 4);
    plain.body = b"data".to_vec();
    assert_eq!(send(&server, &plain, None).await.0, 200);
    let coded = plain.coded("aws-chunked");
    let (status, line, _) = send(&server, &coded, None).await;
    assert_eq!((status, &*line), (401, "{\"error\":\"malformed\"}"));
    // Another coding that is not signed would change what the bytes mean.
    let upload = Upload::new(SIGNED, b"data", 4).coded("gzip,aws-chunked");
    let (status, line, _) = send(&server, &upload, None).await;
    assert_eq!(
        (status, &*line),
        (401, "{\"error\":\"insufficient_coverage\"}")
    );
}

#[tokio::test]
async fn a_wrong_declaration_is_refused_before_the_body() {
    let directory = Directory::new();
    let server = service(all(), BodyMode::Buffer, &directory).await;
    let base = |mode: &'static str| {
        vec![
            ("host", AUTHORITY.to_owned()),
            ("x-amz-content-sha256", mode.to_owned()),
        ]
    };
    let length = "x-amz-decoded-content-length";
    let trailer = "x-amz-trailer";
    for (name, mode, headers) in [
        ("no length", SIGNED, vec![]),
        ("a sign", SIGNED, vec![(length, "+4")]),
        ("a leading zero", SIGNED, vec![(length, "04")]),
        ("two lengths", SIGNED, vec![(length, "4"), (length, "4")]),
        (
            "over 64 bits",
            SIGNED,
            vec![(length, "18446744073709551616")],
        ),
        (
            "a trailer of none",
            SIGNED,
            vec![(length, "4"), (trailer, "x-amz-checksum-sha256")],
        ),
        ("no trailer", SIGNED_TRAILER, vec![(length, "4")]),
        ("no trailer", UNSIGNED_TRAILER, vec![(length, "4")]),
        (
            "an unknown checksum",
            UNSIGNED_TRAILER,
            vec![(length, "4"), (trailer, "x-amz-checksum-md5")],
        ),
        (
            "a name twice",
            UNSIGNED_TRAILER,
            vec![(length, "4"), (trailer, "a,a")],
        ),
    ] {
        let mut all = base(mode);
        all.extend(
            headers
                .into_iter()
                .map(|(name, value)| (name, value.to_owned())),
        );
        let upload = Upload::with(mode, all, b"data", 4);
        let (status, line, _) = send(&server, &upload, None).await;
        assert_eq!(
            (status, &*line),
            (401, "{\"error\":\"malformed\"}"),
            "{name}"
        );
    }
    let wrong = Upload::with(
        SIGNED,
        [base(SIGNED), vec![(length, "5".to_owned())]].concat(),
        b"data",
        4,
    );
    let (status, line, _) = send(&server, &wrong, None).await;
    assert_eq!((status, &*line), (401, "{\"error\":\"body_mismatch\"}"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python and openssl"]
async fn boto3_uploads_over_tls_if_the_switch_is_set() {
    use serde_json::json;
    use tests::{certificates::Certificates, peer};

    let directory = Directory::new();
    let certificates = Certificates::new();
    let lengths = [0, 5 * 1_024, 20 * 1_024 * 1_024];
    for (accepting, expected) in [(all(), 200), (settings(), 401)] {
        for mode in [BodyMode::Spill, BodyMode::Stream] {
            let handler = async |headers: HeaderMap, mut body: Body| {
                let mut found = 0;
                while let Some(frame) = body.frame().await {
                    found += frame.unwrap().into_data().unwrap().len();
                }
                let declared = headers[http::header::CONTENT_LENGTH].to_str().unwrap();
                assert_eq!(found.to_string(), declared);
                [(http::header::ETAG, "\"an-etag\"")]
            };
            let layer = layer(accepting.clone(), mode, &directory);
            let layer = layer.with_clock(|| std::time::SystemTime::now().into());
            let layer = layer.with_verifier(
                Verifier::builder()
                    .accept_only(accepting.clone())
                    .build()
                    .unwrap(),
            );
            let app = Router::new().route("/bucket/key", put(handler));
            let server = Server::axum(app.layer(layer)).await;
            let config = json!({
                "server": server.authority(),
                "authority": certificates.path("ca.pem"),
                "certificate": certificates.path("server.pem"),
                "key": certificates.path("server.key"),
                "region": REGION,
                "access_key_id": "AKIDUPLOADER",
                "secret": SECRET,
                "lengths": lengths,
            });
            let python = std::env::var_os("COUNTERSIGN_PYTHON");
            let python = python.unwrap_or_else(|| "python3".into());
            let statuses = tokio::task::spawn_blocking(move || {
                let mut command = std::process::Command::new(python);
                command.arg(peer::path("python/s3_upload.py"));
                peer::json(command.env("PYTHONDONTWRITEBYTECODE", "1"), &config)
            });
            let statuses = statuses.await.unwrap();
            assert_eq!(statuses, json!([expected, expected, expected]), "{mode:?}");
        }
    }
}

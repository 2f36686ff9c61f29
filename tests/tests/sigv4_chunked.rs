//! The decoder of `aws-chunked` against two suites of bodies: the chain of signatures, and the
//! framing. Each body arrives in pieces that end at every place.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "tests are tables of constants, and panic where one is wrong"
)]

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use countersign::{
    ChunkedDecoder, Decoded, PayloadDigest, Rejection, RejectionKind, Secret, SigningKey,
    Timestamp, VerifyingKey,
};
use serde_json::Value;
use tests::vectors;

const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

fn key(secret: &str) -> VerifyingKey {
    SigningKey::sigv4(&Secret::from_text(secret).unwrap()).verifying_key()
}

/// Makes the decoder that a verifier makes of the case's head.
fn decoder(case: &Value) -> Result<ChunkedDecoder, Rejection> {
    let text = |name: &str| case[name].as_str().unwrap();
    let mode = text("content_sha256_header");
    let mut decoder = if mode == UNSIGNED_TRAILER {
        ChunkedDecoder::insecure_unsigned()
    } else {
        assert!([SIGNED, SIGNED_TRAILER].contains(&mode), "{mode}");
        let seed = base16ct::lower::decode_vec(text("seed_signature")).unwrap();
        let signed_at = Timestamp::from_unix_seconds(match text("timestamp") {
            "20130524T000000Z" => 1_369_353_600,
            "20130525T000000Z" => 1_369_440_000,
            other => panic!("{other}"),
        });
        let key = key(text("secret_access_key"));
        let seed = seed.try_into().unwrap();
        ChunkedDecoder::signed(&key, signed_at, text("region"), text("service"), seed).unwrap()
    };
    for name in trailer_names(case) {
        decoder = decoder.with_trailer(&name)?;
    }
    let length = case["x_amz_decoded_content_length"].as_str();
    if let Some(length) = length {
        decoder = decoder.with_decoded_length(length.parse().unwrap());
    } else if let Some(length) = case["decoded_length"].as_u64() {
        decoder = decoder.with_decoded_length(length);
    }
    Ok(decoder)
}

/// The names that `x-amz-trailer` declares. The suite of the chain lists the lines instead.
fn trailer_names(case: &Value) -> Vec<String> {
    if let Some(declared) = case["x_amz_trailer"].as_str() {
        return declared
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
    }
    let lines = case["trailer"]["headers"].as_array();
    let lines = lines.into_iter().flatten();
    lines
        .map(|line| line[0].as_str().unwrap().to_owned())
        .collect()
}

/// Decodes pieces. Returns what was released before the end, and the piece that was held back.
fn decode(
    decoder: Result<ChunkedDecoder, Rejection>,
    pieces: &[&[u8]],
) -> (Vec<u8>, Result<Vec<u8>, Rejection>) {
    let mut released = Vec::new();
    let mut decoder = match decoder {
        Ok(decoder) => decoder,
        Err(rejection) => return (released, Err(rejection)),
    };
    for piece in pieces {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Ok(Decoded::Data(data)) => released.extend_from_slice(&data),
                Ok(Decoded::NeedsMore) => break,
                Ok(other) => panic!("expected data or nothing, found {other:?}"),
                Err(rejection) => {
                    assert!(decoder.finish().is_err(), "a failed decoder was finished");
                    return (released, Err(rejection));
                }
            }
        }
    }
    let last = decoder.finish();
    (released, last.map(|last| last.to_vec()))
}

fn encoded(case: &Value) -> Vec<u8> {
    let text = case["encoded_body_b64"].as_str().unwrap();
    Base64::decode_vec(text).unwrap()
}

/// The ways in which a body arrives: at once, byte for byte, and in two pieces.
fn arrivals(body: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut arrivals = vec![vec![body], body.chunks(1).collect()];
    // Every place of small bodies, and every place around the framing of large ones.
    let places: Vec<usize> = if body.len() <= 2048 {
        (0..=body.len()).collect()
    } else {
        (0..200).chain(body.len() - 400..=body.len()).collect()
    };
    arrivals.extend(places.into_iter().map(|place| {
        let (first, second) = body.split_at(place);
        vec![first, second]
    }));
    arrivals
}

fn check(file: &str) {
    let Some(cases) = vectors::shared(file) else {
        return;
    };
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 20, "{file}: {} cases", cases.len());
    for case in cases {
        let id = case["id"].as_str().unwrap();
        let accepted = match case["expect"].as_str().unwrap() {
            "accept" => true,
            "reject" => false,
            other => panic!("{id}: {other}"),
        };
        let body = encoded(case);
        for pieces in arrivals(&body) {
            let (released, last) = decode(decoder(case), &pieces);
            match last {
                Ok(last) => {
                    assert!(accepted, "{id}: accepted");
                    let decoded = [released, last].concat();
                    if let Some(expected) = case["decoded_b64"].as_str() {
                        assert_eq!(decoded, Base64::decode_vec(expected).unwrap(), "{id}");
                    } else {
                        let expected = case["decoded_sha256"].as_str().unwrap();
                        assert_eq!(PayloadDigest::of(&decoded).to_string(), expected, "{id}");
                    }
                }
                Err(rejection) => {
                    assert!(!accepted, "{id}: {rejection:?}");
                    let kinds = [RejectionKind::BodyMismatch, RejectionKind::Malformed];
                    assert!(kinds.contains(&rejection.kind()), "{id}: {rejection:?}");
                    let complete = case["x_amz_decoded_content_length"].as_str();
                    if let Some(complete) = complete {
                        let complete: usize = complete.parse().unwrap();
                        assert!(released.len() < complete, "{id}: released a wrong whole");
                    }
                }
            }
        }
    }
}

#[test]
fn every_case_of_the_framing_is_decided_as_labelled_however_it_arrives() {
    check("aws-chunked/framing.json");
}

#[test]
fn every_case_of_the_chain_is_decided_as_labelled_however_it_arrives() {
    check("sigv4/s3_streaming.json");
}

/// A body of unsigned chunks with the right checksum.
fn unsigned(chunks: &[usize]) -> Vec<u8> {
    let mut body = Vec::new();
    for size in chunks {
        body.extend_from_slice(format!("{size:x}\r\n").as_bytes());
        body.resize(body.len() + size, b'a');
        body.extend_from_slice(b"\r\n");
    }
    let whole = "a".repeat(chunks.iter().sum());
    let hash = Base64::encode_string(PayloadDigest::of(whole.as_bytes()).as_bytes());
    body.extend_from_slice(format!("0\r\nx-amz-checksum-sha256:{hash}\r\n\r\n").as_bytes());
    body
}

fn sha256_decoder() -> Result<ChunkedDecoder, Rejection> {
    ChunkedDecoder::insecure_unsigned().with_trailer("x-amz-checksum-sha256")
}

#[test]
fn many_small_chunks_are_refused_and_few_are_accepted() {
    for (name, chunks, accepted) in [
        ("64 of one byte", vec![1; 64], true),
        ("65 of one byte", vec![1; 65], false),
        ("65 of 1 KiB", vec![1024; 65], true),
        (
            "64 of one byte and one that makes up for them",
            [vec![1; 64], vec![66_496]].concat(),
            true,
        ),
    ] {
        let body = unsigned(&chunks);
        let (_, last) = decode(sha256_decoder(), &[&body]);
        assert_eq!(last.is_ok(), accepted, "{name}: {last:?}");
    }
}

#[test]
fn a_body_of_another_length_than_declared_is_refused() {
    let body = unsigned(&[3, 4]);
    for (name, length, accepted) in [
        ("the length", 7, true),
        ("one byte less than declared", 8, false),
        ("one byte more than declared", 6, false),
        ("nothing declared to come", 0, false),
    ] {
        let decoder = sha256_decoder().map(|decoder| decoder.with_decoded_length(length));
        let (_, last) = decode(decoder, &[&body]);
        assert_eq!(last.is_ok(), accepted, "{name}: {last:?}");
    }
}

#[test]
fn lines_and_trailers_over_their_limits_are_refused_before_they_end() {
    let long_header = vec![b'1'; 300];
    let long_trailer = [b"0\r\n".as_slice(), &[b'a'; 5000]].concat();
    let mut many_lines = b"0\r\n".to_vec();
    for line in 0..20 {
        many_lines.extend_from_slice(format!("name-{line}:value\r\n").as_bytes());
    }
    for (name, body) in [
        ("a header without an end", long_header),
        ("a trailer without an end", long_trailer),
        ("many lines", many_lines),
    ] {
        let mut decoder = sha256_decoder().unwrap();
        let mut input = Bytes::from(body);
        assert!(decoder.decode(&mut input).is_err(), "{name}");
        assert!(decoder.finish().is_err(), "{name}");
    }
}

#[test]
fn a_signed_chunk_over_the_limit_is_refused_before_its_data() {
    let key = key("secret");
    let at = Timestamp::from_unix_seconds(1_369_353_600);
    let decoder = || ChunkedDecoder::signed(&key, at, "r", "s", [0; 32]).unwrap();
    let header = |size: u64| {
        let line = format!("{size:x};chunk-signature={}\r\n", "0".repeat(64));
        Bytes::from(line)
    };
    let mib = 1024 * 1024;
    for (name, mut decoder, size, accepted) in [
        ("the default", decoder(), mib, true),
        ("over the default", decoder(), mib + 1, false),
        ("4 GiB", decoder(), 4 << 30, false),
        ("set", decoder().with_max_chunk_bytes(10), 10, true),
        (
            "over what is set",
            decoder().with_max_chunk_bytes(10),
            11,
            false,
        ),
        (
            "over 16 MiB, whatever is set",
            decoder().with_max_chunk_bytes(u64::MAX),
            16 * mib + 1,
            false,
        ),
    ] {
        let found = decoder.decode(&mut header(size));
        assert_eq!(found.is_ok(), accepted, "{name}: {found:?}");
        assert_eq!(decoder.kept_bytes(), 0, "{name}");
    }
}

#[test]
fn a_trailer_that_no_verifier_can_check_is_refused_by_name() {
    for (name, accepted) in [
        ("x-amz-checksum-crc32", true),
        ("x-note", true),
        ("x-amz-checksum-md5", false),
        ("x-amz-checksum-xxhash64", false),
        ("x-amz-trailer-signature", false),
        ("X-Note", false),
        ("", false),
        ("a b", false),
    ] {
        let found = ChunkedDecoder::insecure_unsigned().with_trailer(name);
        assert_eq!(found.is_ok(), accepted, "{name}");
    }
    let twice = sha256_decoder()
        .unwrap()
        .with_trailer("x-amz-checksum-sha256");
    assert_eq!(twice.unwrap_err().kind(), RejectionKind::Malformed);
}

#[test]
fn a_key_of_another_scheme_decodes_nothing() {
    let secret = Secret::from_text("0123456789abcdef0123456789abcdef").unwrap();
    let other = SigningKey::hmac_sha256(&secret).verifying_key();
    let at = Timestamp::from_unix_seconds(1_369_353_600);
    assert!(ChunkedDecoder::signed(&other, at, "r", "s", [0; 32]).is_err());
    assert!(ChunkedDecoder::signed(&key("secret"), at, "r/s", "s", [0; 32]).is_err());
}

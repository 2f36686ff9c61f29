//! Bodies in chunks: their heads, and what their decoder refuses.

use bytes::Bytes;
use countersign::{ChunkedDecoder, Decoded, Rejection, Secret, SigningKey};
use tests::keys::NOW;

fn decoded(mut decoder: ChunkedDecoder, body: &str) -> Result<(), Rejection> {
    let mut input = Bytes::from(body.to_owned());
    while decoder.decode(&mut input)? != Decoded::NeedsMore {}
    decoder.finish().map(|_| ())
}

fn signed() -> ChunkedDecoder {
    let secret = Secret::from_text("a secret text of these tests that no other test has");
    let key = SigningKey::sigv4(&secret.unwrap()).verifying_key();
    ChunkedDecoder::signed(&key, NOW, "region", "service", [0; 32]).unwrap()
}

fn unsigned(trailers: &[&str]) -> ChunkedDecoder {
    trailers
        .iter()
        .fold(ChunkedDecoder::insecure_unsigned(), |decoder, name| {
            decoder.with_trailer(name).unwrap()
        })
}

const SHA256: &str = "x-amz-checksum-sha256";

pub(super) fn reasons() -> Vec<String> {
    let zeros = "0".repeat(64);
    let one = |signature: &str| format!("1;chunk-signature={signature}\r\nx\r\n");
    let many = "1\r\nx\r\n".repeat(65);
    let lines = format!("0\r\n{}", "a:b\r\n".repeat(10));
    let long = "1".repeat(300);
    let rows: Vec<(&str, ChunkedDecoder, String, &str)> = vec![
        ("more after the end", unsigned(&["a", SHA256]), "0\r\na:b\r\nx-amz-checksum-sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n\r\nx".to_owned(), "body: expected its end after the last chunk and the trailer, found more"),
        ("no last chunk", unsigned(&[SHA256]), "1\r\nx\r\n".to_owned(), "body: expected a last chunk of size 0 and a trailer, found the end of the body"),
        ("no size", unsigned(&[SHA256]), "x\r\n".to_owned(), "chunk header: expected a size in hexadecimal digits and at most a chunk-signature, found 1 bytes of another form"),
        ("no signature", signed(), "1\r\nx\r\n".to_owned(), "chunk header: expected a chunk-signature, as x-amz-content-sha256 says, found none"),
        ("a signature", unsigned(&[SHA256]), one(&zeros), "chunk header: expected no chunk-signature, as x-amz-content-sha256 says, found one"),
        ("small chunks", unsigned(&[SHA256]), many, "chunks: expected 1024 bytes on average after the first 64, found fewer"),
        ("a large chunk", signed(), format!("100001;chunk-signature={zeros}\r\n"), "chunk header: expected a signed chunk of at most 1048576 bytes, found 1048577; SigV4VerifySettings::with_max_chunk_bytes allows more"),
        ("another signature", signed(), one(&zeros), "chunk 1: expected the signature of its data and of the chunk before, found another"),
        ("another length", unsigned(&[SHA256]).with_decoded_length(2), "3\r\nxxx\r\n".to_owned(), "chunks: expected 2 bytes in all, as x-amz-decoded-content-length says, found 3"),
        ("no trailer line", unsigned(&[SHA256]), "0\r\nno colon\r\n".to_owned(), "trailer: expected a lower-case name, a colon and a value of visible ASCII, found 8 bytes of another form"),
        ("many lines", unsigned(&[SHA256]), lines, "trailer: expected at most 8 lines, found more"),
        ("a line too few", unsigned(&[SHA256]), "0\r\n\r\n".to_owned(), "trailer: expected 1 lines, as x-amz-trailer declares, found 0"),
        ("another name", unsigned(&[SHA256]), "0\r\na:b\r\n\r\n".to_owned(), "trailer: expected x-amz-checksum-sha256, as x-amz-trailer declares, found none"),
        ("another checksum", unsigned(&[SHA256]), "0\r\nx-amz-checksum-sha256:AA==\r\n\r\n".to_owned(), "trailer x-amz-checksum-sha256: expected the checksum of the decoded body, found another"),
        ("no checksum", unsigned(&["a"]), "0\r\na:b\r\n\r\n".to_owned(), "trailer: expected a checksum, because the chunks are not signed, found none"),
        ("a long line", unsigned(&[SHA256]), long, "body: expected a line of at most 256 bytes, found a longer one"),
        ("a bare line feed", unsigned(&[SHA256]), "1\nx".to_owned(), "body: expected lines that end with CRLF, found another end"),
    ];
    let mut reasons = Vec::new();
    for (name, decoder, body, expected) in rows {
        let found = decoded(decoder, &body).unwrap_err().to_string();
        assert_eq!(found, expected, "{name}");
        reasons.push(found);
    }
    let unknown = ChunkedDecoder::insecure_unsigned().with_trailer("x-amz-checksum-md5");
    reasons.push(unknown.unwrap_err().to_string());
    reasons
}

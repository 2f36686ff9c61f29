//! Decodes a body in the chunked coding (RFC 9112 section 7.1).

/// Decodes a whole body. Trailers are dropped, as signatures do not cover them.
pub(super) fn decode(mut rest: &[u8]) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(rest) else {
            return Err("expected the size of a chunk in hexadecimal digits".to_owned());
        };
        let size = usize::try_from(size).map_err(|_| "expected a smaller chunk".to_owned())?;
        if size == 0 {
            return Ok(body);
        }
        let end = start
            .checked_add(size)
            .ok_or_else(|| "expected a smaller chunk".to_owned())?;
        let chunk = rest
            .get(start..end)
            .ok_or_else(|| format!("expected a chunk of {size} bytes, found the end"))?;
        body.extend_from_slice(chunk);
        let after = rest.get(end..).unwrap_or_default();
        rest = after
            .strip_prefix(b"\r\n")
            .or_else(|| after.strip_prefix(b"\n"))
            .ok_or_else(|| "expected a line end after a chunk".to_owned())?;
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn chunks_are_joined() {
        assert_eq!(
            decode(b"1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n").unwrap(),
            b"abc"
        );
    }

    #[test]
    fn a_wrong_chunk_is_an_error() {
        for wrong in [
            "",
            "x\r\n",
            "2\r\na",
            "1\r\nab\r\n",
            "ffffffffffffffff\r\na",
            "1\r\na\r\n",
        ] {
            assert!(decode(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}

//! HTTP/1.1 by hand.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything here takes. It ends a test that hangs, and decides nothing else.
pub(crate) const HANGS: Duration = Duration::from_secs(20);

/// Sends bytes, ends the sending side if the peer should see that, and returns everything that the
/// server answers until it closes.
pub(crate) async fn exchange(addr: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    // A server that refuses early may have closed.
    let _: Result<(), _> = stream.write_all(request).await;
    until_closed(&mut stream).await
}

/// Reads until the server closes.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(HANGS, stream.read_to_end(&mut answer)).await;
    assert!(
        read.is_ok(),
        "the server did not close: {}",
        String::from_utf8_lossy(&answer)
    );
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one head.
pub(crate) async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(HANGS, stream.read_u8()).await;
        match byte.expect("a head arrives in time") {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// The status of an answer, 0 if there is none.
pub(crate) fn status(answer: &str) -> u16 {
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or(0)
}

/// The lines of a header in a head, by its exact name in lower case.
pub(crate) fn values<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    let head = head.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

//! Sends bytes over a new socket and reads the status of the answer, in bounded time.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// The longest head of an answer that is read, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// The bytes that are written at once.
const CHUNK: usize = 64 * 1024;

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// An answer with this status.
    Status(u16),
    /// The connection was closed without an answer.
    Closed,
    /// Nothing in the given time.
    Silence,
}

/// An exchange of one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    pub(super) address: SocketAddr,
    pub(super) timeout: Duration,
}

impl Exchange {
    /// Sends bytes and reads the status of the answer.
    ///
    /// # Errors
    ///
    /// If no connection can be opened.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<Reply> {
        let (mut stream, until) = self.connect()?;
        if write(&mut stream, bytes, until).is_err() {
            // The answer may have arrived before the connection was closed.
            return Ok(read_status(&mut stream, until));
        }
        Ok(read_status(&mut stream, until))
    }

    /// Sends a head, then zeros up to a length, until an answer arrives. Returns the answer and
    /// whether all bytes were taken.
    ///
    /// # Errors
    ///
    /// If no connection can be opened.
    pub(super) fn send_zeros(&self, head: &[u8], length: usize) -> io::Result<(Reply, bool)> {
        let (mut stream, until) = self.connect()?;
        let mut is_taken = write(&mut stream, head, until).is_ok();
        let zeros = vec![0; CHUNK];
        let mut left = length;
        while is_taken && left > 0 {
            let chunk = zeros.get(..left).unwrap_or(&zeros);
            is_taken = write(&mut stream, chunk, until).is_ok() && !has_answer(&stream);
            left = left.saturating_sub(chunk.len());
        }
        Ok((read_status(&mut stream, until), is_taken && left == 0))
    }

    fn connect(&self) -> io::Result<(TcpStream, Instant)> {
        let stream = TcpStream::connect_timeout(&self.address, self.timeout)?;
        stream.set_nodelay(true)?;
        let now = Instant::now();
        Ok((stream, now.checked_add(self.timeout).unwrap_or(now)))
    }
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

fn write(stream: &mut TcpStream, bytes: &[u8], until: Instant) -> io::Result<()> {
    for chunk in bytes.chunks(CHUNK) {
        stream.set_write_timeout(Some(left(until)?))?;
        stream.write_all(chunk)?;
    }
    Ok(())
}

/// Returns whether an answer, or the end of the connection, can be read.
fn has_answer(stream: &TcpStream) -> bool {
    if stream.set_nonblocking(true).is_err() {
        return true;
    }
    let peeked = stream.peek(&mut [0]);
    let is_blocking_again = stream.set_nonblocking(false).is_ok();
    let is_waiting = peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    !(is_waiting && is_blocking_again)
}

/// Reads the status of the first answer that is not an interim one.
fn read_status(stream: &mut TcpStream, until: Instant) -> Reply {
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(status) = final_status(&read) {
            return Reply::Status(status);
        }
        let Ok(left) = left(until) else {
            return Reply::Silence;
        };
        if read.len() > MAX_HEAD || stream.set_read_timeout(Some(left)).is_err() {
            return Reply::Closed;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Reply::Closed,
            Ok(length) => read.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Reply::Silence,
                io::ErrorKind::Interrupted => {}
                _ => return Reply::Closed,
            },
        }
    }
}

/// Returns the status of the first complete head that is not an interim answer.
fn final_status(read: &[u8]) -> Option<u16> {
    let mut rest = read;
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 128];
        let mut answer = httparse::Response::new(&mut headers);
        let length = match answer.parse(rest).ok()? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return None,
        };
        match answer.code? {
            100..=199 => rest = rest.get(length..)?,
            status => return Some(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interim_answers_are_passed_over() {
        for (read, status) in [
            ("HTTP/1.1 200 OK\r\n\r\n", Some(200)),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\na: b\r\n\r\n",
                Some(401),
            ),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("HTTP/1.1 401 No\r\na: b", None),
            ("SSH-2.0", None),
        ] {
            assert_eq!(final_status(read.as_bytes()), status, "{read}");
        }
    }
}

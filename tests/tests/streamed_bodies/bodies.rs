//! HTTP/1.1 and HTTP/2, frames of one byte and of hundreds of kilobytes, and a large body.

use std::convert::Infallible;

use bytes::Bytes;
use countersign::{PayloadDigest, Timestamp};
use http::{HeaderMap, Request};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tests::{client, signed};

use super::{body, uploads};

#[tokio::test]
async fn both_versions_and_every_size_of_frame_have_one_outcome() {
    for is_http2 in [false, true] {
        for (length, frame) in [(200, 1), (3_000, 7), (900_000, 417_792), (900_000, 900_000)] {
            for (flip, has_trailers) in [(None, false), (None, true), (Some(length - 1), false)] {
                let name = format!("http2 {is_http2}, {length} in {frame}, {flip:?}");
                let (server, store) = uploads::service().await;
                let declared = body(length);
                let mut sent = declared.to_vec();
                if let Some(at) = flip {
                    sent[at] ^= 1;
                }
                let trailers = has_trailers.then(|| Frame::trailers(HeaderMap::new()));
                let frames: Vec<_> = sent
                    .chunks(frame)
                    .map(|piece| Frame::data(Bytes::copy_from_slice(piece)))
                    .chain(trailers)
                    .map(Ok::<_, Infallible>)
                    .collect();
                let request = Request::put(format!("http://{}/upload", signed::AUTHORITY));
                let (mut parts, ()) = request.body(()).unwrap().into_parts();
                let now = Timestamp::from(std::time::SystemTime::now());
                let signature = signed::billing().sign(&parts, PayloadDigest::of(&declared), now);
                signature.unwrap().apply(&mut parts);
                let request =
                    Request::from_parts(parts, StreamBody::new(futures::stream::iter(frames)));
                let answer = if is_http2 {
                    client::http2(server.addr()).request(request).await
                } else {
                    client::http1(server.addr()).request(request).await
                };
                let answer = answer.unwrap();
                let status = answer.status().as_u16();
                let text = answer.into_body().collect().await.unwrap().to_bytes();
                if flip.is_none() {
                    assert_eq!(status, 201, "{name}: {text:?}");
                    assert!(store.committed().is_some_and(|found| found == declared));
                } else {
                    assert_eq!(status, 401, "{name}: {text:?}");
                    assert!(store.committed().is_none(), "{name}");
                    assert!(store.staged().len() < length, "{name}");
                }
            }
        }
    }
}

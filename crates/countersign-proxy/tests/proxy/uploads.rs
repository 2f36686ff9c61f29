//! Uploads that take their time.

use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{
    proxy::{HOST, KEYS, Proxy},
    raw::{status, until_closed},
    signed::{get, post, with_another_key},
    upstream::Upstream,
};

/// The memory of this process in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn proxy(upstream: &Upstream) -> Proxy {
    Proxy::of(&format!(
        "{KEYS}limits = {{ connections = {{ per_address = 1000 }} }}\n[[verify]]\n\
         listen = \"127.0.0.1:0\"\nupstream = \"{}\"\nexpected_hosts = [\"{HOST}\"]\n\
         allow_every_caller = true\n",
        upstream.url()
    ))
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the process for itself"]
async fn two_hundred_slow_uploads_of_strangers_take_no_memory() {
    let upstream = Upstream::careless().await;
    let proxy = proxy(&upstream).await;
    let before = resident();
    let mut clients = Vec::new();
    for _ in 0..200 {
        let mut request = with_another_key("/a", b"");
        request = request.with("content-length", "10485760");
        let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
        client.write_all(&request.bytes()).await.unwrap();
        let _: Result<(), _> = client.write_all(&vec![b'a'; 32 * 1024]).await;
        clients.push(client);
    }
    for client in &mut clients {
        let answer = until_closed(client).await;
        assert_eq!(status(&answer), 401, "{answer}");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_honest_uploads_fill_their_memory_and_no_more() {
    let upstream = Upstream::careless().await;
    let proxy = proxy(&upstream).await;
    let body = vec![b'a'; 2 * 1024 * 1024];
    let whole = post("/a", &body);
    let mut clients = Vec::new();
    // One caller may hold 32 MiB: 16 such bodies. All of them stop one byte before the end.
    for _ in 0..20 {
        let request = post("/a", &body).bytes();
        let mut client = TcpStream::connect(proxy.addr()).await.unwrap();
        let sent = client.write_all(&request[..request.len() - 1]).await;
        clients.push((client, sent.is_ok()));
    }
    let mut full = 0;
    // The first answers come while the others still wait.
    for (client, _) in &mut clients {
        let answer = tokio::time::timeout(
            std::time::Duration::from_millis(200),
            crate::support::raw::head(client),
        );
        if let Ok(answer) = answer.await {
            assert_eq!(status(&answer), 503, "{answer}");
            full += 1;
        }
    }
    assert!((4..=6).contains(&full), "{full} of 20 found no memory");
    // Others are served meanwhile.
    let answer = crate::support::raw::exchange(proxy.addr(), &get("/small").closing()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    drop(clients);
    let mut answer = String::new();
    for _ in 0..100 {
        answer = crate::support::raw::exchange(proxy.addr(), &whole.closing()).await;
        if status(&answer) != 503 {
            break;
        }
    }
    assert_eq!(status(&answer), 200, "the memory is free again: {answer}");
}

use super::*;

#[test]
fn a_command_is_read_as_curl_sends_it() {
    for (command, method, target, host, body) in [
        ("curl http://a", "GET", "/", "a", ""),
        ("curl a:8081/x?y#z", "GET", "/x?y", "a:8081", ""),
        ("curl http://a:80/", "GET", "/", "a", ""),
        ("curl https://a:443/", "GET", "/", "a", ""),
        ("curl https://a:80/", "GET", "/", "a:80", ""),
        ("curl http://[::1]:8/", "GET", "/", "[::1]:8", ""),
        ("curl -XPUT -d a -d b http://a", "PUT", "/", "a", "a&b"),
        ("curl -sSd a http://a", "POST", "/", "a", "a"),
        ("curl -G -d x=1 http://a/?b", "GET", "/?b&x=1", "a", ""),
        ("curl -I http://a", "HEAD", "/", "a", ""),
        ("curl http://a/b/../c/./d//e", "GET", "/c/d//e", "a", ""),
        ("curl http://a/b/..", "GET", "/", "a", ""),
        (
            "curl --path-as-is http://a/b/../c",
            "GET",
            "/b/../c",
            "a",
            "",
        ),
        ("curl -H 'Host: b' http://a", "GET", "/", "b", ""),
        ("curl --data-raw '@x' http://a", "POST", "/", "a", "@x"),
        (
            "curl --data-urlencode 'a=b c&' http://a",
            "POST",
            "/",
            "a",
            "a=b+c%26",
        ),
        ("curl --json '{}' http://a", "POST", "/", "a", "{}"),
        ("curl -g 'http://a/{b}'", "GET", "/{b}", "a", ""),
        ("curl --request-target '*' http://a", "GET", "*", "a", ""),
    ] {
        let (parts, found, _) = read(command.as_bytes()).unwrap();
        assert_eq!(parts.method, method, "{command}");
        assert_eq!(parts.uri, target, "{command}");
        assert_eq!(parts.headers["host"], host, "{command}");
        assert_eq!(found.unwrap(), body.as_bytes(), "{command}");
    }
}

#[test]
fn headers_are_set_emptied_and_removed() {
    let command = "curl -H 'X-A: 1' -H 'X-B;' -H 'Accept:' -u u:p -A me -d x http://a";
    let (parts, _, _) = read(command.as_bytes()).unwrap();
    let headers = &parts.headers;
    assert_eq!(headers["x-a"], "1");
    assert_eq!(headers["x-b"], "");
    assert!(!headers.contains_key("accept"));
    assert_eq!(headers["authorization"], "Basic dTpw");
    assert_eq!(headers["user-agent"], "me");
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(headers["content-length"], "1");
}

#[test]
fn what_the_command_does_not_hold_is_an_error() {
    for command in [
        "curl",
        "curl http://a http://b",
        "curl -d @file http://a",
        "curl -H @file http://a",
        "curl -T file http://a",
        "curl -K file http://a",
        "curl -b jar http://a",
        "curl -F a=b http://a",
        "curl --aws-sigv4 aws:amz:r:s http://a",
        "curl -G --data-urlencode 'a=b c' http://a",
        "curl --unheard-of http://a",
        "curl -Q http://a",
        "curl -X",
        "curl 'http://a/[1-3]'",
        "curl ftp://a/",
        "curl http:///x",
        "curl -H 'no colon' http://a",
        "curl 'http://a/b c'",
        "wget http://a",
    ] {
        assert!(read(command.as_bytes()).is_err(), "{command}");
    }
}

// Signs one request in HMAC-SHA256 or ED25519 and sends it. Run with:
// CALLER=billing KEY=<64 hex digits> URL=http://127.0.0.1:8081/api/account/7 go run sign.go
package main

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

type header struct{ name, value string }

// sign returns the canonical request and the headers to send. No nonce: the three-header layout.
func sign(scheme string, key []byte, caller, method, host, target string, body []byte,
	date, nonce string, further []header) (string, []header) {
	digest := fmt.Sprintf("%x", sha256.Sum256(body))
	headers := []header{{"x-date", date}, {"x-content-sha256", digest}}
	if nonce != "" {
		headers = append(headers, header{"x-nonce", nonce})
	}
	headers = append(headers, further...)
	text, names := method+"\n"+target+"\nhost:"+host+"\n", "host"
	for _, h := range headers {
		text += h.name + ":" + h.value + "\n"
		names += ";" + h.name
	}
	text += "\n" + names + "\n" + digest
	var signature []byte
	if scheme == "ED25519" {
		signature = ed25519.Sign(ed25519.NewKeyFromSeed(key), []byte(text))
	} else {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		signature = mac.Sum(nil)
	}
	return text, append(headers, header{"authorization", fmt.Sprintf(
		"%s credential=%s, signed-headers=%s, signature=%x", scheme, caller, names, signature)})
}

func main() {
	scheme, body, nonce := os.Getenv("SCHEME"), os.Getenv("BODY"), make([]byte, 16)
	if scheme == "" {
		scheme = "HMAC-SHA256"
	}
	must(rand.Read(nonce))
	key := must(hex.DecodeString(os.Getenv("KEY")))
	request := must(http.NewRequest(os.Getenv("METHOD"), os.Getenv("URL"), strings.NewReader(body)))
	var further []header
	if body != "" {
		further = []header{{"content-type", "application/json"}}
	}
	_, headers := sign(scheme, key, os.Getenv("CALLER"), request.Method, request.Host,
		request.URL.RequestURI(), []byte(body), time.Now().UTC().Format(http.TimeFormat),
		fmt.Sprintf("%x", nonce), further)
	for _, h := range headers {
		request.Header.Set(h.name, h.value)
	}
	response := must(http.DefaultClient.Do(request))
	fmt.Println(string(must(io.ReadAll(response.Body))), response.StatusCode)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

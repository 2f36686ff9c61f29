// Signs every case of a sign file of ../../vectors with sign.go: go run sign.go vectors.go
//
// Standard input: the file.
// Standard output: a JSON array of {"canonical_request", "headers"}, one for each case.
package main

import (
	"encoding/hex"
	"encoding/json"
	"os"
)

type vector struct {
	Caller       string
	KeyHex       string `json:"key_hex"`
	Method       string
	Target       string
	Host         string
	XDate        string `json:"x_date"`
	Nonce        string
	ContentType  *string     `json:"content_type"`
	ExtraHeaders [][2]string `json:"extra_headers"`
	Body         []byte      `json:"body_b64"`
}

// init takes the place of the main function of sign.go.
func init() {
	var file struct {
		Scheme string
		Cases  []vector
	}
	must(0, json.NewDecoder(os.Stdin).Decode(&file))
	answers := []map[string]any{}
	for _, each := range file.Cases {
		var further []header
		if each.ContentType != nil {
			further = append(further, header{"content-type", *each.ContentType})
		}
		for _, extra := range each.ExtraHeaders {
			further = append(further, header{extra[0], extra[1]})
		}
		key := must(hex.DecodeString(each.KeyHex))
		text, headers := sign(file.Scheme, key, each.Caller, each.Method, each.Host, each.Target,
			each.Body, each.XDate, each.Nonce, further)
		byName := map[string]string{}
		for _, h := range headers {
			byName[h.name] = h.value
		}
		answers = append(answers, map[string]any{"canonical_request": text, "headers": byName})
	}
	must(0, json.NewEncoder(os.Stdout).Encode(answers))
	os.Exit(0)
}

#!/usr/bin/env bash
# Signs one request in HMAC-SHA256 or ED25519 and sends it. Run with:
# CALLER=billing KEY=<64 hex digits> URL=http://127.0.0.1:8081/api/account/7 bash sign.sh
# openssl takes an HMAC key as an argument, which other users of the machine can see.
set -euo pipefail

# sign METHOD HOST TARGET BODY_FILE DATE NONCE [NAME:VALUE...] sets TEXT, the canonical request, and
# HEADERS, the headers to send. No nonce: the three-header layout.
sign() {
    local digest names signature
    digest=$(openssl dgst -sha256 -r "$4" | cut -d ' ' -f 1)
    HEADERS=("host:$2" "x-date:$5" "x-content-sha256:$digest" ${6:+"x-nonce:$6"} "${@:7}")
    names=$(IFS=';' && printf %s "${HEADERS[*]%%:*}")
    TEXT=$(printf '%s\n' "$1" "$3" "${HEADERS[@]}" '' "$names" "$digest")
    printf %s "$TEXT" >"$FOLDER/text"
    if [[ $SCHEME == ED25519 ]]; then
        # PKCS #8 (RFC 8410 section 7) is a fixed start and the seed.
        printf %b "$(sed 's/../\\x&/g' <<<"302e020100300506032b657004220420$KEY")" \
            >"$FOLDER/key"
        openssl pkeyutl -sign -rawin -in "$FOLDER/text" -inkey "$FOLDER/key" -keyform DER
    else
        openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary "$FOLDER/text"
    fi >"$FOLDER/signature"
    signature=$(od -An -v -tx1 "$FOLDER/signature" | tr -d ' \n')
    HEADERS+=("authorization:$SCHEME credential=$CALLER, signed-headers=$names, \
signature=$signature")
}

SCHEME=${SCHEME:-HMAC-SHA256}
FOLDER=$(mktemp -d)
trap 'rm -rf -- "$FOLDER"' EXIT
if [[ $0 == "${BASH_SOURCE[0]}" ]]; then
    HOST=${URL#*://} && HOST=${HOST%%/*}
    printf %s "${BODY:-}" >"$FOLDER/body"
    sign "${METHOD:-GET}" "$HOST" "${URL#*://"$HOST"}" "$FOLDER/body" \
        "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S GMT')" "$(openssl rand -hex 16)" \
        ${BODY:+content-type:application/json}
    curl --silent --show-error --path-as-is --request "${METHOD:-GET}" "${HEADERS[@]/#/-H}" \
        ${BODY:+--data-binary "@$FOLDER/body"} --write-out ' %{http_code}\n' "$URL"
fi

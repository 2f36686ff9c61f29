use std::fmt;

/// The side where a mistake is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Side {
    /// At the service that signs.
    Caller,
    /// At the service that verifies.
    Callee,
    /// At a proxy, gateway or library between the two.
    Between,
}

impl Side {
    /// Returns the name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
            Self::Between => "between",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Defines [`Cause`] from its table.
macro_rules! causes {
    ($( $Cause:ident $code:literal $Side:ident $meaning:literal $remedy:literal )+) => {
        /// A known mistake that makes a signature fail.
        ///
        /// The set is fixed, so that a cause can be a metric label. The order is that of the groups
        /// in the documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $( #[doc = $meaning] $Cause, )+
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[ $( Self::$Cause, )+ ];

            /// Returns the code, in lower case with underscores. Codes do not change between
            /// releases.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$Cause => $code, )+ }
            }

            /// Describes the mistake in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $( Self::$Cause => $meaning, )+ }
            }

            /// Describes the correction in one sentence.
            pub const fn remedy(self) -> &'static str {
                match self { $( Self::$Cause => $remedy, )+ }
            }

            /// Returns the side that must make the correction.
            pub const fn side(self) -> Side {
                match self { $( Self::$Cause => Side::$Side, )+ }
            }
        }
    };
}

causes! {
    UnknownCaller "unknown_caller" Callee
        "The name or key id in the request is not in the keyring."
        "Add the caller to the keyring, or correct the name at the caller."
    CallerName "caller_name" Caller
        "The name in the request is unknown, and the signature is right for a key of another name."
        "Send the name, or the key id, that belongs to the key."
    NoKeyOfScheme "no_key_of_scheme" Callee
        "The caller has no key of the scheme that the request is signed in."
        "Add a key of this scheme, or have the caller sign in the scheme of its key."
    SchemeName "scheme_name" Caller
        "The case of the scheme name is wrong."
        "Write the scheme name exactly as in the specification."
    SchemeNotAccepted "scheme_not_accepted" Callee
        "The request is signed in a scheme that the verifier does not accept."
        "Accept the scheme with `VerifierBuilder::accept`, or sign in an accepted one."
    Clock "clock" Caller
        "The signature is right, but its date is too far from the verifier's clock."
        "Synchronize both clocks, and sign each request just before sending it."
    TimeZone "time_zone" Caller
        "The signature is right, but its date is local time written as UTC."
        "Write the date in UTC."
    Milliseconds "milliseconds" Caller
        "The timestamp counts milliseconds; the scheme counts seconds."
        "Divide the timestamp by 1000 before signing."
    DateForm "date_form" Caller
        "The date is signed or sent in a form that the scheme does not use."
        "Write the date in the form of the scheme, and sign the text that is sent."
    DateOther "other_date" Caller
        "The signed date differs from the date header."
        "Read the clock once, and use that time for the header and for the signed text."
    ScopeDate "scope_date" Caller
        "The day in the credential scope differs from the signed date."
        "Take the day of the scope from the signed date, in UTC."
    HostNotExpected "host_not_expected" Callee
        "The signature is right, but the host is not one of the verifier's expected hosts."
        "Add the host to the expected hosts, or send the request to an expected one."
    HostWithoutPort "host_without_port" Caller
        "The caller signed the host without its port."
        "Sign the host as sent, or set `HostForm::StripPort` at the verifier."
    HostWithPort "host_with_port" Caller
        "The caller signed the host with a port that the request does not carry."
        "Sign the host as sent: clients omit the default port."
    HostCase "host_case" Caller
        "The caller signed the host in another case than it sent."
        "Sign the host exactly as sent, in lower case."
    OtherHost "other_host" Between
        "The caller signed a host that differs from the host that arrived."
        "Have the proxy forward the client's host, or sign the host that arrives."
    SchemeOfUri "uri_scheme" Callee
        "The caller signed `http` for an `https` request, or the reverse."
        "Set the scheme that clients use with `MessageSignaturesVerifySettings::with_scheme`."
    MethodCase "method_case" Caller
        "The caller signed the method in another case than it sent."
        "Sign and send the method in upper case."
    OtherMethod "other_method" Between
        "The caller signed a method that differs from the method that arrived."
        "Sign the method that is sent, and have no proxy or redirect change it."
    PathPrefixStripped "path_prefix_stripped" Between
        "The caller signed a path prefix that a proxy removed."
        "Have the proxy forward the whole path, or sign the path without the prefix."
    PathPrefixAdded "path_prefix_added" Between
        "A proxy added a prefix to the path that the caller signed."
        "Have the proxy forward the path unchanged, or sign the path with the prefix."
    TrailingSlash "trailing_slash" Between
        "The signed path and the sent path differ by a trailing slash."
        "Sign the path that is sent, and disable redirects and rewrites of slashes."
    PathNormalized "path_normalized" Between
        "The caller signed the path with dot segments and double slashes resolved."
        "Send the path in the form that is signed."
    PathDecoded "path_decoded" Caller
        "The caller decoded the percent escapes of the path before signing."
        "Sign the path exactly as in the request line."
    PathEncodedAgain "path_encoded_again" Caller
        "The caller encoded the path twice before signing."
        "Sign the path exactly as in the request line."
    PathEncoding "path_encoding" Caller
        "The percent escapes of the path differ between the signed and the sent form."
        "Sign the path exactly as in the request line."
    SigV4Encoding "sigv4_path_encoding" Callee
        "The caller encodes or normalizes the path by the other SigV4 rule."
        "Set `SigV4VerifySettings::with_path_encoding` and `with_path_normalization` as the caller \
        does."
    StrictTarget "strict_target" Callee
        "The signature is right, but the verifier refuses targets that can be read in two ways."
        "Send the path and query in canonical form, or accept them by a setting of the family."
    QueryLeftOut "query_left_out" Caller
        "The caller signed the request without its query."
        "Sign the query as sent."
    QueryEmpty "query_empty" Caller
        "The signed and the sent target differ by a question mark with nothing after it."
        "Sign the target exactly as sent."
    QueryOrder "query_order" Between
        "The caller signed the parameters of the query in another order."
        "Sign the query as sent, and have no proxy reorder it."
    QueryPlus "query_plus" Caller
        "A space in the query is a plus sign on one side and `%20` on the other."
        "Write spaces in the query as `%20`, in the signed text and on the wire."
    QueryEquals "query_equals" Caller
        "A parameter without a value is written with `=` on one side and without on the other."
        "Sign the query exactly as sent."
    QueryEncoding "query_encoding" Caller
        "The percent escapes of the query differ between the signed and the sent form."
        "Sign the query exactly as in the request line."
    ContentType "content_type" Between
        "The caller signed a content type that differs from the one on arrival."
        "Set the content type with its parameters before signing."
    HeaderRemoved "header_removed" Between
        "A covered header was removed in transit."
        "Do not cover the header, or have the proxy forward it."
    HeaderRewritten "header_rewritten" Between
        "A covered header was rewritten in transit."
        "Do not cover headers that proxies change, or have the proxy forward it unchanged."
    HeaderLines "header_lines" Between
        "A covered header arrived on several lines and was signed as one, or the reverse."
        "Send a covered header once, on one line."
    HeaderItems "header_items" Between
        "The items of a covered header were reordered or spaced differently."
        "Do not cover the header, or have the proxy forward it unchanged."
    HeaderSpaces "header_spaces" Caller
        "The caller signed a header value with other white space than it sent."
        "Trim the value, and sign the text that is sent."
    HeaderCase "header_case" Caller
        "The caller signed a header value in another case than it sent."
        "Sign the value exactly as sent."
    HeaderOrder "header_order" Caller
        "The caller signed the header lines in another order or another form."
        "Sign header lines in the listed order, as `name:value` with the name in lower case."
    HeaderNotCovered "header_not_covered" Caller
        "The signature is right, but it does not cover everything that it must."
        "Cover the item that the refusal names."
    NonceMissing "nonce_missing" Caller
        "The signature is right, but the key requires a covered nonce and there is none."
        "Send a nonce and cover it, or exempt the key from nonces."
    RouteNotListed "route_not_listed" Callee
        "The signature is right, but the settings list no such request for its sender."
        "Add the route to the family of the sender."
    BodyHashedAsEmpty "body_hashed_as_empty" Caller
        "The caller signed the hash of an empty body."
        "Hash the sent bytes of the body, not a stream that was already read."
    BodyEmpty "body_empty" Between
        "The caller signed a body, but an empty one arrived."
        "Find out what dropped the body: a redirect, a proxy, or a handler before the verifier."
    BodyLineEnd "body_line_end" Caller
        "The signed and the sent body differ by a final line end."
        "Sign the exact bytes that are sent."
    BodyLineEnds "body_line_ends" Between
        "The line ends in the body were changed between LF and CRLF."
        "Send the body as binary, and sign the exact bytes that are sent."
    BodyReserialized "body_reserialized" Between
        "The body is the same JSON with other white space or another order."
        "Verify the received bytes before parsing JSON, and sign the bytes that are sent."
    BodyDecompressed "body_decompressed" Between
        "The body is declared as compressed but is not: something decompressed it."
        "Verify before decompression, or sign the body before compression."
    PayloadUnsigned "payload_unsigned" Callee
        "The signature is right, but it does not cover the body."
        "Have the caller sign the hash of the body, or accept unsigned payloads in the settings."
    ContentHashForm "content_hash_form" Caller
        "The hash of the body is in an encoding that the scheme does not use."
        "Write the hash in the encoding of the scheme, for SHA-256 in hex as 64 lower-case digits."
    OtherBody "other_body" Between
        "The signature is right, but the body differs from the signed one."
        "Compare the bytes that were sent with the bytes that arrived."
    SignatureEncoding "signature_encoding" Caller
        "The signature is right, but in an encoding that the scheme does not use."
        "Write the signature in the encoding of the scheme."
    TextLineEnds "text_line_ends" Caller
        "The caller signed the text with other line ends, or with an extra one at its end."
        "Join the lines with LF, with none after the last."
    TextForm "text_form" Caller
        "The caller signed the text in a layout that the scheme does not use."
        "Build the signed text as the scheme specifies."
    SignatureParams "signature_params" Caller
        "The caller serialized the signature parameters differently from RFC 9651."
        "Serialize the last line of the base by RFC 9421 section 2.3."
    Algorithm "algorithm" Caller
        "The signature is right, but its `alg` or the settings name another algorithm."
        "Omit `alg`, or name the algorithm of the key."
    Region "region" Caller
        "The signature is right for another region."
        "Use the region of the verifier's settings."
    Service "service" Caller
        "The signature is right for another service."
        "Use the service of the verifier's settings."
    SessionToken "session_token" Caller
        "The signature is right, but the session token is absent or differs from the key's."
        "Send and sign the session token that was issued with the key."
    PresignedNotAccepted "presigned_not_accepted" Callee
        "The signature is right, but the verifier does not accept it in a URL."
        "Accept presigned requests with `SigV4VerifySettings::with_presigned`, or sign in the \
        header."
    KeyNotInForce "key_not_in_force" Caller
        "The signature is right for a key of the caller that is not in force."
        "Move the caller to its current key, or put this key in force."
    SecretAsText "secret_as_text" Caller
        "One side took the text of the secret as the key; the other decoded it."
        "Read the secret in the same encoding on both sides."
    SecretAsHex "secret_as_hex" Caller
        "One side decoded the secret from hexadecimal digits; the other did not."
        "Read the secret in the same encoding on both sides."
    SecretAsBase64 "secret_as_base64" Caller
        "One side decoded the secret from Base64; the other did not."
        "Read the secret in the same encoding on both sides."
    SecretLineEnd "secret_line_end" Caller
        "The secret has a line end or a space on one side and not on the other."
        "Trim the secret where it is read."
    SecretPrefix "secret_prefix" Caller
        "The secret has a prefix, such as `whsec_` or `AWS4`, on one side and not on the other."
        "Remove or keep the prefix, as the scheme specifies."
    KeyOfAnotherScheme "key_of_another_scheme" Caller
        "The signature is right for a key of the caller that is bound to another scheme."
        "Sign with the key of this scheme, or in the scheme of that key."
    KeyOfAnotherId "key_of_another_id" Caller
        "The signature is right for another key id of the caller."
        "Send the key id that belongs to the key."
    KeyOfAnotherCaller "key_of_another_caller" Caller
        "The signature is right for the key of another caller."
        "Give each caller its own key, and check which secret was deployed where."
    SignedTextDiffers "signed_text_differs" Caller
        "The caller signed the given text, and that text differs from the verifier's."
        "Correct the first line that differs."
    Malformed "malformed" Caller
        "The scheme does not allow this head."
        "Correct the item that the refusal names."
    Uncovered "insufficient_coverage" Caller
        "The signature covers too little."
        "Cover the item that the refusal names."
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_code_that_is_not_another_one_s() {
        let mut codes: Vec<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Cause::ALL.len());
        for cause in Cause::ALL {
            let code = cause.as_str();
            assert!(
                code.bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            );
        }
    }

    #[test]
    fn every_cause_says_in_a_sentence_what_it_is_and_what_mends_it() {
        for cause in Cause::ALL {
            for sentence in [cause.meaning(), cause.remedy()] {
                assert!(sentence.ends_with('.'), "{cause}: {sentence}");
                assert!(sentence.split(' ').count() <= 25, "{cause}: {sentence}");
            }
        }
    }
}

use std::fmt;

/// Where a fault is mended.
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
    /// Its name in lower case.
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

/// Makes [`Cause`] from its table.
macro_rules! causes {
    ($( $Cause:ident $code:literal $Side:ident $meaning:literal $remedy:literal )+) => {
        /// A known mistake that makes a signature fail.
        ///
        /// The set is fixed, so that a cause can be the label of a metric. The order is the order
        /// in which the documentation groups causes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $( #[doc = $meaning] $Cause, )+
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[ $( Self::$Cause, )+ ];

            /// The code, in lower case with underscores. It does not change between releases.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$Cause => $code, )+ }
            }

            /// One sentence that says what happened.
            pub const fn meaning(self) -> &'static str {
                match self { $( Self::$Cause => $meaning, )+ }
            }

            /// One sentence that says which change mends it.
            pub const fn remedy(self) -> &'static str {
                match self { $( Self::$Cause => $remedy, )+ }
            }

            /// Where that change is made.
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
        "The name of the scheme is spelled with another case."
        "Write the name of the scheme exactly as the specification does."
    SchemeNotAccepted "scheme_not_accepted" Callee
        "The request is signed in a scheme that the verifier does not accept."
        "Accept the scheme with `VerifierBuilder::accept`, or sign in an accepted one."
    Clock "clock" Caller
        "The signature is right, but its date is too far from the verifier's clock."
        "Synchronise both clocks, and sign each request just before it is sent."
    TimeZone "time_zone" Caller
        "The signature is right, but its date is local time that is written as UTC."
        "Write the date in UTC."
    Milliseconds "milliseconds" Caller
        "The timestamp counts milliseconds; the scheme counts seconds."
        "Divide the timestamp by 1000 before it is signed."
    DateForm "date_form" Caller
        "The date is signed or sent in another form than the scheme has."
        "Write the date in the form of the scheme, and sign the text that is sent."
    DateOther "other_date" Caller
        "The signed date is another than the one in the date header."
        "Take the time once, and use it for the header and for the signed text."
    ScopeDate "scope_date" Caller
        "The day in the credential scope is not the day of the signed date."
        "Take the day of the scope from the signed date, in UTC."
    HostNotExpected "host_not_expected" Callee
        "The signature is right, but the host is not one of the verifier's expected hosts."
        "Add the host to the expected hosts, or send the request to an expected one."
    HostWithoutPort "host_without_port" Caller
        "The caller signed the host without its port."
        "Sign the host as it is sent, or set `HostForm::StripPort` at the verifier."
    HostWithPort "host_with_port" Caller
        "The caller signed the host with a port that the request does not carry."
        "Sign the host as it is sent: clients leave out the default port."
    HostCase "host_case" Caller
        "The caller signed the host in another case than the one that is sent."
        "Sign the host exactly as it is sent, in lower case."
    OtherHost "other_host" Between
        "The caller signed another host than the one that arrived."
        "Have the proxy pass on the host of the client, or sign the host that arrives."
    SchemeOfUri "uri_scheme" Callee
        "The caller signed the other of `http` and `https`."
        "Set the scheme that clients use with `MessageSignaturesVerifySettings::with_scheme`."
    MethodCase "method_case" Caller
        "The caller signed the method in another case than the one that is sent."
        "Sign and send the method in upper case."
    OtherMethod "other_method" Between
        "The caller signed another method than the one that arrived."
        "Sign the method that is sent, and let nothing on the way change it."
    PathPrefixStripped "path_prefix_stripped" Between
        "The caller signed a path prefix that a proxy took away."
        "Have the proxy pass on the whole path, or sign the path without the prefix."
    PathPrefixAdded "path_prefix_added" Between
        "A proxy put a prefix before the path that the caller signed."
        "Have the proxy pass on the path as it came, or sign the path with the prefix."
    TrailingSlash "trailing_slash" Between
        "The caller signed the path with a trailing slash more or less."
        "Sign the path that is sent, and switch off the redirect or rewrite of slashes."
    PathNormalized "path_normalized" Between
        "The caller signed the path with dot segments and double slashes resolved."
        "Send the path in the form that is signed."
    PathDecoded "path_decoded" Caller
        "The caller signed the path after it decoded the percent escapes."
        "Sign the path as it stands in the request line."
    PathEncodedAgain "path_encoded_again" Caller
        "The caller encoded the path once more before it signed it."
        "Sign the path as it stands in the request line."
    PathEncoding "path_encoding" Caller
        "The caller signed other characters of the path as percent escapes than it sent."
        "Sign the path as it stands in the request line."
    SigV4Encoding "sigv4_path_encoding" Callee
        "The caller encodes or normalises the path by the other rule of SigV4."
        "Set `SigV4VerifySettings::with_path_encoding` and `with_path_normalization` as the caller does."
    StrictTarget "strict_target" Callee
        "The signature is right, but the verifier refuses targets that can be read in two ways."
        "Send the path and query in canonical form, or accept them by a setting of the family."
    QueryLeftOut "query_left_out" Caller
        "The caller signed the request without its query."
        "Sign the query as it is sent."
    QueryEmpty "query_empty" Caller
        "The caller and the request disagree on a question mark with nothing after it."
        "Sign the target exactly as it is sent."
    QueryOrder "query_order" Between
        "The caller signed the parameters of the query in another order."
        "Sign the query as it is sent, and let nothing on the way reorder it."
    QueryPlus "query_plus" Caller
        "A space in the query is a plus sign on one side and `%20` on the other."
        "Write spaces in the query as `%20` wherever it is signed and sent."
    QueryEquals "query_equals" Caller
        "A parameter without a value is written with `=` on one side and without on the other."
        "Sign the query exactly as it is sent."
    QueryEncoding "query_encoding" Caller
        "The caller signed other characters of the query as percent escapes than it sent."
        "Sign the query as it stands in the request line."
    ContentType "content_type" Between
        "The caller signed another content type than the one that arrived."
        "Set the content type before the request is signed, with its parameters."
    HeaderRemoved "header_removed" Between
        "A covered header was removed on the way."
        "Do not cover the header, or have the proxy pass it on."
    HeaderRewritten "header_rewritten" Between
        "A covered header was rewritten on the way."
        "Do not cover headers that proxies own, or have the proxy pass it on unchanged."
    HeaderLines "header_lines" Between
        "A covered header came on several lines and was signed as one, or the reverse."
        "Send a covered header once, on one line."
    HeaderItems "header_items" Between
        "The items of a covered header were reordered or spaced in another way."
        "Do not cover the header, or have the proxy pass it on unchanged."
    HeaderSpaces "header_spaces" Caller
        "The caller signed a header value with other white space than the one that is sent."
        "Trim the value, and sign the text that is sent."
    HeaderCase "header_case" Caller
        "The caller signed a header value in another case than the one that is sent."
        "Sign the value exactly as it is sent."
    HeaderOrder "header_order" Caller
        "The caller signed the header lines in another order or another form."
        "Sign the header lines in the order of the list, as `name:value` with the name in lower case."
    HeaderNotCovered "header_not_covered" Caller
        "The signature is right, but it does not cover something that it must cover."
        "Cover what the refusal names."
    NonceMissing "nonce_missing" Caller
        "The signature is right, but the key asks for a covered nonce and there is none."
        "Send a nonce and cover it, or exempt the key from nonces."
    RouteNotListed "route_not_listed" Callee
        "The signature is right, but the settings list no such request for its sender."
        "Add the route to the family of the sender."
    BodyHashedAsEmpty "body_hashed_as_empty" Caller
        "The caller signed the hash of an empty body."
        "Hash the bytes of the body that are sent, and not a stream that is already read."
    BodyEmpty "body_empty" Between
        "The caller signed a body, and an empty one arrived."
        "Find out what dropped the body: a redirect, a proxy, or a handler before the verifier."
    BodyLineEnd "body_line_end" Caller
        "The caller signed the body with a line end more or less at its end."
        "Sign the exact bytes that are sent."
    BodyLineEnds "body_line_ends" Between
        "The line ends in the body were changed between LF and CRLF."
        "Send the body as binary, and sign the exact bytes that are sent."
    BodyReserialized "body_reserialized" Between
        "The body is the same JSON in other white space or another order."
        "Verify the bytes as received, before any JSON reader, and sign the bytes that are sent."
    BodyDecompressed "body_decompressed" Between
        "The body says that it is compressed, and it is not: something decompressed it."
        "Verify before the body is decompressed, or sign the body before it is compressed."
    PayloadUnsigned "payload_unsigned" Callee
        "The signature is right, but it does not cover the body."
        "Have the caller sign the hash of the body, or accept unsigned payloads by name."
    ContentHashForm "content_hash_form" Caller
        "The hash of the body is written in another form than the scheme has."
        "Write the hash in the encoding of the scheme, for SHA-256 in hex as 64 lower-case digits."
    OtherBody "other_body" Between
        "The signature is right, but the body is not the one that was signed."
        "Compare the bytes that were sent with the bytes that arrived."
    SignatureEncoding "signature_encoding" Caller
        "The signature is right, but it is written in another encoding than the scheme has."
        "Write the signature in the encoding of the scheme."
    TextLineEnds "text_line_ends" Caller
        "The caller signed the text with other line ends, or with one more at its end."
        "Join the lines with LF, with none after the last."
    TextForm "text_form" Caller
        "The caller signed the text in another layout than the scheme has."
        "Build the signed text as the page of the scheme lays it out."
    SignatureParams "signature_params" Caller
        "The caller signed the signature parameters in another form than RFC 9651 writes."
        "Serialise the last line of the base as RFC 9421 section 2.3 says."
    Algorithm "algorithm" Caller
        "The signature is right, but its `alg` or the settings name another algorithm."
        "Leave out `alg`, or name the algorithm of the key."
    Region "region" Caller
        "The signature is right for another region."
        "Use the region that the verifier is set to."
    Service "service" Caller
        "The signature is right for another service."
        "Use the service that the verifier is set to."
    SessionToken "session_token" Caller
        "The signature is right, but the session token is absent or another than the key's."
        "Send and sign the session token that was issued with the key."
    PresignedNotAccepted "presigned_not_accepted" Callee
        "The signature is right, but the verifier does not accept it in a URL."
        "Accept presigned requests with `SigV4VerifySettings::with_presigned`, or sign in the header."
    KeyNotInForce "key_not_in_force" Caller
        "The signature is right for a key that is not one of the caller's keys in force."
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
        "Take the prefix off, or leave it on, as the scheme says."
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
        "The caller signed the text that it shows, and that text differs from ours."
        "Mend the first line that differs."
    Malformed "malformed" Caller
        "The head is not one that the scheme allows."
        "Mend what the refusal names."
    Uncovered "insufficient_coverage" Caller
        "The signature covers too little."
        "Cover what the refusal names."
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

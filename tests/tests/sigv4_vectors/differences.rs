//! Cases that are refused here although their source accepts them, or that are not signed here,
//! each with the reason.

/// DIFFERENCE: requests that strict settings refuse, and the settings named here accept, by the
/// reason.
pub(crate) const STRICT: [(&str, &str); 3] = [
    (
        "path: expected no dot segments",
        "a path that is normalised, or may be behind the verifier, is not the one that is routed",
    ),
    (
        "path: expected unreserved characters as they are",
        "what is encoded once has the same signature in other spellings, which may be other routes",
    ),
    (
        "query: expected each name once",
        "the order of values of one name is not signed",
    ),
];

/// DIFFERENCE: the same, for reasons that only cases outside the set beside the project are refused
/// for.
pub(crate) const STRICT_ELSEWHERE: [(&str, &str); 1] = [(
    "query: expected %3B for a semicolon, ASCII",
    "a query in another spelling has the same signature, and may be read as another one",
)];

/// DIFFERENCE: requests that no settings accept: the reason it gives, the cases, and why.
pub(crate) const REFUSED: [(&str, &[&str], &str); 9] = [
    (
        "no HTTP",
        &[
            "aws-c-auth/get-space-normalized/header",
            "aws-c-auth/get-space-normalized/query",
            "aws-c-auth/get-space-unnormalized/header",
            "aws-c-auth/get-space-unnormalized/query",
            "legacy/get-space",
        ],
        "a raw space in the target: the `http` types refuse it",
    ),
    (
        "header x-amz-security-token: expected to be covered",
        &[
            "aws-c-auth/post-sts-header-after/header",
            "legacy/post-sts-header-after",
        ],
        "a token that is added behind the signature could be anybody's",
    ),
    (
        "the signature is of none of its keys",
        &["aws-c-auth/post-sts-header-after/query"],
        "the same in the URL, where the token is taken for a signed one",
    ),
    (
        "the signature is of none of its keys",
        &["legacy/get-vanilla-with-session-token"],
        "the .sreq file carries the signature of another case; with that of the .authz file it verifies, see below",
    ),
    (
        "expected the hash of the whole body, found STREAMING-",
        &[
            "s3-docs/chunked-put-seed",
            "minio-go/streaming-seed",
            "awsig/unsigned-trailer-put",
            "awsig/cli-unsigned-trailer",
        ],
        "chunks with signatures of their own, or none, are not verified here",
    ),
    (
        ": expected visible ASCII, found another byte",
        &[
            "aws-sigv4-crate/headers-utf8",
            "aws-sigv4-crate/space-trimming",
        ],
        "a value that is not ASCII is another text to another reader",
    ),
    (
        ": expected once",
        &["aws-sdk-go/sign"],
        "`x-amz-…` headers twice; others are joined",
    ),
    (
        "expected a signature in an accepted scheme (AWS4-HMAC-SHA256), found none",
        &["aws-sdk-go/presign-array-query"],
        "a raw # in the target (`quirk`): the `http` types end the request target there",
    ),
    (
        "query: expected all parameters of a signature, found no X-Amz-Expires",
        NO_EXPIRY,
        "a presigned URL without X-Amz-Expires would never expire",
    ),
];

/// The suite's own mistake, and no difference.
pub(crate) const MISTAKEN: &str = "legacy/get-vanilla-with-session-token";

/// Presigned by aws4, which adds X-Amz-Expires for S3 only.
pub(crate) const NO_EXPIRY: &[&str] = &[
    "aws4/sign-with-signquery-should-work-with-standard-services",
    "aws4-gen/sagemaker-0-query",
    "aws4-gen/sagemaker-1-query",
    "aws4-gen/sagemaker-2-query",
    "aws4-gen/sagemaker-3-query",
    "aws4-gen/sagemaker-4-query",
    "aws4-gen/sagemaker-5-query",
    "aws4-gen/sagemaker-6-query",
    "aws4-gen/sagemaker-9-query",
    "aws4-gen/sagemaker-10-query",
    "aws4-gen/sagemaker-12-query",
    "aws4-gen/sagemaker-13-query",
    "aws4-gen/sagemaker-17-query",
];

/// DIFFERENCE: requests that are verified, but that the signer signs with other parameters.
pub(crate) const NOT_SIGNED: [(&str, &str); 2] = [
    (
        "smithy-ts/presign-precalculated-unsigned",
        "the signer does not move x-amz-content-sha256 into the URL",
    ),
    (
        "smithy-ts/presign-s3-style-unsigned",
        "the signer does not move x-amz-content-sha256 into the URL",
    ),
];

/// The reason for which no settings accept a case.
pub(crate) fn refused(name: &str) -> Option<&'static str> {
    let known = REFUSED.iter().find(|(_, names, _)| names.contains(&name));
    known.map(|(reason, ..)| *reason)
}

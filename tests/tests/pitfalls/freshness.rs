//! The signed date.

use std::time::Duration;

use countersign::{KeyStore, RejectionKind, Scheme, Timestamp, Verifier};
use tests::keys::NOW;

use crate::{
    HOST, SCHEMES, assert_code, billing, forger, keyring,
    message::{ALL_FIVE, NONCE},
    request, signed, verifier,
};

/// Source: CVE-2020-12692, Keystone: the signed date was never compared with the clock;
/// mauth-client and others: dates ahead of it passed; MinIO: one kind of request skipped the
/// comparison (part 1, row 24; part 2).
#[test]
fn a_signed_date_that_nobody_compares_with_the_clock() {
    let micros = |offset: i64| Timestamp::from_unix_micros(NOW.as_unix_micros() + offset);
    for scheme in SCHEMES {
        let signed = signed(scheme);
        for (name, now, expected) in [
            ("the same moment", NOW, "accept"),
            ("300 s later", micros(300_000_000), "accept"),
            ("300 s earlier", micros(-300_000_000), "accept"),
            ("a microsecond more", micros(300_000_001), "expired"),
            ("a microsecond less", micros(-300_000_001), "expired"),
            ("ten minutes later", micros(600_000_000), "expired"),
            ("ten minutes earlier", micros(-600_000_000), "expired"),
            ("a year later", micros(365 * 86_400_000_000), "expired"),
            ("at the epoch", Timestamp::from_unix_seconds(0), "expired"),
            (
                "at the end of time",
                Timestamp::from_unix_seconds(i64::MAX),
                "expired",
            ),
            (
                "at its beginning",
                Timestamp::from_unix_micros(i64::MIN),
                "expired",
            ),
        ] {
            let found = signed.judge(&verifier(), &keyring(scheme), now).code();
            assert_eq!(found, expected, "{scheme}: {name}");
        }
        // A look-up may take long: the clock that counts is the one by which it was over.
        let parts = signed.parts().unwrap();
        for (late, expected) in [
            (300_000_000, None),
            (300_000_001, Some(RejectionKind::Expired)),
        ] {
            let unverified = verifier().parse(&parts, NOW).unwrap();
            let keys = keyring(scheme).try_lookup("billing").unwrap().unwrap();
            let found = unverified.authenticate(&keys, micros(late));
            let found = found.err().map(|rejection| rejection.kind());
            assert_eq!(found, expected, "{scheme}: {late} later");
        }
        let narrow = Verifier::builder()
            .accept(Scheme::Ed25519)
            .expected_hosts([HOST])
            .window(Duration::from_secs(2))
            .build()
            .unwrap();
        for (offset, expected) in [(2_000_000, "accept"), (2_000_001, "expired")] {
            for now in [micros(offset), micros(-offset)] {
                let found = signed.judge(&narrow, &keyring(scheme), now).code();
                assert_eq!(found, expected, "{scheme}: {offset}");
            }
        }
    }
}

/// Source: CVE-2015-8466, swift3: freshness from `Date`, the MAC over `x-amz-date`; actpub-httpsig;
/// Kong's `Date` or `X-Date`; CVE-2025-64484, oauth2-proxy: `X_Name` folded to `X-Name` (part 1,
/// row 22; part 2).
#[test]
fn a_stale_signed_date_beside_a_fresh_one_that_is_not_signed() {
    let stale = Timestamp::from_unix_seconds(NOW.as_unix_seconds() - 3600);
    let fresh = NOW.to_http_date().unwrap();
    for scheme in SCHEMES {
        let signed = request("POST", "/").signed(&billing(scheme), stale);
        for name in ["date", "x_date", "x-amz-date", "x-aux-date", "x-date-"] {
            let message = signed.clone().with(name, &fresh);
            assert_code(scheme, name, &message, "expired");
        }
        let mut absent = signed.clone();
        absent.remove("x-date");
        absent.append("date", &fresh);
        assert_code(scheme, "date alone", &absent, "malformed");
        let mut folded = signed.clone();
        folded.remove("x-nonce");
        folded.append("x_nonce", NONCE);
        folded.set("x-date", &fresh);
        assert_code(scheme, "a nonce with an underscore", &folded, "malformed");
    }
}

/// Source: the article's receiver takes whatever `new Date` takes, which other languages read
/// otherwise or not at all (wire format, rule 11). One form is read, a second one by option, and
/// the text is signed.
#[test]
fn a_date_that_two_readers_read_differently() {
    let with_option = Verifier::builder()
        .accept(Scheme::Ed25519)
        .expected_hosts([HOST])
        .accept_rfc3339_dates()
        .build()
        .unwrap();
    for scheme in SCHEMES {
        for (date, by_default, by_option) in [
            ("Fri, 02 Jan 2026 03:04:05 GMT", "accept", "accept"),
            ("Mon, 02 Jan 2026 03:04:05 GMT", "accept", "accept"),
            ("2026-01-02T03:04:05Z", "malformed", "accept"),
            ("2026-01-02T03:09:05.000Z", "malformed", "accept"),
            ("2026-01-02T03:09:05.001Z", "malformed", "expired"),
            ("2026-01-02T05:04:05+02:00", "malformed", "malformed"),
            ("2026-01-02", "malformed", "malformed"),
            ("Nov 5 2030", "malformed", "malformed"),
            ("1", "malformed", "malformed"),
            ("1767323045000", "malformed", "malformed"),
            ("Friday, 02-Jan-26 03:04:05 GMT", "malformed", "malformed"),
            ("Fri Jan  2 03:04:05 2026", "malformed", "malformed"),
            ("Fri, 02 Jan 2026 03:04:05 UTC", "malformed", "malformed"),
            ("Fri, 02 Jan 2026 03:04:05 +0000", "malformed", "malformed"),
            ("fri, 02 jan 2026 03:04:05 gmt", "malformed", "malformed"),
        ] {
            let message = request("POST", "/").with("x-date", date);
            let message = forger(scheme).sign(message, ALL_FIVE, NOW);
            assert_code(scheme, date, &message, by_default);
            let found = message.judge(&with_option, &keyring(scheme), NOW).code();
            assert_eq!(found, by_option, "{scheme}: {date}");
        }
        let mut same_moment = request("POST", "/").signed(&billing(scheme), NOW);
        same_moment.set("x-date", "2026-01-02T03:04:05Z");
        let found = same_moment
            .judge(&with_option, &keyring(scheme), NOW)
            .code();
        assert_eq!(
            found, "invalid_signature",
            "{scheme}: the same moment in other words"
        );
    }
}

/// Source: hawk, http-signature-normalization, standard-webhooks: arithmetic on a date from the
/// wire overflowed (part 1, row 16; part 2).
#[test]
fn a_date_that_overflows() {
    for scheme in SCHEMES {
        for date in [
            "0",
            "-1",
            "+1",
            "1e9",
            "007",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551615",
            "99999999999999999999",
            "999999999999999999999999999999",
            "١٧٦٧٣٢٣٠٤٥",
            "Fri, 02 Jan -999 03:04:05 GMT",
            "Fri, 02 Jan 20260 03:04:05 GMT",
            "Fri, 99 Jan 2026 03:04:05 GMT",
            "Fri, 02 Jan 2026 99:99:99 GMT",
            "Fri, 31 Dec 2016 23:59:60 GMT",
            "Tue, 20 Apr -271821 00:00:00 GMT",
        ] {
            let message = request("POST", "/").with("x-date", date);
            let message = forger(scheme).sign(message, ALL_FIVE, NOW);
            assert_code(scheme, date, &message, "malformed");
        }
        let first_year = "Sat, 01 Jan 0000 00:00:00 GMT";
        let message = request("POST", "/").with("x-date", first_year);
        let message = forger(scheme).sign(message, ALL_FIVE, NOW);
        assert_code(scheme, first_year, &message, "expired");
        for now in [i64::MIN, -1, 0, i64::MAX] {
            for now in [
                Timestamp::from_unix_micros(now),
                Timestamp::from_unix_seconds(now),
            ] {
                let verdict = message.judge(&verifier(), &keyring(scheme), now);
                assert_eq!(verdict.code(), "expired", "{scheme}: {now}");
            }
        }
    }
}

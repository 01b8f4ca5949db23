//! Wycheproof's points for key agreement, as the keys of an issuer: those off their curve are
//! refused, and no other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tollgate::token::{KeyRing, KeyRingKind};
use wycheproof::TestResult;
use wycheproof::ecdh::{TestName, TestSet};

#[test]
fn points_off_their_curve_are_no_keys() {
    let set = TestSet::load(TestName::EcdhSecp256r1Ecpoint).unwrap();
    let tests = set.test_groups.iter().flat_map(|group| &group.tests);
    let (mut right, mut wrong) = (0, 0);
    for test in tests {
        let Some((4, rest)) = test.public_key.split_first() else { continue };
        let (x, y) = rest.split_at(32);
        let [x, y] = [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}).to_string();
        let ring = KeyRing::parse(&jwk, KeyRingKind::Inline);
        if test.result == TestResult::Invalid {
            let error = ring.expect_err(&test.comment);
            assert_eq!(error.code(), "not-on-curve", "{error}");
            wrong += 1;
        } else {
            assert!(ring.is_ok(), "{} {}: {ring:?}", test.tc_id, test.comment);
            right += 1;
        }
    }
    assert_eq!((right, wrong), (330, 16));
}

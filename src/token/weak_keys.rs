//! Public keys that look right and protect nothing: points off their curve or of small order, and
//! RSA moduli whose factors can be found.

/// Whether the point is on P-256 (FIPS 186-4 §D.1.2.3): y² = x³ − 3x + b. A library that computes
/// with another point may compute on another, weaker curve; one that checks refuses to import it,
/// and then the first token finds out.
pub(super) fn is_on_p256(x: &[u8; 32], y: &[u8; 32]) -> bool {
    let [x, y] = [x, y].map(number);
    if !is_less(&x, &P) || !is_less(&y, &P) {
        return false;
    }
    // x³ − 3x is x(x² − 3).
    let right = sum(&product(&x, &difference(&product(&x, &x), &[3, 0, 0, 0])), &B);
    product(&y, &y) == right
}

/// Whether it is one of the few points of Ed25519 under which anybody can make a signature that
/// some verifiers take for every message: those of an order of at most 8, in each of their
/// spellings.
pub(super) fn has_small_order(ed25519: &[u8; 32]) -> bool {
    let mut point = *ed25519;
    // The sign of x: the other one has the same order.
    if let Some(last) = point.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&number_bytes(point))
}

/// Whether a modulus, big-endian, has the fingerprint of the keys that Infineon's library made
/// (CVE-2017-15361, "The Return of Coppersmith's Attack", Nemec et al., CCS 2017, §2.2): modulo
/// each of the primes it is a power of 65537. One of 2^27 other moduli has it too.
pub(super) fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|prime| {
        let rest = modulus.iter().fold(0_u32, |rest, byte| {
            rest.wrapping_shl(8).wrapping_add((*byte).into()).checked_rem(*prime).unwrap_or(0)
        });
        is_power_of_65537(rest, *prime)
    })
}

fn is_power_of_65537(rest: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == rest {
            return true;
        }
        power = 65_537_u32.wrapping_mul(power).checked_rem(prime).unwrap_or(0);
    }
    false
}

/// Four limbs of 64 bits, the lowest first.
type Number = [u64; 4];

fn number(big_endian: &[u8; 32]) -> Number {
    let mut bytes = *big_endian;
    bytes.reverse();
    number_bytes(bytes)
}

fn number_bytes(little_endian: [u8; 32]) -> Number {
    let mut number = [0; 4];
    let (limbs, _) = little_endian.as_chunks();
    for (limb, bytes) in number.iter_mut().zip(limbs) {
        *limb = u64::from_le_bytes(*bytes);
    }
    number
}

fn is_less(one: &Number, other: &Number) -> bool {
    one.iter().rev().lt(other.iter().rev())
}

/// The sum modulo [`P`] of two numbers below it.
fn sum(one: &Number, other: &Number) -> Number {
    let (sum, carry) = added(one, other);
    if carry || !is_less(&sum, &P) { subtracted(&sum, &P).0 } else { sum }
}

/// The difference modulo [`P`] of two numbers below it.
fn difference(one: &Number, other: &Number) -> Number {
    let (difference, borrow) = subtracted(one, other);
    if borrow { added(&difference, &P).0 } else { difference }
}

/// The product modulo [`P`] of two numbers below it, bit by bit: slow, short, and needed four times
/// for a key.
fn product(one: &Number, other: &Number) -> Number {
    let mut product = [0; 4];
    for limb in other.iter().rev() {
        for bit in (0..u64::BITS).rev() {
            product = sum(&product, &product);
            if limb.wrapping_shr(bit) & 1 == 1 {
                product = sum(&product, one);
            }
        }
    }
    product
}

fn added(one: &Number, other: &Number) -> (Number, bool) {
    limb_by_limb(one, other, |left, right, carry| {
        let (sum, first) = left.overflowing_add(right);
        let (sum, second) = sum.overflowing_add(carry.into());
        (sum, first || second)
    })
}

fn subtracted(one: &Number, other: &Number) -> (Number, bool) {
    limb_by_limb(one, other, |left, right, borrow| {
        let (rest, first) = left.overflowing_sub(right);
        let (rest, second) = rest.overflowing_sub(borrow.into());
        (rest, first || second)
    })
}

fn limb_by_limb(
    one: &Number,
    other: &Number,
    step: impl Fn(u64, u64, bool) -> (u64, bool),
) -> (Number, bool) {
    let mut result = [0; 4];
    let mut carry = false;
    for ((limb, left), right) in result.iter_mut().zip(one).zip(other) {
        (*limb, carry) = step(*left, *right, carry);
    }
    (result, carry)
}

/// The prime of P-256: 2^256 − 2^224 + 2^192 + 2^96 − 1.
const P: Number = [u64::MAX, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];
/// The b of its equation.
const B: Number =
    [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7];

/// The y of the points of an order of at most 8, as `crypto_sign_ed25519` of libsodium lists them:
/// 0 (order 4), 1 (order 1), two of order 8, and p − 1 (order 2); then p and p + 1, which are 0 and
/// 1 written otherwise.
const SMALL_ORDER: [Number; 7] = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [0xb027_b2c2_8f95_e826, 0xf098_eff2_89f4_c345, 0x3933_c6d3_05ac_dfd5, 0x05fc_536d_8802_38b1],
    [0x4fd8_4d3d_706a_17c7, 0x0f67_100d_760b_3cba, 0xc6cc_392c_fa53_202a, 0x7a03_ac92_77fd_c74e],
    [0xffff_ffff_ffff_ffec, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff],
    [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff],
    [0xffff_ffff_ffff_ffee, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff],
];

/// Those of the published test.
const ROCA_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    fn bytes(text: &str) -> [u8; 32] {
        URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn points_of_p256_are_on_it_and_their_neighbours_are_not() {
        // The generator (FIPS 186-4 §D.1.2.3), and the keys of RFC 7515 A.3 and RFC 7517 A.1.
        for (x, y) in [
            (
                "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
                "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
            ),
            (
                "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            ),
            (
                "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            ),
        ] {
            let (x, y) = (bytes(x), bytes(y));
            assert!(is_on_p256(&x, &y));
            assert!(!is_on_p256(&y, &x), "exchanged");
            for bit in 0..256 {
                let mut bent = y;
                bent[bit / 8] ^= 1 << (bit % 8);
                assert!(!is_on_p256(&x, &bent) && !is_on_p256(&bent, &y), "bit {bit}");
            }
        }
        assert!(!is_on_p256(&[0; 32], &[0; 32]), "what stands for infinity in some libraries");
        assert!(!is_on_p256(&[0xff; 32], &[0xff; 32]), "no number below p");
    }

    #[test]
    fn ed25519_keys_that_fit_every_signature_are_found() {
        let known = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ];
        for text in known {
            let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
            let pairs = digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap());
            let bytes: Vec<u8> = pairs.collect();
            assert!(has_small_order(&bytes.try_into().unwrap()), "{text}");
        }
        assert!(!has_small_order(&bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")));
        assert!(!has_small_order(&[2; 32]));
    }

    #[test]
    fn the_fingerprint_is_that_of_infineons_keys_alone() {
        let modulus = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        assert!(has_roca_fingerprint(&modulus(ROCA_MODULUS)));
        // RFC 7515 A.2.
        assert!(!has_roca_fingerprint(&modulus(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2\
            mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7\
            OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMT\
            BQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM\
            Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ"
        )));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn no_other_modulus_has_it(modulus in proptest::collection::vec(any::<u8>(), 256)) {
            prop_assert!(!has_roca_fingerprint(&modulus));
        }

        /// (a + b)(a − b) = a² − b² holds for numbers of the field, and for nothing that computes
        /// them wrongly.
        #[test]
        fn arithmetic_is_that_of_a_field(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
            let [a, b] = [a, b].map(|bytes| sum(&product(&number(&bytes), &[1, 0, 0, 0]), &[0; 4]));
            prop_assert!(is_less(&a, &P) && is_less(&b, &P));
            let left = product(&sum(&a, &b), &difference(&a, &b));
            prop_assert_eq!(left, difference(&product(&a, &a), &product(&b, &b)));
        }
    }

    /// Of `jws_rsa_roca_key` in Wycheproof.
    const ROCA_MODULUS: &str = "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16\
            HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mw\
            ZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaF\
            ka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2Kphtjnay\
            KJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE";
}

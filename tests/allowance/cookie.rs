//! The cookie: what is in it comes back, and nothing else passes for one.

use proptest::prelude::*;
use tollgate::allowance::{
    Allowance, AllowanceKey, COOKIE_NAME, MAX_ALLOWANCES, MAX_COOKIE_BYTES, MAX_LIMIT, Reader,
    ReaderId, Verdict, cleared_cookie,
};
use tollgate::plan::Period;

use crate::site::{HOST, NOW, allowance, key, page, value};

const PERIODS: [Period; 4] = [Period::Minute, Period::Hour, Period::Day, Period::Month];

/// A reader who has seen `/1` to `/views` by each of these allowances.
fn reader(id: ReaderId, seen: &[(Allowance, u32)]) -> Reader {
    let mut reader = Reader::new(id);
    for (allowance, views) in seen {
        for number in 1..=*views {
            reader.view(*allowance, page(id, number), NOW);
        }
    }
    reader
}

fn any_reader() -> impl Strategy<Value = Reader> {
    let seen = (1..=MAX_LIMIT, prop::sample::select(PERIODS.as_slice()), 0_u32..12);
    let seen =
        seen.prop_map(|(limit, period, views)| (Allowance::new(limit, period).unwrap(), views));
    (any::<[u8; 12]>(), prop::collection::vec(seen, 0..=MAX_ALLOWANCES))
        .prop_map(|(id, seen)| reader(ReaderId::from_bytes(id), &seen))
}

fn sealed(reader: &Reader) -> String {
    value(&reader.set_cookie(&key(), HOST, NOW))
}

fn read(value: &str) -> Option<Reader> {
    Reader::read(value, &key(), HOST, NOW)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_sealed_is_read_back(reader in any_reader()) {
        let value = sealed(&reader);
        let mut back = read(&value).unwrap();
        prop_assert_eq!(back.id(), reader.id());
        let sorted = |reader: &Reader| {
            let mut counts = reader.counts(NOW);
            counts.sort_by_key(|one| one.count);
            counts
        };
        prop_assert_eq!(sorted(&back), sorted(&reader));
        for one in reader.counts(NOW) {
            for number in 1..=u32::from(one.used) {
                let view = back.view(one.count.allowance, page(back.id(), number), NOW);
                prop_assert_eq!(view.verdict, Verdict::AlreadySeen);
            }
        }
    }

    #[test]
    fn a_changed_letter_spoils_it(
        reader in any_reader(),
        at in any::<prop::sample::Index>(),
        letter in "[ -~]",
    ) {
        let mut value = sealed(&reader);
        let at = at.index(value.len());
        prop_assume!(value[at..=at] != letter);
        value.replace_range(at..=at, &letter);
        prop_assert_eq!(read(&value), None);
    }

    #[test]
    fn so_does_a_missing_or_an_added_one(reader in any_reader(), at in any::<prop::sample::Index>()) {
        let value = sealed(&reader);
        let at = at.index(value.len());
        prop_assert_eq!(read(&value[..at]), None);
        prop_assert_eq!(read(&value[at + 1..]), None);
        let mut longer = value.clone();
        longer.insert(at, 'A');
        prop_assert_eq!(read(&longer), None);
        prop_assert_eq!(read(&(value + "A")), None);
    }

    #[test]
    fn two_cookies_can_not_be_mixed(one in any_reader(), other in any_reader()) {
        prop_assume!(one.id() != other.id());
        let (one, other) = (sealed(&one), sealed(&other));
        let (payload, _) = one.split_once('.').unwrap();
        let (_, signature) = other.split_once('.').unwrap();
        prop_assert_eq!(read(&format!("{payload}.{signature}")), None);
    }

    #[test]
    fn nothing_made_up_passes_or_panics(text in "\\PC{0,200}", letters in "[A-Za-z0-9_-]{0,90}[.][A-Za-z0-9_-]{43}") {
        prop_assert_eq!(read(&text), None);
        prop_assert_eq!(read(&letters), None);
    }

    #[test]
    fn it_belongs_to_one_host_and_one_secret(reader in any_reader(), host in "[a-z.]{0,20}") {
        prop_assume!(host != HOST);
        let value = sealed(&reader);
        prop_assert_eq!(Reader::read(&value, &key(), &host, NOW), None);
        let other = AllowanceKey::new("a secret of thirty-two bytes at leasT");
        prop_assert_eq!(Reader::read(&value, &other, HOST, NOW), None);
    }

    #[test]
    fn in_another_period_the_count_starts_again(
        period in prop::sample::select(PERIODS.as_slice()),
        ms in -90 * 86_400_000_i64..90 * 86_400_000,
    ) {
        let allowance = Allowance::new(3, period).unwrap();
        let id = key().reader_id("one");
        let value = sealed(&reader(id, &[(allowance, 3)]));
        let then = NOW.plus_ms(ms);
        let same = allowance.window(then) == allowance.window(NOW);
        let mut back = Reader::read(&value, &key(), HOST, then).unwrap();
        prop_assert_eq!(back.used(allowance, then), if same { 3 } else { 0 });
        let view = back.view(allowance, page(id, 1), then);
        prop_assert_eq!(view.verdict == Verdict::AlreadySeen, same);
        prop_assert_eq!(view.quota.used, if same { 3 } else { 1 });
    }
}

/// A cookie that was sent once must be understood by later releases, or every count starts anew.
/// This one was computed by Python's `hmac`.
#[test]
fn a_cookie_of_the_first_version_stays_readable() {
    let id = ReaderId::from_bytes(*b"reader no. 1");
    let sent = "AXJlYWRlciBuby4gMQEDBQHIG8ACAucqp7w6mYVv.\
                bkh2FRchDtBE3MXq2oR__7JO4C24_PopuIae1F5yTL0";
    let month = allowance("5 per month");
    assert_eq!(sealed(&reader(id, &[(month, 2)])), sent);
    assert_eq!(read(sent).unwrap().used(month, NOW), 2);
}

#[test]
fn a_browser_is_told_to_keep_it_to_itself() {
    let id = key().reader_id("one");
    let month = reader(id, &[(allowance("5 per month"), 1), (allowance("9 per minute"), 1)]);
    let set = month.set_cookie(&key(), HOST, NOW);
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(pair, format!("{COOKIE_NAME}={}", sealed(&month)));
    // Six days and four hours are left of November.
    assert_eq!(attributes, "Max-Age=532800; Path=/; Secure; HttpOnly; SameSite=Lax");
    assert!(COOKIE_NAME.starts_with("__Host-"), "which forbids a Domain and demands the rest");
    assert_eq!(
        cleared_cookie(),
        "__Host-tollgate-free=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"
    );
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    assert!(sealed(&month).bytes().all(plain), "no quotes, no escapes");
}

#[test]
fn the_fullest_cookie_fits_and_small_ones_are_small() {
    let id = key().reader_id("one");
    let limits = MAX_LIMIT - 2..=MAX_LIMIT;
    let all: Vec<_> = [Period::Day, Period::Month]
        .into_iter()
        .flat_map(|period| limits.clone().map(move |limit| Allowance::new(limit, period).unwrap()))
        .map(|allowance| (allowance, u32::from(MAX_LIMIT)))
        .collect();
    assert_eq!(all.len(), MAX_ALLOWANCES);
    let full = sealed(&reader(id, &all));
    assert!(full.len() > 3_000 && full.len() <= MAX_COOKIE_BYTES, "{}", full.len());
    assert_eq!(read(&full).unwrap().counts(NOW).len(), MAX_ALLOWANCES);
    assert_eq!(sealed(&reader(id, &[(allowance("5 per month"), 5)])).len(), 100);
    let long = format!("{}.{}", "A".repeat(MAX_COOKIE_BYTES), "A".repeat(43));
    assert_eq!(read(&long), None);
}

#[test]
fn without_room_for_another_allowance_the_one_that_ends_first_goes() {
    let id = key().reader_id("one");
    let minute = allowance("1 per minute");
    let mut seen: Vec<_> =
        (1..=5).map(|n| (Allowance::new(n, Period::Month).unwrap(), 1)).collect();
    seen.insert(2, (minute, 1));
    let mut reader = reader(id, &seen);
    assert_eq!(reader.counts(NOW).len(), MAX_ALLOWANCES);
    reader.view(allowance("7 per day"), page(id, 1), NOW);
    assert_eq!(reader.counts(NOW).len(), MAX_ALLOWANCES);
    assert_eq!(reader.used(minute, NOW), 0);
}

#[test]
fn ids_are_written_as_text_and_read_back() {
    let id = key().reader_id("one");
    assert_eq!(id.to_string().len(), 16);
    assert_eq!(ReaderId::parse(&id.to_string()), Some(id));
    for bad in ["", "AAAA", "AAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAA!"] {
        assert_eq!(ReaderId::parse(bad), None, "{bad}");
    }
}

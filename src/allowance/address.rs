//! The coarse limit by address, which bounds how often somebody starts anew.

/// The key that an address is counted under: an IPv4 address as it is, the network of 64 bits of an
/// IPv6 address, since a household or a server can use all of that.
///
/// The platform writes addresses, so this takes them apart without doubting them; the parser of
/// the standard library would be 5 KB of the module.
pub fn address_key(address: &str) -> String {
    if address.contains('.') || !address.contains(':') {
        return address.rsplit_once(':').map_or(address, |(_, plain)| plain).to_owned();
    }
    let mut groups = Vec::with_capacity(GROUPS);
    let mut zeros_at = 0;
    for group in address.split(':') {
        if group.is_empty() {
            zeros_at = groups.len();
        } else {
            groups.push(group);
        }
    }
    while groups.len() < GROUPS {
        groups.insert(zeros_at, "0");
    }
    let mut key = String::new();
    for group in groups.iter().take(NETWORK_GROUPS) {
        key += group;
        key.push(':');
    }
    key.make_ascii_lowercase();
    key + ":/64"
}

/// Of 16 bits each, in an IPv6 address.
const GROUPS: usize = 8;
/// Number of groups that name the network.
const NETWORK_GROUPS: usize = 4;

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_network_counts_as_one() {
        for (address, key) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:DB8:0:1::7", "2001:db8:0:1::/64"),
            ("2001:db8:0:1:ffff:2:3:4", "2001:db8:0:1::/64"),
            ("2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"),
            ("2001:db8::", "2001:db8:0:0::/64"),
            ("::1", "0:0:0:0::/64"),
            ("::", "0:0:0:0::/64"),
            ("", ""),
        ] {
            assert_eq!(address_key(address), key, "{address}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn it_agrees_with_the_standard_library(groups in any::<[[bool; 2]; 8]>()) {
            // Zeros make an address that is written short.
            let value = |[is_zero, is_long]: [bool; 2]| match (is_zero, is_long) {
                (true, _) => 0,
                (_, true) => 0xdb8,
                _ => 7,
            };
            let address = Ipv6Addr::from(groups.map(value));
            prop_assume!(!address.to_string().contains('.'));
            let [a, b, c, d, ..] = address.segments();
            let network = format!("{a:x}:{b:x}:{c:x}:{d:x}::/64");
            prop_assert_eq!(address_key(&address.to_string()), network);
        }

        #[test]
        fn nothing_panics(text in "[0-9a-f:.%]{0,50}|\\PC{0,20}") {
            address_key(&text);
        }
    }
}

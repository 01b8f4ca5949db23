//! The coarse limit by address, which bounds how often somebody starts anew.

use std::net::IpAddr;

/// What an address is counted under: an IPv4 address as it is, of an IPv6 address its network of 64
/// bits, since a household or a server can use all of that. Anything else counts as one.
pub fn address_key(address: &str) -> String {
    match address.trim().parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Err(_) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_counts_as_one() {
        assert_eq!(address_key("192.0.2.7"), "192.0.2.7");
        assert_eq!(address_key("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(address_key("2001:DB8:0:1::7"), "2001:db8:0:1::/64");
        assert_eq!(address_key("2001:db8:0:1:ffff::"), address_key("2001:db8:0:1::7"));
        assert_ne!(address_key("2001:db8:0:2::7"), address_key("2001:db8:0:1::7"));
        for odd in ["", "example.com", "192.0.2.7, 192.0.2.8", "1"] {
            assert_eq!(address_key(odd), "unknown", "{odd}");
        }
    }
}

//! The choice of the route for a request, out of all that are configured.

use super::{Fit, RoutePattern};
use crate::request::path::Readings;

/// The route that a request belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RouteMatch {
    /// Servers may read it as a request to different routes: refuse it (400).
    Ambiguous,
    /// None; can't happen where the last route is a catch-all.
    None,
    /// The route at this index, however a server reads the request.
    One(usize),
}

/// Finds the route of a request among `routes`: each a pattern, and whether it is open to
/// everybody.
///
/// The first match in order counts, for every one of `readings` by itself, and they must agree.
/// `host` is the host of the URL, with or without port. Where a reading matches one route exactly
/// and an earlier one only because case is ignored, the one that is not open applies; if neither is
/// open, the origin's choice can't be known.
pub fn match_route<'a, I>(routes: &I, method: &str, host: &str, readings: &Readings) -> RouteMatch
where
    I: Iterator<Item = (&'a RoutePattern, bool)> + Clone,
{
    let host = bare_host(host);
    let mut found = None;
    let mut agree = |path: &[u8], method: &str| {
        let one = first_match(routes.clone(), method, host, path);
        *found.get_or_insert(one) == one
    };
    // A server that takes `get` for `GET` must not reach another route either.
    let upper_method =
        method.bytes().any(|b| b.is_ascii_lowercase()).then(|| method.to_ascii_uppercase());
    for path in readings.iter() {
        let agrees = agree(path, method) && upper_method.iter().all(|upper| agree(path, upper));
        if !agrees {
            return RouteMatch::Ambiguous;
        }
    }
    found.unwrap_or(RouteMatch::None)
}

fn first_match<'a, I>(routes: I, method: &str, host: &str, path: &[u8]) -> RouteMatch
where
    I: Iterator<Item = (&'a RoutePattern, bool)>,
{
    let mut loose: Option<(usize, bool)> = None;
    for (index, (pattern, open)) in routes.enumerate() {
        match (pattern.fit(method, host, path), loose) {
            (Fit::Exact, None) => return RouteMatch::One(index),
            (Fit::Exact, Some((earlier, earlier_open))) => {
                return match (earlier_open, open) {
                    (false, true) => RouteMatch::One(earlier),
                    (true, _) => RouteMatch::One(index),
                    (false, false) => RouteMatch::Ambiguous,
                };
            }
            (Fit::Loose, None) => loose = Some((index, open)),
            (Fit::Loose, Some(_)) | (Fit::No, _) => {}
        }
    }
    // Only a server that ignores case would serve this at all.
    loose.map_or(RouteMatch::None, |(index, _)| RouteMatch::One(index))
}

/// The host without its port and without the dot that ends a fully qualified name.
fn bare_host(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::path::readings;

    /// The text of the route that a request gets; routes that start with `open ` are open.
    fn route<'a>(
        routes: &[&'a str],
        method: &str,
        host: &str,
        path: &str,
    ) -> Result<&'a str, RouteMatch> {
        let parsed = |text: &&str| {
            let pattern = text.trim_start_matches("open ");
            (RoutePattern::parse(pattern).unwrap(), text.starts_with("open "))
        };
        let parsed: Vec<_> = routes.iter().map(parsed).collect();
        let pairs = parsed.iter().map(|(pattern, open)| (pattern, *open));
        match match_route(&pairs, method, host, &readings(path).unwrap()) {
            RouteMatch::One(index) => Ok(routes[index]),
            other => Err(other),
        }
    }

    #[test]
    fn the_first_route_in_order_applies() {
        let routes = ["GET /a/preview", "/a/*", "api.test/**", "/**"];
        assert_eq!(route(&routes, "GET", "h", "/a/preview"), Ok("GET /a/preview"));
        assert_eq!(route(&routes, "POST", "h", "/a/preview"), Ok("/a/*"));
        assert_eq!(route(&routes, "GET", "api.test", "/b"), Ok("api.test/**"));
        assert_eq!(route(&routes, "GET", "h", "/b"), Ok("/**"));
        assert_eq!(route(&routes[..1], "GET", "h", "/b"), Err(RouteMatch::None));
    }

    #[test]
    fn a_path_that_servers_read_differently_is_refused_only_where_it_matters() {
        let routes = ["/premium/**", "open /**"];
        for path in ["/%70remium/a", "/open/..%2fpremium", "//premium", "/premium/%2e%2e/open"] {
            assert_eq!(route(&routes, "GET", "h", path), Err(RouteMatch::Ambiguous), "{path}");
        }
        for path in ["/premium/a%2Fb", "/premium/a//b", "/premium/a;b=c", "/premium/x%2525"] {
            assert_eq!(route(&routes, "GET", "h", path), Ok("/premium/**"), "{path}");
        }
        for path in ["/open/a%2Fb", "/open//b", "/a;b=c", "/50%25%20off", "/wiki/Inc."] {
            assert_eq!(route(&routes, "GET", "h", path), Ok("open /**"), "{path}");
        }
    }

    #[test]
    fn other_case_never_opens_a_door() {
        assert_eq!(
            route(&["/premium/**", "open /**"], "GET", "h", "/Premium/a"),
            Ok("/premium/**")
        );
        let one_free = ["open /v/aBc", "/v/*", "open /**"];
        assert_eq!(route(&one_free, "GET", "h", "/v/aBc"), Ok("open /v/aBc"));
        assert_eq!(route(&one_free, "GET", "h", "/v/AbC"), Ok("/v/*"));
        assert_eq!(route(&["open /a", "open /**"], "GET", "h", "/A"), Ok("open /**"));
        let two_prices = ["/premium/**", "/**"];
        assert_eq!(route(&two_prices, "GET", "h", "/PREMIUM"), Err(RouteMatch::Ambiguous));
        let by_method = ["GET /a", "open /**"];
        assert_eq!(route(&by_method, "get", "h", "/a"), Err(RouteMatch::Ambiguous));
        assert_eq!(route(&by_method, "get", "h", "/b"), Ok("open /**"));
    }
}

//! The choice of crawlers that are let through.
//!
//! Cloudflare identifies a crawler by its signature, its published addresses or reverse
//! DNS, never by the name it gives itself. A Worker reads the result in `request.cf`, as
//! `verifiedBotCategory`; it is empty or absent for everybody else.

/// Whether a route that lets `crawlers` through does so for a request of this category.
pub fn lets_through(crawlers: &[String], category: &str) -> bool {
    !category.is_empty() && crawlers.iter().any(|one| one == category)
}

/// The categories that Cloudflare documents ("Verified bots", on all plans). Others may come, so
/// one that isn't here is worth a warning and no more.
pub const CATEGORIES: [&str; 17] = [
    "Academic Research",
    "Accessibility",
    "Advertising & Marketing",
    "Aggregator",
    "AI Assistant",
    "AI Crawler",
    "AI Search",
    "Archiver",
    "Feed Fetcher",
    "Monitoring & Analytics",
    "Other",
    "Page Preview",
    "Search Engine Crawler",
    "Search Engine Optimization",
    "Security",
    "Social Media Marketing",
    "Webhooks",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_verified_and_named_is_let_through() {
        let crawlers = ["Search Engine Crawler".to_owned()];
        assert!(lets_through(&crawlers, "Search Engine Crawler"));
        for other in ["", "AI Crawler", "search engine crawler", "Search Engine Crawler "] {
            assert!(!lets_through(&crawlers, other), "{other}");
        }
        assert!(!lets_through(&[], "Search Engine Crawler"));
        assert!(!lets_through(&[String::new()], ""));
    }
}

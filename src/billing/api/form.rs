//! Percent-encoding, for forms and URLs.

use crate::text::percent;

/// `name=value` pairs, apart by `&`.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        percent::push(&mut out, name, percent::is_unreserved);
        out.push('=');
        percent::push(&mut out, value, percent::is_unreserved);
    }
    out
}

/// A part of a path, or a name or value of a form.
pub(super) fn encoded(text: &str) -> String {
    percent::encode(text, percent::is_unreserved)
}

//! Percent-encoding, for forms and URLs.

/// `name=value` pairs, apart by `&`.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        push_encoded(&mut out, name);
        out.push('=');
        push_encoded(&mut out, value);
    }
    out
}

/// A part of a path, or a name or value of a form.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::new();
    push_encoded(&mut out, text);
    out
}

/// Everything but RFC 3986's unreserved characters is encoded.
fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 0x0f];
            out.push('%');
            out.extend(digits.map(|digit| {
                char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
            }));
        }
    }
}

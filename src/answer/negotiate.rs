//! Content negotiation by `Accept` (RFC 9110 §12.5.1) between the three formats of an answer.

/// The format of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// A page for a person.
    Html,
    /// Problem details for a program (RFC 9457).
    Json,
    /// Plain text for a terminal or a language model.
    Text,
}

impl Format {
    /// The format that `accept` asks for.
    ///
    /// The highest q-value wins, then the more specific range, then the one named first. An
    /// undecided header, such as `*/*` or none at all, gives JSON, or HTML where `navigates`
    /// is set: a browser is loading a page (`Sec-Fetch-Mode: navigate`). A header that accepts
    /// nothing we have is answered all the same: an explanation helps more than a 406.
    pub fn negotiate(accept: &str, navigates: bool) -> Self {
        let order = if navigates { NAVIGATION_ORDER } else { DEFAULT_ORDER };
        let mut offers = order.map(Offer::new);
        let mut bytes_read = 0_usize;
        for (position, range) in (0_u8..MAX_RANGES).zip(split_outside_quotes(accept, b',')) {
            bytes_read = bytes_read.saturating_add(range.len());
            if bytes_read > MAX_BYTES {
                break;
            }
            if let Some(range) = MediaRange::parse(range) {
                for offer in &mut offers {
                    offer.consider(&range, position);
                }
            }
        }
        let [first, second, third] = offers;
        first.or_better(second).or_better(third).format
    }
}

/// One of our formats, and the range that speaks for it best so far.
#[derive(Clone, Copy)]
struct Offer {
    format: Format,
    q_thousandths: u16,
    specificity: u8,
    position: u8,
}

impl Offer {
    /// Named by nothing yet: ranks above what is excluded and below everything accepted.
    const fn new(format: Format) -> Self {
        Self { format, q_thousandths: UNNAMED, specificity: 0, position: u8::MAX }
    }

    fn consider(&mut self, range: &MediaRange<'_>, position: u8) {
        let specificity = range.specificity_for(self.format);
        // Two exact names of one format (`application/json` and `application/problem+json`) are
        // alternatives: the better q counts.
        let better = specificity > self.specificity
            || (specificity == self.specificity && range.rank() > self.q_thousandths);
        if specificity > 0 && better {
            *self = Self { q_thousandths: range.rank(), specificity, position, ..*self };
        }
    }

    fn or_better(self, other: Self) -> Self {
        let key = |offer: Self| (offer.q_thousandths, offer.specificity);
        let earlier = key(other) == key(self) && other.position < self.position;
        if key(other) > key(self) || earlier { other } else { self }
    }
}

struct MediaRange<'a> {
    kind: &'a str,
    subtype: &'a str,
    q_thousandths: u16,
}

impl<'a> MediaRange<'a> {
    /// Reads `type/subtype;q=…`. Other parameters are ignored; a q that is no number drops the
    /// range.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = split_outside_quotes(text, b';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let mut q_thousandths = 1_000;
        for parameter in parts.take(MAX_PARAMETERS) {
            if let Some((name, value)) = parameter.split_once('=')
                && name.trim().eq_ignore_ascii_case("q")
            {
                q_thousandths = parse_q(value.trim())?;
                break;
            }
        }
        Some(Self { kind, subtype, q_thousandths })
    }

    /// The q-value among the ranks, where 0 is "excluded" and 1 is [`UNNAMED`].
    const fn rank(&self) -> u16 {
        if self.q_thousandths == 0 { 0 } else { self.q_thousandths.saturating_add(UNNAMED) }
    }

    /// 0 where the range leaves `format` out, up to 3 where it names it.
    fn specificity_for(&self, format: Format) -> u8 {
        let (kind, subtype) = (self.kind, self.subtype);
        if subtype == "*" {
            let ours = if format == Format::Json { "application" } else { "text" };
            return if kind == "*" { 1 } else { u8::from(kind.eq_ignore_ascii_case(ours)) << 1 };
        }
        let named = match format {
            Format::Html => is(kind, "text") && is(subtype, "html"),
            Format::Json => is(kind, "application") && is_json(subtype),
            Format::Text => is(kind, "text") && (is(subtype, "plain") || is(subtype, "markdown")),
        };
        if named { 3 } else { 0 }
    }
}

fn is(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

/// `json` itself and every format built on it (RFC 6839 §3.1): their readers read ours.
fn is_json(subtype: &str) -> bool {
    is(subtype, "json")
        || subtype.rsplit_once('+').is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("json"))
}

/// A q-value in thousandths; further digits are ignored, and more than 1 counts as 1.
fn parse_q(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if whole.bytes().any(|digit| digit != b'0') {
        return Some(1_000);
    }
    let digits = fraction.bytes().chain([b'0'; 3]).take(3);
    Some(digits.fold(0_u16, |sum, digit| {
        sum.saturating_mul(10).saturating_add(u16::from(digit.saturating_sub(b'0')))
    }))
}

/// The parts of `text` between the separators that stand outside of a quoted string.
fn split_outside_quotes(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character: char| {
        if escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        } else {
            return !quoted && character == char::from(separator);
        }
        false
    })
}

/// JSON first: curl, SDKs and agents send `*/*` or nothing.
const DEFAULT_ORDER: [Format; 3] = [Format::Json, Format::Text, Format::Html];
const NAVIGATION_ORDER: [Format; 3] = [Format::Html, Format::Text, Format::Json];
/// Rank of a format that no range speaks about.
const UNNAMED: u16 = 1;
/// Browsers send up to 8 ranges; the rest of a longer header is not read.
const MAX_RANGES: u8 = 32;
const MAX_PARAMETERS: usize = 8;
const MAX_BYTES: usize = 2_048;

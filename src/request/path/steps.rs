//! The changes that servers make to a path: each step is one habit of one family of them.

use crate::text::percent::escape;

/// Does one thing to a path and returns what comes out.
pub(super) type Step = fn(&[u8]) -> Vec<u8>;

/// Every step, with the marks of which at least one must be there for it to change anything.
pub(super) const STEPS: [(Marks, Step); 14] = [
    // Nearly every server decodes once; a proxy and an application behind it, twice.
    (Marks::PERCENT, decode),
    // Routers that split first and decode each segment: Express, Apache's `AllowEncodedSlashes`.
    (Marks::PERCENT, decode_segments),
    // IIS, WHATWG URL parsers, Tomcat if configured so.
    (Marks::BACKSLASH, backslashes_to_slashes),
    // nginx's `merge_slashes`, Apache's `MergeSlashes`, file systems.
    (Marks::DOUBLE_SLASH, merge_slashes),
    // `new URL(request.url, base)` in Node, `parse_url` in PHP, `urlsplit` in Python: RFC 3986
    // §4.2.
    (Marks::DOUBLE_SLASH, drop_authority),
    // RFC 3986 §5.2.4. WHATWG URL parsers take `%2e` for a dot too: they decode segments first.
    (Marks::DOTS, resolve_dots),
    // Handlers that filter dot segments out rather than go up.
    (Marks::DOTS, drop_dots),
    // Tomcat, Jetty, Spring: path parameters, RFC 3986 §3.3.
    (Marks::SEMICOLON, drop_parameters),
    // Whoever parses the URL again after decoding.
    (Marks::QUESTION_MARK, drop_query),
    (Marks::HASH, drop_fragment),
    // Windows: trailing dots and spaces of a name do not count, `::$DATA` is the file itself.
    (Marks::NAME_END, trim_names),
    (Marks::STREAM, drop_streams),
    // Old decoders, which let `%c0%af` be a slash (RFC 3629 §3).
    (Marks::OVERLONG, decode_overlong),
    // Applications that normalise to NFKC, and Windows' best fit.
    (Marks::FULLWIDTH, narrow_fullwidth),
];

/// The marks in a path that make it more than a plain one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Marks(u16);

impl Marks {
    pub(super) const CONTROL: Self = Self(1);
    pub(super) const PERCENT: Self = Self(1 << 1);
    pub(super) const BACKSLASH: Self = Self(1 << 2);
    pub(super) const SEMICOLON: Self = Self(1 << 3);
    pub(super) const QUESTION_MARK: Self = Self(1 << 4);
    pub(super) const HASH: Self = Self(1 << 5);
    pub(super) const DOUBLE_SLASH: Self = Self(1 << 6);
    /// A segment starts with a dot.
    pub(super) const DOTS: Self = Self(1 << 7);
    /// A segment ends in a dot or a space.
    pub(super) const NAME_END: Self = Self(1 << 8);
    /// `::`
    pub(super) const STREAM: Self = Self(1 << 9);
    /// Overlong UTF-8 may stand here.
    pub(super) const OVERLONG: Self = Self(1 << 10);
    /// A fullwidth form may stand here.
    pub(super) const FULLWIDTH: Self = Self(1 << 11);

    /// The marks of `path`, found in one pass.
    pub(super) fn of(path: &[u8]) -> Self {
        let mut marks = Self(0);
        let mut previous = 0;
        for &byte in path {
            let mark = match (previous, byte) {
                (_, 0..=0x1f | 0x7f) => Self::CONTROL,
                (_, b'%') => Self::PERCENT,
                (_, b'\\') => Self::BACKSLASH,
                (_, b';') => Self::SEMICOLON,
                (_, b'?') => Self::QUESTION_MARK,
                (_, b'#') => Self::HASH,
                (b'/', b'/') => Self::DOUBLE_SLASH,
                (b'/', b'.') => Self::DOTS,
                (b'.' | b' ', b'/') => Self::NAME_END,
                (b':', b':') => Self::STREAM,
                (0xc0 | 0xc1 | 0xe0 | 0xf0, 0x80..=0xbf) => Self::OVERLONG,
                (0xef, 0xbc | 0xbd) => Self::FULLWIDTH,
                _ => Self(0),
            };
            marks = marks.or(mark);
            previous = byte;
        }
        if matches!(previous, b'.' | b' ') { marks.or(Self::NAME_END) } else { marks }
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn contains(self, all: Self) -> bool {
        self.0 & all.0 == all.0
    }

    pub(super) const fn intersects(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Whether two hexadecimal digits follow each `%`.
pub(super) fn escapes_are_valid(mut path: &[u8]) -> bool {
    while let [first, rest @ ..] = path {
        path = match (first, escape(path)) {
            (b'%', None) => return false,
            (_, Some((_, rest))) => rest,
            (_, None) => rest,
        };
    }
    true
}

/// Whether there is a `%u0041`, which IIS and old Jetty decode.
pub(super) fn has_wide_escape(path: &[u8]) -> bool {
    path.windows(6).any(|window| match window {
        [b'%', b'u' | b'U', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    })
}

/// Decodes only what a URL can't hold in any other way, so that it has one spelling.
pub(super) fn literal(path: &[u8]) -> Vec<u8> {
    decode_unless(path, |byte| match byte {
        b' ' | b'"' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
        _ => byte.is_ascii(),
    })
}

fn decode(path: &[u8]) -> Vec<u8> {
    decode_unless(path, |_| false)
}

fn decode_segments(path: &[u8]) -> Vec<u8> {
    decode_unless(path, |byte| matches!(byte, b'/' | b'\\'))
}

fn backslashes_to_slashes(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

fn merge_slashes(path: &[u8]) -> Vec<u8> {
    let mut out = path.to_vec();
    out.dedup_by(|byte, previous| *byte == b'/' && *previous == b'/');
    out
}

fn drop_authority(path: &[u8]) -> Vec<u8> {
    if !path.starts_with(b"//") {
        return path.to_vec();
    }
    let after_slashes = path.iter().skip_while(|byte| **byte == b'/');
    let after_host = after_slashes.skip_while(|byte| **byte != b'/');
    let path: Vec<u8> = after_host.copied().collect();
    if path.is_empty() { b"/".to_vec() } else { path }
}

fn resolve_dots(path: &[u8]) -> Vec<u8> {
    resolve(path, true)
}

fn drop_dots(path: &[u8]) -> Vec<u8> {
    resolve(path, false)
}

fn drop_parameters(path: &[u8]) -> Vec<u8> {
    map_segments(path, |segment| until(segment, |byte| *byte == b';'))
}

fn drop_query(path: &[u8]) -> Vec<u8> {
    until(path, |byte| *byte == b'?').to_vec()
}

fn drop_fragment(path: &[u8]) -> Vec<u8> {
    until(path, |byte| *byte == b'#').to_vec()
}

fn trim_names(path: &[u8]) -> Vec<u8> {
    map_segments(path, |segment| {
        let mut name = segment;
        while let [rest @ .., b' '] = name {
            name = rest;
        }
        while let (Dots::None, [rest @ .., b' ' | b'.']) = (Dots::of(name), name) {
            name = rest;
        }
        name
    })
}

fn drop_streams(path: &[u8]) -> Vec<u8> {
    map_segments(path, |segment| {
        let start = segment.windows(3).position(|window| window == b"::$");
        start.and_then(|start| segment.get(..start)).unwrap_or(segment)
    })
}

fn decode_overlong(path: &[u8]) -> Vec<u8> {
    let is_lead = |byte| matches!(byte, 0xc0 | 0xc1 | 0xe0 | 0xf0);
    replace(path, is_lead, |rest| match rest {
        [lead @ (0xc0 | 0xc1), last @ 0x80..=0xbf, after @ ..]
        | [0xe0, lead @ (0x80 | 0x81), last @ 0x80..=0xbf, after @ ..]
        | [0xf0, 0x80, lead @ (0x80 | 0x81), last @ 0x80..=0xbf, after @ ..] => {
            let high = if lead & 1 == 0 { 0 } else { 0x40 };
            Some((high | (last & 0x3f), after))
        }
        _ => None,
    })
}

fn narrow_fullwidth(path: &[u8]) -> Vec<u8> {
    replace(
        path,
        |byte| byte == 0xef,
        |rest| match rest {
            // U+FF01 to U+FF5E stand for U+0021 to U+007E.
            [0xef, 0xbc, last @ 0x81..=0xbf, after @ ..] => Some((last.wrapping_sub(0x60), after)),
            [0xef, 0xbd, last @ 0x80..=0x9e, after @ ..] => Some((last.wrapping_sub(0x20), after)),
            _ => None,
        },
    )
}

/// The two segments that have a meaning of their own, and all others.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Dots {
    None,
    Here,
    Parent,
}

impl Dots {
    fn of(segment: &[u8]) -> Self {
        match segment {
            b"." => Self::Here,
            b".." => Self::Parent,
            _ => Self::None,
        }
    }
}

/// Removes dot segments as RFC 3986 §5.2.4 does; `..` takes the segment before with it if `go_up`.
fn resolve(path: &[u8], go_up: bool) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let found = Dots::of(segment);
        if found == Dots::None {
            kept.push(segment);
            continue;
        }
        if found == Dots::Parent && go_up {
            kept.pop();
        }
        if segments.peek().is_none() {
            kept.push(b"");
        }
    }
    [b"/", kept.join(&b'/').as_slice()].concat()
}

fn map_segments(path: &[u8], change: fn(&[u8]) -> &[u8]) -> Vec<u8> {
    let segments: Vec<_> = path.split(|byte| *byte == b'/').map(change).collect();
    segments.join(&b'/')
}

fn until(bytes: &[u8], ends: fn(&u8) -> bool) -> &[u8] {
    bytes.split(ends).next().unwrap_or(bytes)
}

fn decode_unless(path: &[u8], keep: fn(u8) -> bool) -> Vec<u8> {
    let is_lead = |byte| byte == b'%';
    replace(path, is_lead, |rest| escape(rest).filter(|(byte, _)| !keep(*byte)))
}

/// Goes through `path` and puts one byte wherever `found` finds something: the byte, and what
/// follows. It is asked only where a byte `is_lead`.
fn replace<L, F>(path: &[u8], is_lead: L, found: F) -> Vec<u8>
where
    L: Fn(u8) -> bool,
    F: Fn(&[u8]) -> Option<(u8, &[u8])>,
{
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(place) = rest.iter().position(|byte| is_lead(*byte)) {
        let Some((plain, special)) = rest.split_at_checked(place) else { break };
        let Some((first, after)) = special.split_first() else { break };
        out.extend_from_slice(plain);
        let (byte, after) = found(special).unwrap_or((*first, after));
        out.push(byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

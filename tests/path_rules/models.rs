//! Servers in miniature: what each would serve for the target of a request.
//!
//! They are written after the servers' own code or documentation, on purpose in another way than the
//! gate's steps, so that one can be held against the other.

use url::Url;

/// The names from the root down to what is served; `None` where the server refuses the request.
pub(crate) type Resource = Option<Vec<Vec<u8>>>;

/// A server: from the raw path of a request, without query, to what it serves.
pub(crate) struct Model {
    /// The server that it stands for.
    pub(crate) name: &'static str,
    /// Whether names are found in any case of letters.
    pub(crate) ignores_case: bool,
    /// Its way to serve a path.
    pub(crate) serve: fn(&str) -> Resource,
    /// A spelling of `/premium/secret.txt` that this model serves, and a simple reader would not.
    pub(crate) telling: &'static str,
}

/// All of them.
pub(crate) const MODELS: [Model; 20] = [
    Model {
        name: "Node, request.url as it is",
        ignores_case: false,
        serve: |raw| names(raw.as_bytes()),
        telling: "/premium/secret.txt",
    },
    Model {
        name: "Node, new URL(request.url, base)",
        ignores_case: false,
        serve: |raw| names(whatwg(raw)?.as_bytes()),
        telling: "//open/x/%2E%2e\\premium/secret.txt",
    },
    Model {
        name: "Node, new URL, then decodeURIComponent and path.normalize",
        ignores_case: false,
        serve: |raw| resolve(&merge(&unescape(whatwg(raw)?.as_bytes())?)),
        telling: "//open/open/..%2fpremium/secret.txt",
    },
    Model {
        name: "Express: split, then decode each name",
        ignores_case: true,
        serve: |raw| raw.split('/').skip(1).map(|name| unescape(name.as_bytes())).collect(),
        telling: "/%50remium/%73ecret.txt",
    },
    Model {
        name: "nginx: decode, merge, resolve",
        ignores_case: false,
        serve: |raw| resolve(&merge(&unescape(until(raw, "#").as_bytes())?)),
        telling: "/open//../premium%2fsecret.txt",
    },
    Model {
        name: "nginx without merge_slashes",
        ignores_case: false,
        serve: |raw| resolve(&unescape(until(raw, "#").as_bytes())?),
        telling: "/open//%2e%2e/../premium/secret.txt",
    },
    Model {
        name: "Apache with AllowEncodedSlashes NoDecode",
        ignores_case: false,
        serve: |raw| {
            let kept = raw.replace("%2f", "%252f").replace("%2F", "%252F");
            resolve(&merge(&unescape(kept.as_bytes())?))
        },
        telling: "/a%2fb/%2e./%70remium/secret.txt",
    },
    Model {
        name: "Python http.server",
        ignores_case: false,
        serve: |raw| resolve(&merge(&unescape_leniently(until(until(raw, "?"), "#").as_bytes()))),
        telling: "//open/..%2f/premium/secret.txt",
    },
    Model {
        name: "Python urlsplit, then unquote",
        ignores_case: false,
        serve: |raw| {
            let path =
                raw.strip_prefix("//").map_or(raw, |rest| rest.trim_start_matches(not_slash));
            names(&unescape_leniently(path.as_bytes()))
        },
        telling: "//open/pre%6dium/secret.txt",
    },
    Model {
        name: "Tomcat: parameters off, decode, normalise",
        ignores_case: false,
        serve: |raw| resolve(&merge(&slashes(&unescape(without_parameters(raw).as_bytes())?))),
        telling: "/open/..;v=1/premium;a/secret.txt;b",
    },
    Model {
        name: "Spring: decode, parameters off, merge",
        ignores_case: false,
        serve: |raw| {
            let decoded = String::from_utf8(unescape(raw.as_bytes())?).ok()?;
            resolve(&merge(without_parameters(&decoded).as_bytes()))
        },
        telling: "/premium%3bv=1/secret.txt",
    },
    Model {
        name: "a decoding proxy before nginx",
        ignores_case: false,
        serve: |raw| resolve(&merge(&unescape(&unescape(raw.as_bytes())?)?)),
        telling: "/open/%252e%252e%252fpremium/secret.txt",
    },
    Model {
        name: "two decoding proxies before Tomcat",
        ignores_case: false,
        serve: |raw| {
            let once = unescape(raw.as_bytes())?;
            let twice = String::from_utf8(unescape(&once)?).ok()?;
            resolve(&merge(&slashes(&unescape(without_parameters(&twice).as_bytes())?)))
        },
        telling: "/open/..%25252fpremium/secret.txt",
    },
    Model {
        name: "a resolving proxy before Express",
        ignores_case: true,
        serve: |raw| {
            let clean = resolve(raw.as_bytes())?;
            clean.iter().map(|name| unescape(name)).collect()
        },
        telling: "/a/../PREMIUM/secret%2etxt",
    },
    Model {
        name: "IIS: decode, backslashes, Windows names",
        ignores_case: true,
        serve: |raw| {
            let found = resolve(&merge(&slashes(&unescape(raw.as_bytes())?)))?;
            Some(found.into_iter().map(|name| windows_name(&name)).collect())
        },
        telling: "/open%5c..\\Premium. /secret.txt::$DATA",
    },
    Model {
        name: "PHP: parse_url, then urldecode",
        ignores_case: false,
        serve: |raw| {
            let path =
                raw.strip_prefix("//").map_or(raw, |rest| rest.trim_start_matches(not_slash));
            names(&unescape_leniently(until(path, "#").replace('+', " ").as_bytes()))
        },
        telling: "//x/%70remium/secret.txt",
    },
    Model {
        name: "a handler that parses again what it has decoded",
        ignores_case: false,
        serve: |raw| {
            let decoded = String::from_utf8(unescape(raw.as_bytes())?).ok()?;
            names(whatwg(until(&decoded, "?"))?.as_bytes())
        },
        telling: "/premium/secret.txt%3f/../../open",
    },
    Model {
        name: "a handler that filters dot segments out",
        ignores_case: false,
        serve: |raw| {
            let found = names(&unescape(raw.as_bytes())?)?;
            Some(found.into_iter().filter(|name| name != b"." && name != b"..").collect())
        },
        telling: "/premium/../secret.txt",
    },
    Model {
        name: "an old decoder of overlong UTF-8",
        ignores_case: false,
        serve: |raw| {
            let mut text = unescape(raw.as_bytes())?;
            while let Some(at) = text.windows(2).position(|pair| pair.first() == Some(&0xc0)) {
                let after = text.split_off(at);
                text.push(after.get(1)? & 0x3f);
                text.extend_from_slice(after.get(2..)?);
            }
            resolve(&merge(&text))
        },
        telling: "/open%c0%af%c0%ae%c0%ae/premium/secret.txt",
    },
    Model {
        name: "an application that normalises to NFKC",
        ignores_case: false,
        serve: |raw| {
            let decoded = String::from_utf8(unescape(raw.as_bytes())?).ok()?;
            let narrow = |wide: char| match u32::from(wide) {
                code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0),
                _ => Some(wide),
            };
            let narrowed: Option<String> = decoded.chars().map(narrow).collect();
            resolve(&merge(narrowed?.as_bytes()))
        },
        telling: "/open%ef%bc%8f..%ef%bc%8f%ef%bd%90remium/secret.txt",
    },
];

fn whatwg(raw: &str) -> Option<String> {
    let url = Url::parse("http://origin.test/").ok()?.join(raw).ok()?;
    Some(url.path().to_owned())
}

fn names(path: &[u8]) -> Resource {
    let rest = path.strip_prefix(b"/")?;
    Some(rest.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect())
}

/// Goes through the names one by one, as a file system does; above the root is refused.
fn resolve(path: &[u8]) -> Resource {
    let mut stack: Vec<Vec<u8>> = Vec::new();
    let all = names(path)?;
    let last = all.len().saturating_sub(1);
    for (index, name) in all.into_iter().enumerate() {
        match name.as_slice() {
            b"." => {}
            b".." => {
                stack.pop()?;
            }
            _ => {
                stack.push(name);
                continue;
            }
        }
        if index == last {
            stack.push(Vec::new());
        }
    }
    Some(stack)
}

fn merge(path: &[u8]) -> Vec<u8> {
    let mut text = path.to_vec();
    while let Some(at) = text.windows(2).position(|pair| pair == b"//") {
        text.remove(at);
    }
    text
}

fn slashes(path: &[u8]) -> Vec<u8> {
    path.split(|byte| *byte == b'\\').collect::<Vec<_>>().join(&b'/')
}

/// Decodes once; invalid escapes and NUL are refused, as most servers do.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut pieces = text.split(|byte| *byte == b'%');
    let mut out = pieces.next()?.to_vec();
    for piece in pieces {
        let byte = hex(piece).filter(|byte| *byte != 0)?;
        out.push(byte);
        out.extend_from_slice(piece.get(2..)?);
    }
    Some(out)
}

/// Decodes once; invalid escapes stay as they are, as in Python and PHP.
fn unescape_leniently(text: &[u8]) -> Vec<u8> {
    let mut pieces = text.split(|byte| *byte == b'%');
    let mut out = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        if let (Some(byte), Some(rest)) = (hex(piece), piece.get(2..)) {
            out.push(byte);
            out.extend_from_slice(rest);
        } else {
            out.push(b'%');
            out.extend_from_slice(piece);
        }
    }
    out
}

fn hex(piece: &[u8]) -> Option<u8> {
    let digits = piece.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

fn without_parameters(path: &str) -> String {
    let kept: Vec<_> = path.split('/').map(|name| until(name, ";")).collect();
    kept.join("/")
}

fn windows_name(name: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(name).to_ascii_lowercase();
    let file = text.split("::$").next().unwrap_or_default();
    file.trim_end_matches(['.', ' ']).as_bytes().to_vec()
}

fn until<'a>(text: &'a str, end: &str) -> &'a str {
    text.split(end).next().unwrap_or(text)
}

fn not_slash(character: char) -> bool {
    character != '/'
}

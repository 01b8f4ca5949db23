//! One site with several isolates and its object, and what a reader can do there.

use std::sync::LazyLock;

use tollgate::allowance::{
    Allowance, AllowanceKey, COOKIE_NAME, CountKey, Grant, Page, Reader, ReaderId, ReaderMemory,
    ReaderStore, Readers, ReadersReply, ReadersRequest, SHARDS, Verdict, View,
};
use tollgate::request::{RequestFacts, readings};
use tollgate::time::Timestamp;

use crate::memory_readers::MemoryReaders;

/// 2026-11-24T20:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_550_400);
pub(crate) const HOST: &str = "news.example";

pub(crate) fn key() -> AllowanceKey {
    KEY.clone()
}

static KEY: LazyLock<AllowanceKey> =
    LazyLock::new(|| AllowanceKey::new("a secret of thirty-two bytes at least"));

pub(crate) fn allowance(text: &str) -> Allowance {
    Allowance::parse(text).unwrap()
}

/// The page at `/number`, under `reader`'s name of it.
pub(crate) fn page(reader: ReaderId, number: u32) -> Page {
    let facts = RequestFacts::from_lines(&format!("GET\nhttps://{HOST}/{number}")).unwrap();
    Page::names(&facts, &readings(&facts.path).unwrap(), &reader, &key())[0]
}

/// The cookie's value in a `Set-Cookie` field.
pub(crate) fn value(set_cookie: &str) -> String {
    let (name, rest) = set_cookie.split_once('=').unwrap();
    assert_eq!(name, COOKIE_NAME);
    rest.split(';').next().unwrap().to_owned()
}

/// The outcome of a request.
pub(crate) struct Served {
    pub(crate) view: View,
    pub(crate) reader: ReaderId,
    /// The cookie that was sent with it, if the view counted.
    pub(crate) cookie: Option<String>,
}

impl Served {
    pub(crate) fn grant(&self) -> Option<Grant> {
        match self.view.verdict {
            Verdict::Counted(grant) => Some(grant),
            Verdict::AlreadySeen | Verdict::UsedUp => None,
        }
    }
}

pub(crate) struct Site {
    pub(crate) allowance: Allowance,
    pub(crate) isolates: Vec<ReaderMemory>,
    pub(crate) object: Readers,
    pub(crate) store: MemoryReaders,
    pub(crate) now: Timestamp,
    /// Grants with a page that reached the reader, by isolate.
    pub(crate) delivered: Vec<u32>,
    readers: u32,
}

impl Site {
    pub(crate) fn new(text: &str, isolates: usize) -> Self {
        Self {
            allowance: allowance(text),
            isolates: std::iter::repeat_with(ReaderMemory::default).take(isolates).collect(),
            object: Readers::default(),
            store: MemoryReaders::default(),
            now: NOW,
            delivered: vec![0; isolates],
            readers: 0,
        }
    }

    /// A request to an isolate, all the way to a page that the origin delivers.
    pub(crate) fn get(&mut self, isolate: usize, cookie: Option<&str>, number: u32) -> Served {
        let served = self.get_undelivered(isolate, cookie, number);
        if let Some(grant) = served.grant() {
            self.isolates[isolate].confirm(&grant, self.now);
            self.delivered[isolate] += 1;
        }
        served
    }

    /// The same for an origin that fails.
    pub(crate) fn get_failing(&mut self, isolate: usize, cookie: Option<&str>, number: u32) {
        let served = self.get_undelivered(isolate, cookie, number);
        if let Some(grant) = served.grant() {
            self.isolates[isolate].give_back(&grant);
        }
    }

    /// The same, before anything is known of the origin.
    pub(crate) fn get_undelivered(
        &mut self,
        isolate: usize,
        cookie: Option<&str>,
        number: u32,
    ) -> Served {
        let key = key();
        let known = cookie.and_then(|value| Reader::read(value, &key, HOST, self.now));
        let mut reader = known.unwrap_or_else(|| {
            self.readers += 1;
            Reader::new(key.reader_id(&format!("{isolate}:{}", self.readers)))
        });
        let page = page(reader.id(), number);
        let watch = &mut self.isolates[isolate];
        let view = watch.view(&mut reader, self.allowance, page, self.now);
        let counted = matches!(view.verdict, Verdict::Counted(_));
        let cookie = counted.then(|| value(&reader.set_cookie(&key, HOST, self.now)));
        Served { view, reader: reader.id(), cookie }
    }

    /// All that an isolate has to report.
    pub(crate) fn take(&mut self, isolate: usize) -> Vec<ReadersRequest> {
        (0..SHARDS).filter_map(|shard| self.isolates[isolate].take(shard)).collect()
    }

    /// A report arrives; the answer doesn't arrive yet.
    pub(crate) fn report(&mut self, request: &ReadersRequest) -> ReadersReply {
        self.object.handle(&mut self.store, request, self.now).unwrap()
    }

    /// An isolate reports, and is answered.
    pub(crate) fn sync(&mut self, isolate: usize) {
        for request in self.take(isolate) {
            let reply = self.report(&request);
            self.isolates[isolate].correct(&reply.corrections);
        }
    }

    /// The highest count of a reader in the object.
    pub(crate) fn highest(&self, reader: ReaderId) -> u8 {
        let starts_at = self.allowance.window(self.now).starts_at;
        self.store.highest(CountKey { reader, allowance: self.allowance, starts_at }).unwrap()
    }
}

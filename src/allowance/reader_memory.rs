//! The side of an isolate: the counts it has seen, and those it has yet to report.

use super::reader::Reader;
use super::tally::Tally;
use super::{
    Allowance, Correction, CountKey, Grant, Observation, Page, ReaderId, ReadersRequest, View,
};
use crate::bounded_map::BoundedMap;
use crate::time::Timestamp;

/// One isolate's counts of readers. The runtime may throw them away at any time: a reader's
/// cookie then counts as it is, until the next report is answered.
#[derive(Debug)]
pub struct ReaderMemory {
    known: BoundedMap<(ReaderId, Allowance), Tally>,
    /// One for each shard.
    batches: Vec<Batch>,
}

impl Default for ReaderMemory {
    fn default() -> Self {
        let batches = std::iter::repeat_with(Batch::default).take(usize::from(SHARDS));
        Self { known: BoundedMap::new(MAX_KNOWN), batches: batches.collect() }
    }
}

impl ReaderMemory {
    /// The one of a page's names that the reader's counts hold, in its cookie or here; the first
    /// where they hold none. `None` where there are no names.
    pub fn name_of(
        &self,
        reader: &Reader,
        allowance: Allowance,
        names: &[Page],
        now: Timestamp,
    ) -> Option<Page> {
        let here = self.known.get(&(reader.id(), allowance)).filter(|one| one.is_current(now));
        let tallies = [reader.tally(allowance, now), here];
        let is_known = |name: &&Page| tallies.iter().flatten().any(|one| one.pages.contains(name));
        names.iter().find(is_known).or(names.first()).copied()
    }

    /// Looks at a page as [`Reader::view`] does, and at this isolate's counts besides: neither an
    /// older cookie nor a request at the same time takes a reader back to a lower count here.
    pub fn view(
        &mut self,
        reader: &mut Reader,
        allowance: Allowance,
        page: Page,
        now: Timestamp,
    ) -> View {
        let key = (reader.id(), allowance);
        if let Some(known) = self.known.get(&key) {
            reader.absorb(known, now);
        }
        // A first view is nothing to be held to, and costs nobody anything to have. Remembering it
        // would let strangers push out those who have a count.
        let has_count = reader.used(allowance, now) > 0;
        let view = reader.view(allowance, page, now);
        if let Some(tally) = reader.tally(allowance, now).filter(|_| has_count) {
            self.known.insert(key, tally.clone(), &mut |_, _| {});
        }
        view
    }

    /// A counted view has reached the reader: notes it for the report. Returns the time of a report
    /// that nobody was asked for yet.
    ///
    /// A reader's first view in a period is not reported: there is nothing to go back to that would
    /// be worth more than a new cookie.
    pub fn confirm(&mut self, grant: &Grant, now: Timestamp) -> Option<ReportDue> {
        if grant.had == 0 {
            return None;
        }
        let shard = shard_of(grant.count.reader);
        let batch = self.batches.get_mut(usize::from(shard))?;
        batch.note(grant);
        batch.due(now).map(|after_ms| ReportDue { shard, after_ms })
    }

    /// A counted view came to nothing: the reader has it back here. The cookie that holds the view
    /// must not be sent.
    pub fn give_back(&mut self, grant: &Grant) {
        let CountKey { reader, allowance, starts_at } = grant.count;
        if let Some(known) = self.known.get_mut(&(reader, allowance))
            && known.starts_at == starts_at
        {
            known.remove(grant.page);
        }
    }

    /// Everything that is to be reported to a shard; `None` where somebody else has taken it. If
    /// the report gets lost, nothing is done about it: the reader's next view is reported again.
    pub fn take(&mut self, shard: u8) -> Option<ReadersRequest> {
        let batch = std::mem::take(self.batches.get_mut(usize::from(shard))?);
        let observations = batch.observations;
        (!observations.is_empty()).then_some(ReadersRequest { observations })
    }

    /// Takes over what a report was answered, and holds these readers to it from now on.
    pub fn correct(&mut self, corrections: &[Correction]) {
        for correction in corrections {
            let CountKey { reader, allowance, starts_at } = correction.count;
            let key = (reader, allowance);
            let known = self.known.get(&key).filter(|known| known.starts_at >= starts_at).cloned();
            let mut tally = known.unwrap_or_else(|| Tally::new(allowance, starts_at));
            if tally.starts_at == starts_at {
                tally.raise_to(correction.used);
            }
            self.known.insert(key, tally, &mut |_, _| {});
        }
    }
}

/// A report that is to be made, off the request's path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReportDue {
    /// The shard.
    pub shard: u8,
    /// The delay, so that others come along; 0 where there are enough.
    pub after_ms: u32,
}

/// Number of objects that readers are spread over. With another number most readers belong to an
/// object without their counts, until they have been seen again.
pub const SHARDS: u8 = 16;

/// The observations to report to one shard.
#[derive(Debug, Default)]
struct Batch {
    /// One for each reader, allowance and period.
    observations: Vec<Observation>,
    promised_at: Option<Timestamp>,
    is_urgent: bool,
}

impl Batch {
    /// Adds a grant to what is known of its reader. Where there is no room it is lost, and the
    /// reader's next view makes up for it.
    fn note(&mut self, grant: &Grant) {
        let &Grant { count, had, has, .. } = grant;
        if let Some(other) = self.observations.iter_mut().find(|other| other.count == count) {
            other.had = other.had.min(had);
            other.has = other.has.max(has);
        } else if self.observations.len() < MAX_OBSERVATIONS {
            self.observations.push(Observation { count, had, has });
        }
    }

    /// After how long somebody has to report; `None` where that was promised already. A promise is
    /// broken where the request that gave it was ended by the platform.
    fn due(&mut self, now: Timestamp) -> Option<u32> {
        let is_full = self.observations.len() >= BATCH_SIZE;
        let lasts = |at: Timestamp| (0..PROMISE_LASTS_MS).contains(&now.ms_since(at));
        let is_promised = self.promised_at.is_some_and(lasts);
        if is_promised && (self.is_urgent || !is_full) {
            return None;
        }
        self.promised_at = Some(now);
        self.is_urgent = is_full;
        Some(if is_full { 0 } else { REPORT_AFTER_MS })
    }
}

/// Time for which an observation waits for company. A reader with an old cookie may gain as long,
/// and the time of the object's answer, in an isolate that has not seen it before.
const REPORT_AFTER_MS: u32 = 2_000;
/// A report that is this late will not come any more.
const PROMISE_LASTS_MS: i64 = 10_000;
/// As many observations don't wait.
const BATCH_SIZE: usize = 64;
/// Further observations are lost: memory must not grow where nobody comes to report.
const MAX_OBSERVATIONS: usize = 256;
/// At most 2 MB, where each reader has an allowance of 100 and has used it.
const MAX_KNOWN: usize = 4_096;

/// Ids are random, so any byte of one spreads them evenly.
fn shard_of(reader: ReaderId) -> u8 {
    let [first, ..] = *reader.as_bytes();
    first.checked_rem(SHARDS).unwrap_or_default()
}

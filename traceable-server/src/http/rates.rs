//! How often one may ask. It is meant for what runs wild and for who guesses tokens: no SDK comes near it.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How many at once, and how many a second from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Limit {
    burst: u32,
    rate: u32,
}

const REQUESTS: Limit = Limit { burst: 10_000, rate: 2_000 };

/// Of wrong tokens.
const GUESSES: Limit = Limit { burst: 500, rate: 10 };

/// Buckets at once. When there are more, the one that is fullest goes, for it says least.
const BUCKETS: usize = 4_096;

/// A bucket for each address and key. Of a key only a hash is kept, with a salt of this process.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    salt: RandomState,
    buckets: Mutex<HashMap<u64, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    limit: Limit,
    /// Of its burst.
    left: f64,
    at: Instant,
}

impl Bucket {
    const fn full(limit: Limit, at: Instant) -> Self {
        Self { limit, left: limit.burst as f64, at }
    }

    fn left(self, now: Instant) -> f64 {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * f64::from(self.limit.rate);
        (more + self.left).min(f64::from(self.limit.burst))
    }

    /// How full it is.
    fn share(self, now: Instant) -> f64 {
        self.left(now) / f64::from(self.limit.burst)
    }
}

impl Rates {
    /// Counts a request of an address with a key, or with none.
    ///
    /// # Errors
    ///
    /// How long to wait, when it is one too many.
    pub(super) fn take(&self, peer: IpAddr, key: Option<&[u8]>, now: Instant) -> Result<(), Duration> {
        self.pay(peer, key, REQUESTS, now)
    }

    /// Counts a wrong token, whichever it is, against the address.
    ///
    /// # Errors
    ///
    /// How long to wait, when it is one too many.
    pub(super) fn wrong(&self, peer: IpAddr, now: Instant) -> Result<(), Duration> {
        self.pay(peer, None, GUESSES, now)
    }

    fn pay(&self, peer: IpAddr, key: Option<&[u8]>, limit: Limit, now: Instant) -> Result<(), Duration> {
        let id = self.salt.hash_one((whole(peer), key, limit));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.get(&id).copied().unwrap_or(Bucket::full(limit, now));
        let left = bucket.left(now);
        if left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left) / f64::from(limit.rate)));
        }
        if buckets.len() >= BUCKETS && !buckets.contains_key(&id) {
            let fullest = buckets.iter().max_by(|(_, one), (_, other)| one.share(now).total_cmp(&other.share(now)));
            if let Some(fullest) = fullest.map(|(id, _)| *id) {
                buckets.remove(&fullest);
            }
        }
        buckets.insert(id, Bucket { left: left - 1.0, at: now, ..bucket });
        Ok(())
    }
}

/// Of IPv6, whoever has one address has all of its network.
fn whole(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_flood_is_stopped_and_others_are_not() {
        let (rates, start) = (Rates::default(), Instant::now());
        let taken = (0..20_000).filter(|_| rates.take(PEER, Some(b"a"), start).is_ok()).count();
        assert_eq!(taken, 10_000);
        assert!(rates.take(PEER, Some(b"a"), start).is_err_and(|wait| wait <= Duration::from_millis(1)));
        assert_eq!((rates.take(PEER, Some(b"b"), start), rates.take(PEER, None, start)), (Ok(()), Ok(())));
        let later = start + Duration::from_millis(500);
        let taken = (0..20_000).filter(|_| rates.take(PEER, Some(b"a"), later).is_ok()).count();
        assert_eq!(taken, 1_000);
    }

    #[test]
    fn guesses_are_few() {
        let (rates, start) = (Rates::default(), Instant::now());
        let network = |last: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
        let taken = (0..1_000).filter(|guess| rates.wrong(network(*guess), start).is_ok()).count();
        assert_eq!(taken, 500);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..1_000).filter(|guess| rates.wrong(network(*guess), later).is_ok()).count(), 10);
    }

    #[test]
    fn the_table_does_not_grow() {
        let (rates, start) = (Rates::default(), Instant::now());
        for _ in 0..10_000 {
            assert_eq!(rates.take(PEER, None, start), Ok(()));
        }
        for key in 0..10_000_u32 {
            assert_eq!(rates.take(PEER, Some(&key.to_be_bytes()), start), Ok(()));
        }
        assert!(rates.buckets.lock().expect("buckets").len() <= BUCKETS);
        assert!(rates.take(PEER, None, start).is_err(), "an empty bucket stays");
    }
}

//! How many requests may be on their way, and when the next one may go.
//!
//! - While the backend takes what it is sent, one request more at a time, up to the limit.
//! - A failure halves that, and nothing goes before a wait that grows from failure to failure; then one request alone,
//!   until one is taken.
//! - Requests that were on their way together and fail together are one failure.
//! - Ten minutes of failures are at most sixty requests: once the wait is at its longest, chance takes off a half at most.

use std::time::{Duration, Instant};

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait once a backend has been failing for [`LONG`].
const LONGEST_WAIT_LATER: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(600);
/// How often a backend that refuses everything is asked, at first and later.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_LATER: Duration = Duration::from_secs(300);
/// Failures in a row after which nobody need wait for the backend.
const OPENS: u32 = 3;
/// Nobody need wait for a backend either that asks to be left alone for longer than this.
const OPENS_FOR: Duration = Duration::from_secs(5);

/// Gives numbers between 0 and 1.
pub(super) type Jitter = Box<dyn FnMut() -> f64 + Send>;

/// See the module.
pub(super) struct Pace {
    most: usize,
    allowed: usize,
    /// Requests taken since `allowed` last grew.
    taken: usize,
    /// Failures in a row.
    failures: u32,
    failing_since: Option<Instant>,
    /// Nothing goes before this.
    hold: Option<Instant>,
    /// How long the backend asked to be left alone, which also holds when another request is taken meanwhile.
    asked: Option<Duration>,
    is_paused: bool,
    jitter: Jitter,
}

impl Pace {
    pub(super) fn new(most: usize, jitter: Jitter) -> Self {
        Self {
            most: most.max(1),
            allowed: 1,
            taken: 0,
            failures: 0,
            failing_since: None,
            hold: None,
            asked: None,
            is_paused: false,
            jitter,
        }
    }

    /// Whether one more request may go.
    pub(super) fn may_send(&self, in_flight: usize, now: Instant) -> bool {
        let allowed = if self.failures > 0 { 1 } else { self.allowed };
        in_flight < allowed && self.hold.is_none_or(|hold| hold <= now)
    }

    /// When the next request may go, where it is the time that it waits for.
    pub(super) fn hold(&self) -> Option<Instant> {
        self.hold
    }

    /// Since when nothing was taken.
    pub(super) fn failing_since(&self) -> Option<Instant> {
        self.failing_since
    }

    /// Whether so little can be hoped for that nobody should wait.
    pub(super) fn is_open(&self) -> bool {
        self.is_paused || self.failures >= OPENS || self.asked.is_some_and(|asked| asked > OPENS_FOR)
    }

    /// The backend is there: it took a request, or judged what was in it.
    pub(super) fn answered(&mut self, now: Instant) {
        let is_asked = self.asked.is_some() && self.hold.is_some_and(|hold| hold > now);
        if !is_asked {
            (self.failures, self.failing_since, self.is_paused) = (0, None, false);
            (self.hold, self.asked) = (None, None);
        }
    }

    /// A request was taken.
    pub(super) fn taken(&mut self, now: Instant) {
        self.answered(now);
        self.taken += 1;
        if self.failures == 0 && self.taken >= self.allowed && self.allowed < self.most {
            self.allowed += 1;
            self.taken = 0;
        }
    }

    /// A request is to be tried again, after this time where the backend asked for one.
    pub(super) fn failed(&mut self, now: Instant, asked: Option<Duration>) {
        self.slow_down(now);
        self.is_paused = false;
        let wait = match asked {
            Some(asked) => {
                self.asked = Some(self.asked.map_or(asked, |before| before.max(asked)));
                asked + (asked / 10).max(FIRST_WAIT).mul_f64(self.chance())
            }
            None => self.wait(now),
        };
        self.hold_until(now + wait);
    }

    /// Nothing will be taken until somebody acts.
    pub(super) fn paused(&mut self, now: Instant) {
        self.slow_down(now);
        self.is_paused = true;
        let is_long = self.failing_since.is_some_and(|since| now.duration_since(since) >= LONG);
        self.hold_until(now + if is_long { PAUSE_LATER } else { PAUSE });
    }

    fn slow_down(&mut self, now: Instant) {
        self.failing_since.get_or_insert(now);
        if self.hold.is_none_or(|hold| hold <= now) {
            (self.hold, self.asked) = (None, None);
            self.failures = self.failures.saturating_add(1);
            self.allowed = (self.allowed / 2).max(1);
            self.taken = 0;
        }
    }

    fn hold_until(&mut self, moment: Instant) {
        self.hold = Some(self.hold.map_or(moment, |hold| hold.max(moment)));
    }

    /// Anything up to twice the wait before, so that many processes do not come back at once.
    fn wait(&mut self, now: Instant) -> Duration {
        let is_long = self.failing_since.is_some_and(|since| now.duration_since(since) >= LONG);
        let longest = if is_long { LONGEST_WAIT_LATER } else { LONGEST_WAIT };
        let wait = FIRST_WAIT.saturating_mul(1 << self.failures.saturating_sub(1).min(10)).min(longest);
        let chance = self.chance();
        wait.mul_f64(if wait == longest { 0.5 + chance / 2.0 } else { chance })
    }

    fn chance(&mut self) -> f64 {
        (self.jitter)().clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(chance: f64) -> Pace {
        Pace::new(4, Box::new(move || chance))
    }

    /// How many requests go, each ten minutes, to a backend that gives this answer to all, each in no time.
    fn requests(mut pace: Pace, answer: impl Fn(&mut Pace, Instant)) -> [usize; 2] {
        let mut now = Instant::now();
        let end = [now + LONG, now + 2 * LONG];
        end.map(|end| {
            let mut sent = 0;
            while now < end {
                assert!(pace.may_send(0, now));
                sent += 1;
                answer(&mut pace, now);
                now = pace.hold().unwrap_or(now);
            }
            sent
        })
    }

    #[test]
    fn a_backend_that_is_down_is_asked_at_most_sixty_times_in_ten_minutes_whatever_chance_says() {
        for chance in [0.0, 0.1, 0.5, 1.0] {
            let [sent, later] = requests(pace(chance), |pace, now| pace.failed(now, None));
            assert!((20..=56).contains(&sent), "{chance}: {sent}");
            assert!((9..=21).contains(&later), "{chance}: {later}");
        }
    }

    #[test]
    fn a_backend_that_refuses_everything_is_asked_every_minute_and_later_every_five() {
        assert_eq!(requests(pace(0.5), Pace::paused), [10, 2]);
    }

    #[test]
    fn one_request_more_at_a_time_and_half_of_them_after_a_failure() {
        let (mut pace, now) = (pace(0.0), Instant::now());
        let allowed = |pace: &Pace| (0..9).take_while(|in_flight| pace.may_send(*in_flight, now)).count();
        let mut seen = Vec::new();
        for _ in 0..8 {
            seen.push(allowed(&pace));
            pace.taken(now);
        }
        assert_eq!(seen, [1, 2, 2, 3, 3, 3, 4, 4]);
        pace.failed(now, None);
        assert_eq!(allowed(&pace), 1, "one alone until it is known that the backend is well");
        pace.taken(now);
        assert_eq!(allowed(&pace), 2);
    }

    #[test]
    fn what_was_asked_for_is_kept_even_when_another_request_was_taken() {
        let (mut pace, now) = (pace(0.0), Instant::now());
        let asked = Duration::from_secs(7);
        pace.failed(now, Some(asked));
        pace.taken(now);
        assert!(!pace.may_send(0, now + asked / 2));
        assert!(pace.is_open());
        assert!(pace.may_send(0, now + asked) && !pace.may_send(1, now + asked));
        pace.taken(now + asked);
        assert!(!pace.is_open() && pace.may_send(1, now + asked));
    }

    #[test]
    fn failures_of_requests_that_went_together_are_one() {
        let (mut pace, now) = (pace(1.0), Instant::now());
        for _ in 0..4 {
            pace.failed(now, None);
        }
        assert_eq!(pace.hold(), Some(now + FIRST_WAIT));
        assert!(!pace.is_open());
    }
}

//! How often somebody may try to log in: for one account, and from one address.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::token;
use crate::config::Logins;
use crate::http::problem::Problem;

/// How many accounts and addresses are remembered before those that may try freely again are forgotten.
const MANY: usize = 10_000;

/// How often somebody may try.
#[derive(Debug)]
pub struct Attempts {
    accounts: DefaultKeyedRateLimiter<[u8; 32]>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
}

impl Attempts {
    /// By the configuration.
    pub fn new(logins: &Logins) -> Attempts {
        let quota = |count: u32| Quota::per_minute(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN));
        Attempts {
            accounts: RateLimiter::keyed(quota(logins.attempts_per_minute)),
            addresses: RateLimiter::keyed(quota(logins.address_attempts_per_minute)),
        }
    }

    /// Counts an attempt; an error, there were too many. The account is what was asked for, whether it exists or not.
    pub fn count(&self, account: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        self.count_address(address)?;
        check(&self.accounts, &token::hash(account))
    }

    /// Counts an attempt of nobody in particular.
    pub fn count_address(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        address.map_or(Ok(()), |address| check(&self.addresses, &network(address)))
    }
}

/// A computer with IPv6 has a whole network of addresses to try from.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            },
            IpAddr::V4,
        ),
    }
}

fn check<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Problem> {
    if limiter.len() > MANY {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|not_until| {
        let wait_s = not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        Problem::too_many(format!("too many logins were tried; wait {wait_s} s"), wait_s)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts() -> Attempts {
        Attempts::new(&Logins { session_hours: 1, attempts_per_minute: 3, address_attempts_per_minute: 5 })
    }

    #[test]
    fn an_account_is_held_up_from_wherever_it_is_tried_and_others_are_not() {
        let attempts = attempts();
        for k in 0..3u8 {
            assert_eq!(attempts.count("a", Some(IpAddr::from([10, 0, 0, k]))), Ok(()));
        }
        let problem = attempts.count("a", Some(IpAddr::from([10, 0, 0, 9]))).unwrap_err();
        assert_eq!(problem.status, 429);
        assert!(problem.retry_after_s.is_some_and(|wait| (1..=21).contains(&wait)), "{problem:?}");
        assert_eq!(attempts.count("b", Some(IpAddr::from([10, 0, 0, 9]))), Ok(()));
    }

    #[test]
    fn an_address_is_held_up_whichever_account_it_tries() {
        let attempts = attempts();
        let here = |host: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 7, 0, 0, 0, host]));
        for k in 0..5u16 {
            assert_eq!(attempts.count(&format!("account {k}"), here(k)), Ok(()));
        }
        assert!(attempts.count("another", here(99)).is_err());
    }
}

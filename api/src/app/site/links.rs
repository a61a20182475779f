//! Chargers that somebody else passes our setpoints on to: whether they can be reached is told by nobody, and follows from
//! what is taken and reported.

use std::time::Duration;

use kwartier_engine::control::{Event, Stays};

/// A charger counts as reached for so long after its setpoints were taken, or it reported.
pub const HEARD: Duration = Duration::from_secs(75);

/// Within so long after a loop begins, or a site changes, who is connected has said so.
const SAYS: Duration = Duration::from_secs(10);

/// Who has not said so for so long after that has not connected yet.
const OVERDUE: Duration = Duration::from_secs(130);

/// The links of a site's devices.
#[derive(Debug)]
pub struct Links {
    /// Whether a device is reached over the API.
    over_api: Vec<bool>,
    /// When it reported last.
    reported: Vec<Option<Duration>>,
    /// Whether it was reported to be out of reach.
    offline: Vec<bool>,
    /// When somebody took the site's setpoints last.
    taken: Option<Duration>,
    /// Whether each device counts as connected.
    up: Vec<bool>,
    /// By when a device should have said whether it is connected; `None`, it has.
    says_by: Vec<Option<Duration>>,
}

impl Links {
    /// Nothing is connected, as far as is known yet.
    pub fn new(over_api: Vec<bool>, run: Duration) -> Links {
        let count = over_api.len();
        Links {
            over_api,
            reported: vec![None; count],
            offline: vec![false; count],
            taken: None,
            up: vec![false; count],
            says_by: vec![Some(run + SAYS); count],
        }
    }

    /// Takes over what was known before the site changed. Who holds a connection says so again; who does not is no longer there.
    pub fn take_over(&mut self, before: &Links, stays: &Stays, run: Duration) {
        self.taken = before.taken;
        for (device, was) in stays.named.iter().enumerate() {
            let Some(was) = was.filter(|&was| before.over_api[was] == self.over_api[device]) else { continue };
            if self.over_api[device] {
                self.reported[device] = before.reported[was];
                self.offline[device] = before.offline[was];
            }
            if stays.devices[device].is_some() {
                self.up[device] = before.up[was];
                // Whoever was to say so already has no more time for it.
                self.says_by[device] = before.says_by[was].or(before.up[was].then_some(run + SAYS));
            }
        }
    }

    /// The setpoints of the site were taken.
    pub fn taken(&mut self, run: Duration) {
        self.taken = Some(run);
    }

    /// A device has reported.
    pub fn reported(&mut self, device: usize, online: bool, run: Duration) {
        self.reported[device] = Some(run);
        self.offline[device] = !online;
    }

    /// What a device itself has told, or whoever holds its connection.
    pub fn hear(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Link { device, up } => (self.up[*device], self.says_by[*device]) = (*up, None),
                Event::Booted { device } => (self.up[*device], self.says_by[*device]) = (true, None),
                _ => {}
            }
        }
    }

    /// Whether a device counts as connected.
    pub fn up(&self, device: usize) -> bool {
        self.up[device]
    }

    /// Whether a device may still be about to say that it is connected.
    pub fn is_awaited(&self, device: usize, run: Duration) -> bool {
        self.says_by[device].is_some_and(|by| run < by)
    }

    /// Whether nobody has heard of a device for so long that this is worth a word.
    pub fn is_overdue(&self, device: usize, run: Duration) -> bool {
        self.says_by[device].is_some_and(|by| run >= by + OVERDUE)
    }

    /// Whether somebody else passes setpoints on to it and has never reported anything of it.
    pub fn unreported(&self, device: usize) -> bool {
        self.over_api[device] && self.reported[device].is_none()
    }

    /// Whether somebody else passes setpoints on to it.
    pub fn over_api(&self, device: usize) -> bool {
        self.over_api[device]
    }

    /// What has changed by now.
    pub fn settle(&self, run: Duration) -> Vec<Event> {
        let fresh = |at: Option<Duration>| at.is_some_and(|at| run.saturating_sub(at) <= HEARD);
        let taken = fresh(self.taken);
        let mut events = Vec::new();
        for device in 0..self.up.len() {
            if !self.over_api[device] {
                let gone = self.up[device] && self.says_by[device].is_some_and(|by| run >= by);
                events.extend(gone.then_some(Event::Link { device, up: false }));
                continue;
            }
            let up = !self.offline[device] && (taken || fresh(self.reported[device]));
            if up != self.up[device] {
                events.push(Event::Link { device, up });
            }
        }
        events
    }

    /// What a loop that begins again is told.
    pub fn all(&self) -> impl Iterator<Item = Event> + '_ {
        self.up.iter().enumerate().map(|(device, &up)| Event::Link { device, up })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn who_is_not_heard_of_for_a_while_is_out_of_reach() {
        let mut links = Links::new(vec![true, true, false], Duration::ZERO);
        assert_eq!(links.settle(S), []);
        links.reported(0, true, 10 * S);
        let up = links.settle(10 * S);
        assert_eq!(up, [Event::Link { device: 0, up: true }]);
        links.hear(&up);
        assert_eq!(links.settle(10 * S + HEARD), []);
        assert_eq!(links.settle(11 * S + HEARD), [Event::Link { device: 0, up: false }]);
        // Whoever takes the site's setpoints reaches all of them; the third has a connection of its own.
        links.taken(11 * S + HEARD);
        let up = links.settle(11 * S + HEARD);
        assert_eq!(up, [Event::Link { device: 1, up: true }]);
        links.hear(&up);
        assert!(links.unreported(1) && !links.unreported(0) && !links.unreported(2));
        links.reported(1, false, 12 * S + HEARD);
        assert_eq!(links.settle(12 * S + HEARD), [Event::Link { device: 1, up: false }]);
    }
}

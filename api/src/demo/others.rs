//! The demo's loads and battery: no protocol of theirs is spoken, so what they do is told to the loop in the process, and what they
//! are to do comes from there.

use chrono::{DateTime, Utc};
use kwartier_engine::control::Setup;
use kwartier_engine::control::command::{self, Why};
use kwartier_engine::control::event::Event;
use kwartier_engine::control::setup::Kind;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, mpsc};

use super::site::SITE;
use crate::app::{self, Handle};
use crate::resource::setpoint::Setpoint;

/// All of them.
pub struct Others {
    setup: Setup,
    app: Handle,
    orders: mpsc::Sender<command::Setpoint>,
    coming: Option<broadcast::Receiver<Setpoint>>,
    events: Vec<Event>,
}

impl Others {
    /// Of a site that the loop knows; what they are to do goes to `orders`.
    pub fn new(setup: Setup, app: Handle, orders: mpsc::Sender<command::Setpoint>) -> Others {
        Others { setup, app, orders, coming: None, events: Vec::new() }
    }

    /// The site has changed, and they are connected as before: whoever holds a link says so again.
    pub fn connected(&mut self) {
        let all = self.setup.devices.iter().enumerate().filter(|(_, own)| own.kind != Kind::Station);
        self.events.extend(all.map(|(device, _)| Event::Link { device, up: true }));
    }

    /// One of them has done something.
    pub fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Passes on what has come, in both directions.
    pub fn pass(&mut self, setup: u64, now: DateTime<Utc>) {
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() && self.app.tell(app::Event::Device { site: SITE.to_owned(), setup, events }).is_err() {
            tracing::debug!("the loop is busy and does not hear the demo's loads");
        }
        if self.coming.is_none()
            && let Some(follower) = self.app.follow(SITE, None)
        {
            follower.backlog.iter().for_each(|setpoint| self.order(setpoint, now));
            self.coming = Some(follower.coming);
        }
        while let Some(coming) = &mut self.coming {
            match coming.try_recv() {
                Ok(setpoint) => self.order(&setpoint, now),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => self.coming = None,
            }
        }
    }

    fn order(&self, setpoint: &Setpoint, now: DateTime<Utc>) {
        let valid_s = (setpoint.valid_until - now).as_seconds_f64();
        let device = self.setup.device(&setpoint.charger).filter(|_| valid_s > 0.0);
        let Some(device) = device.filter(|&device| self.setup.devices[device].kind != Kind::Station) else { return };
        let (number, amps, phases) = (setpoint.number, setpoint.limit_a, setpoint.phases);
        let order = command::Setpoint { number, device, amps, phases, phase: None, valid_s, why: Why::Plan };
        // What is lost is said again.
        let _ = self.orders.try_send(order);
    }
}

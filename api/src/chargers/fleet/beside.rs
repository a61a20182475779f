//! What happens at the depot that neither stations nor meters tell: who states stays, and what loads and batteries do.

use kwartier_engine::control::command::Setpoint;
use kwartier_engine::control::event::Event;
use kwartier_engine::control::setup::{Kind, Setup};
use tokio::sync::mpsc;

/// Whoever has that in hand.
#[derive(Debug)]
pub struct Beside {
    /// Where it is told. What nobody takes in time is lost, as a message is.
    pub tells: mpsc::Sender<Event>,
    /// What loads and batteries are told to do.
    pub hears: mpsc::Receiver<Setpoint>,
}

impl Beside {
    /// Tells what has happened.
    pub(super) fn tell(&self, setup: &Setup, events: &[Event]) {
        let is_other = |device: usize| setup.devices.get(device).is_some_and(|own| own.kind != Kind::Station);
        for event in events {
            let about = match event {
                Event::Session { .. } | Event::Unplugged { .. } => true,
                Event::Drawn { device, .. }
                | Event::Link { device, .. }
                | Event::Booted { device }
                | Event::Holds { device, .. }
                | Event::Answered { device, .. }
                | Event::Wish { device, .. } => is_other(*device),
                _ => false,
            };
            if about && self.tells.try_send(event.clone()).is_err() {
                tracing::debug!("nobody has heard what happened at the depot");
            }
        }
    }

    /// The next thing to do, if there is one.
    pub(super) fn hear(&mut self) -> Option<Setpoint> {
        self.hears.try_recv().ok()
    }
}

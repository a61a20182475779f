//! What comes of what a charger answers and tells: the loop hears of it, who waits for a command does, operators do.

use chrono::Utc;
use kwartier_engine::control;
use serde_json::Value;

use super::hub::Asked;
use super::link::Link;
use super::report::Report;
use super::station::{Command, Follows, Outcome};
use super::told::News;
use crate::app::{ChargerAlarm, Event};

impl Link {
    pub(super) fn follow(&mut self, follows: Vec<Follows>) {
        for follows in follows {
            match follows {
                Follows::Setpoint { number, accepted } => {
                    self.event(|device| control::Event::Answered { device, number, accepted });
                }
                Follows::Holds(amps) => {
                    self.event(|device| control::Event::Holds { device, amps: Some(amps) });
                }
                Follows::More(differs) => self.more(differs),
                Follows::Command(ticket, outcome) => {
                    let comes = matches!(&outcome, Outcome::Answered(answer) if answer["status"] == "Accepted");
                    let reports = self.report.as_ref().is_some_and(|report| report.ticket == ticket);
                    if reports && comes {
                        continue;
                    }
                    self.report.take_if(|report| report.ticket == ticket);
                    self.done(ticket, &outcome);
                }
            }
        }
    }

    /// Tells all that wait for a command how it ended.
    pub(super) fn done(&mut self, ticket: u64, outcome: &Outcome) {
        for answer in self.tickets.remove(&ticket).into_iter().flatten() {
            let _ = answer.send(outcome.clone());
        }
    }

    /// A part of a report has come.
    pub(super) fn reports(&mut self, part: &Value) {
        if let Some(report) = &mut self.report
            && let Some(answer) = report.takes(part)
        {
            let ticket = report.ticket;
            self.report = None;
            self.done(ticket, &Outcome::Answered(answer));
        }
    }

    /// It tells that it holds more than it should, or that it does not any more.
    fn more(&mut self, differs: Option<String>) {
        if self.told_differs && self.differs == differs {
            return;
        }
        // Where it is not taken, it is told with the next answer.
        self.told_differs = self.alarm(ChargerAlarm::HoldsMore, differs.clone());
        self.differs = differs;
    }

    /// What it has told of itself is new.
    pub(super) fn tells(&self, news: News) {
        match news {
            News::Faults => {
                self.alarm(ChargerAlarm::Faulted, self.record.told.wrong());
            }
            News::Critical(kind) => {
                tracing::warn!(site = self.site, charger = self.charger, kind, "a charger tells of a security event");
                self.alarm(ChargerAlarm::Security, Some(format!("it tells of {kind}")));
            }
            News::More => {}
        }
    }

    /// A loop that knows nothing of what it has told yet is told again.
    pub(super) fn tells_again(&mut self) {
        if self.record.told.wrong().is_some() {
            self.tells(News::Faults);
        }
        if self.differs.is_some() {
            self.told_differs = false;
            self.more(self.differs.clone());
        }
    }

    /// Whether the loop has taken that something is wrong at this charger, or with `None` is not any more.
    fn alarm(&self, kind: ChargerAlarm, text: Option<String>) -> bool {
        let event = Event::OfCharger { site: self.site.clone(), charger: self.charger.clone(), kind, text };
        self.service.app.tell(event).is_ok()
    }

    /// Somebody wants something done.
    pub(super) fn ask(&mut self, asked: Asked) {
        let Some(station) = &mut self.station else {
            let _ = asked.answer.send(Outcome::NoAnswer);
            return;
        };
        // Parts of two reports at once would be told apart by nothing that every charger says.
        if let Some(report) = self.report.as_ref().filter(|_| asked.action == "GetBaseReport") {
            self.tickets.entry(report.ticket).or_default().push(asked.answer);
            return;
        }
        self.next_ticket += 1;
        self.report = Report::asked(asked.action, &asked.payload, self.next_ticket, Utc::now()).or(self.report.take());
        let command = Command { ticket: self.next_ticket, action: asked.action, payload: asked.payload };
        let ticket = station.command(command);
        self.tickets.entry(ticket).or_default().push(asked.answer);
    }
}

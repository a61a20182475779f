//! What an operator should know: each alarm once, from when it begins until it is over.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::resource::status::Alarm;

/// Alarms that are open, by kind and what they are about.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    open: BTreeMap<(&'static str, String), Alarm>,
    /// What has begun or ended since it was asked last: whether it is open, and the alarm.
    news: Vec<(bool, Alarm)>,
}

impl Alarms {
    /// Something is wrong. One that is open already stays as it is.
    pub fn raise(&mut self, kind: &'static str, about: String, text: String, now: DateTime<Utc>) {
        let news = &mut self.news;
        self.open.entry((kind, about)).or_insert_with_key(|(kind, about)| {
            let alarm = Alarm { since: now, kind: (*kind).to_owned(), about: about.clone(), text };
            news.push((true, alarm.clone()));
            alarm
        });
    }

    /// It is right again.
    pub fn clear(&mut self, kind: &'static str, about: &str) {
        if let Some(alarm) = self.open.remove(&(kind, about.to_owned())) {
            self.news.push((false, alarm));
        }
    }

    /// Raises or clears.
    pub fn set(&mut self, wrong: bool, kind: &'static str, about: &str, text: &str, now: DateTime<Utc>) {
        if wrong {
            self.raise(kind, about.to_owned(), text.to_owned(), now);
        } else {
            self.clear(kind, about);
        }
    }

    /// Something is wrong, in these words, or is right again. Where it is open in other words, it begins anew.
    pub fn told(&mut self, kind: &'static str, about: String, text: Option<String>, now: DateTime<Utc>) {
        let key = (kind, about);
        if self.open.get(&key).map(|open| &open.text) != text.as_ref() {
            self.clear(kind, &key.1);
            if let Some(text) = text {
                self.raise(kind, key.1, text, now);
            }
        }
    }

    /// What is open about things of which nothing is known any more ends, and begins anew where it is still so.
    pub fn forget(&mut self, known: impl Fn(&str) -> bool) {
        for (_, alarm) in self.open.extract_if(.., |(_, about), _| !known(about)) {
            self.news.push((false, alarm));
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// All that are open of a kind.
    pub fn about(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.open.keys().filter(move |(open, _)| *open == kind).map(|(_, about)| about.as_str())
    }

    /// All that are open.
    pub fn list(&self) -> Vec<Alarm> {
        self.open.values().cloned().collect()
    }

    /// What has begun or ended since this was asked last.
    pub fn news(&mut self) -> Vec<(bool, Alarm)> {
        std::mem::take(&mut self.news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_told_once_when_it_begins_and_once_when_it_ends() {
        let now = DateTime::UNIX_EPOCH;
        let mut alarms = Alarms::default();
        for _ in 0..3 {
            alarms.set(true, "overload", "node/HV", "too much", now);
        }
        alarms.set(true, "overload", "node/UV1", "too much", now);
        let open: Vec<bool> = alarms.news().into_iter().map(|(open, _)| open).collect();
        assert_eq!(open, [true, true]);
        assert_eq!(alarms.about("overload").collect::<Vec<_>>(), ["node/HV", "node/UV1"]);
        for _ in 0..2 {
            alarms.set(false, "overload", "node/HV", "", now);
        }
        let ended = alarms.news();
        assert_eq!(ended.len(), 1);
        assert!(!ended[0].0 && ended[0].1.about == "node/HV");
        assert_eq!(alarms.list().len(), 1);
    }

    #[test]
    fn an_alarm_that_is_told_in_other_words_begins_anew() {
        let now = DateTime::UNIX_EPOCH;
        let mut alarms = Alarms::default();
        let mut told = |text: Option<&str>| {
            alarms.told("faulted", "charger/A".to_owned(), text.map(str::to_owned), now);
            alarms.news().into_iter().map(|(open, alarm)| (open, alarm.text)).collect::<Vec<_>>()
        };
        assert_eq!(told(None), []);
        assert_eq!(told(Some("hot")), [(true, "hot".to_owned())]);
        assert_eq!(told(Some("hot")), []);
        assert_eq!(told(Some("hotter")), [(false, "hot".to_owned()), (true, "hotter".to_owned())]);
        assert_eq!(told(None), [(false, "hotter".to_owned())]);
        told(Some("hot"));
        alarms.raise("no_plan", "site".to_owned(), "none".to_owned(), now);
        alarms.news();
        alarms.forget(|about| about == "site");
        let ended: Vec<_> = alarms.news().into_iter().map(|(open, alarm)| (open, alarm.text)).collect();
        assert_eq!(ended, [(false, "hot".to_owned())]);
        assert_eq!(alarms.list().len(), 1);
    }
}

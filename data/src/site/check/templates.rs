//! Templates: of somebody that there is, at times that can be.

use super::{Check, names};
use crate::finding::Finding;
use crate::local::{TimeOfDay, Weekdays};
use crate::refusal::{number, quoted};

pub(super) fn check(check: &mut Check<'_>) {
    let site = check.site;
    let ids: Vec<&str> = site.templates.iter().map(|template| template.id.as_str()).collect();
    check.unique("templates", "template", &ids);
    for (k, template) in site.templates.iter().enumerate() {
        let (path, subject) = (format!("templates[{k}]"), format!("template {}", quoted(&template.id)));
        let bad = |field: &str, value: String| {
            let path = if field.is_empty() { path.clone() } else { format!("{path}.{field}") };
            Finding::error("bad-template", path).of(&subject).value(value)
        };
        match (&template.vehicle, &template.group) {
            (None, None) => {
                let finding = bad("", String::new());
                check.add(finding.says("is of nobody", "name a vehicle, or a group"));
            }
            (Some(_), Some(group)) => {
                let finding = bad("group", quoted(group));
                check.add(finding.says("stands beside a vehicle", "keep one of the two"));
            }
            _ => {}
        }
        let vehicles = || site.vehicles.iter().map(|vehicle| vehicle.id.as_str());
        if let Some(vehicle) = template.vehicle.as_ref().filter(|vehicle| vehicles().all(|known| known != **vehicle)) {
            let remedy = names::nearest(vehicle, vehicles())
                .unwrap_or_else(|| "name one of the vehicles, or add it under [[vehicles]]".to_owned());
            let finding =
                Finding::error("unknown-vehicle", format!("{path}.vehicle")).of(&subject).value(quoted(vehicle));
            check.add(finding.says("is no vehicle of the site", remedy));
        }
        let groups = || site.groups.iter().map(|group| group.id.as_str());
        if let Some(group) = template.group.as_ref().filter(|group| groups().all(|known| known != **group)) {
            let remedy = names::nearest(group, groups())
                .unwrap_or_else(|| "name one of the groups, or add it under [[groups]]".to_owned());
            let finding = Finding::error("unknown-group", format!("{path}.group")).of(&subject).value(quoted(group));
            check.add(finding.says("is no group of the site", remedy));
        }
        if let Some(days) = template.days.as_ref().filter(|days| Weekdays::parse(days).is_none()) {
            let finding = bad("days", quoted(days));
            check.add(
                finding.says("is no day of the week", "write days such as \"mon-fri\", or leave it out for every day"),
            );
        }
        let times = [
            ("arrival", Some(&template.arrival)),
            ("departure", Some(&template.departure)),
            ("plugged_in_by", template.plugged_in_by.as_ref()),
        ];
        for (field, text) in times.into_iter().filter_map(|(field, text)| Some((field, text?))) {
            if TimeOfDay::parse(text).is_none() {
                let finding = bad(field, quoted(text));
                check.add(finding.says("is no time of day", "write hours and minutes, such as \"17:30\""));
            }
        }
        if let Some(kwh) = template.need_kwh.filter(|kwh| *kwh < 0.0) {
            check.add(bad("need_kwh", number(kwh)).says("is below 0", "write the energy wanted in kWh"));
        }
    }
}

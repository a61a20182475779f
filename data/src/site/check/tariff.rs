//! The tariff: what [`tariff::check`](crate::site::tariff::check) finds, as findings.

use super::Check;
use crate::finding::Finding;
use crate::site::tariff;

pub(super) fn check(check: &mut Check<'_>) {
    let Some(tariff) = &check.site.tariff else { return };
    for fault in tariff::check(tariff) {
        let finding = Finding::error("bad-tariff", format!("tariff.{}", fault.path)).value(fault.value);
        check.add(finding.says(fault.wrong, fault.remedy));
    }
}

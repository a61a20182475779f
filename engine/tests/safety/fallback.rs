//! What is proposed is safe whoever is offline, and nothing more would be.

use kwartier_data::site::{Hourly, HourlyByPhase, Site};
use kwartier_engine::control::setup::Setup;
use kwartier_engine::fallback::full::{Filled, Visit, full_at};
use kwartier_engine::fallback::propose::propose;
use kwartier_engine::fallback::prove::{counted, prove};
use kwartier_engine::fallback::{ByHour, is_open};
use proptest::prelude::*;

use super::cases::cases;
use super::sites::{at, board_with, noon, random, setup};

fn by_hour(amps: impl Fn(usize) -> f64) -> HourlyByPhase {
    let hours: Vec<f64> = (0..24).map(amps).collect();
    HourlyByPhase::Hourly { l1: hours.clone(), l2: hours.clone(), l3: hours }
}

/// 100 A, of which the building draws 70 from 8:00 to 18:00 and 20 at night.
fn by_day(stations: usize) -> Site {
    let mut site = board_with(stations);
    site.boards[0].building_max_a = Some(by_hour(|hour| if (8..18).contains(&hour) { 70.0 } else { 20.0 }));
    site
}

#[test]
fn the_night_is_shared_out_and_so_is_the_day() {
    let values = propose(&setup(&by_day(4)), |_| false);
    for value in &values {
        let value = value.unwrap();
        // 80 A by night, 30 A by day, for four; around a change of the hour both count.
        let expected: ByHour = std::array::from_fn(|hour| if (7..19).contains(&hour) { 7.0 } else { 20.0 });
        let by_day = (8..18).map(|hour| value[hour]).sum::<f64>();
        assert_eq!((value[3], value[22]), (expected[3], expected[22]));
        assert!((60.0..=80.0).contains(&by_day), "{value:?}");
    }
    // 30 A at most at once around 8:00 and 18:00: two have 8 A, two 7 A.
    let mut noon: Vec<f64> = values.iter().map(|value| value.unwrap()[12]).collect();
    noon.sort_by(f64::total_cmp);
    assert_eq!(noon, [7.0, 7.0, 8.0, 8.0]);
    let mut seven: Vec<f64> = values.iter().map(|value| value.unwrap()[7]).collect();
    seven.sort_by(f64::total_cmp);
    assert_eq!(seven, [7.0, 7.0, 8.0, 8.0], "the hour before the building is busy");
}

#[test]
fn one_value_for_all_hours_is_that_of_the_worst() {
    let values = propose(&setup(&by_day(4)), |_| true);
    let mut values: Vec<ByHour> = values.into_iter().map(Option::unwrap).collect();
    values.sort_by(|a, b| a[0].total_cmp(&b[0]));
    assert_eq!(values, [[7.0; 24], [7.0; 24], [8.0; 24], [8.0; 24]]);
}

#[test]
fn where_not_all_can_have_six_some_have_nothing_and_the_guaranteed_come_first() {
    let mut site = by_day(6);
    site.stations[5].guaranteed_a = Some(10.0);
    let values = propose(&setup(&site), |_| true);
    let values: Vec<f64> = values.into_iter().map(|value| value.unwrap()[12]).collect();
    assert_eq!(values, [7.0, 7.0, 6.0, 0.0, 0.0, 10.0]);
}

#[test]
fn who_forgets_counts_with_the_rating() {
    let mut site = by_day(2);
    site.stations[0].keeps_fallback = false;
    let setup = setup(&site);
    assert_eq!(counted(&setup.devices[0]), [32.0; 24]);
    let values = propose(&setup, |_| false);
    assert_eq!((values[0], values[1].unwrap()[12], values[1].unwrap()[2]), (None, 0.0, 32.0));
    let overfull = prove(&setup);
    assert_eq!(overfull.len(), 1);
    assert_eq!((overfull[0].rated_a, overfull[0].stored_a, overfull[0].building_a), (32.0, 6.0, 70.0));
    assert_eq!(overfull[0].hour, 8);
    assert_eq!(overfull[0].fits(&setup, &values), Some((0.0, 0.0)));
}

#[test]
fn around_a_change_of_the_hour_either_value_may_be_held() {
    // 60 A at 11:00 for one and 60 A at 12:00 for the other: each hour fits, clocks that are off do not.
    let mut site = board_with(2);
    site.boards[0].building_max_a = Some(by_hour(|_| 60.0));
    for (k, on) in [(0, 11), (1, 12)] {
        let hours = (0..24).map(|hour| if hour == on { 30.0 } else { 0.0 }).collect();
        site.stations[k].fallback_a = Some(Hourly::Hours(hours));
    }
    let overfull = prove(&setup(&site));
    assert_eq!(overfull.len(), 1);
    assert!(overfull[0].at_change && overfull[0].hour == 12 && overfull[0].stored_a == 60.0);
}

#[test]
fn what_would_be_full_in_the_morning() {
    let setup = setup(&board_with(2));
    let visit = |device, need_kwh, max_a| Visit {
        device,
        phases: 3,
        min_a: 6.0,
        max_a,
        need_kwh,
        arrival: at(-3_600),
        departure: at(8 * 3_600),
    };
    let stored: Vec<Option<ByHour>> = vec![Some(std::array::from_fn(|hour| if hour < 14 { 0.0 } else { 10.0 })), None];
    let visits = [visit(0, 13.8, 16.0), visit(0, 100.0, 8.0), visit(1, 5.0, 16.0)];
    let got = full_at(&setup, &stored, &visits, noon(), at(6 * 3_600));
    // 10 A on three phases of 230 V are 6.9 kW, from 14:00 on; 8 A are 5.52 kW for four hours.
    assert_eq!(got[0], Filled { kwh: 13.8, full_at: Some(at(4 * 3_600)) });
    assert!((got[1].kwh - 22.08).abs() < 1e-9 && got[1].full_at.is_none(), "{got:?}");
    assert_eq!(got[2], Filled { kwh: 0.0, full_at: None });
}

/// The same site with other values stored.
fn with(setup: &Setup, values: &[Option<ByHour>]) -> Setup {
    let mut setup = setup.clone();
    for (device, value) in setup.devices.iter_mut().zip(values) {
        if value.is_some() {
            device.fallback_a = *value;
        }
    }
    setup
}

/// What flows at a board and phase in an hour when every device draws what `amount` says, beside the building.
fn flows(setup: &Setup, hour: usize, amount: impl Fn(usize) -> f64) -> Vec<[f64; 3]> {
    let mut flows = vec![[0.0; 3]; setup.nodes.len()];
    for (k, node) in setup.nodes.iter().enumerate() {
        let own = node.building_max_a.map_or([0.0; 3], |by_hour| by_hour.map(|hours| hours[hour]));
        for above in setup.chain(k) {
            (0..3).for_each(|phase| flows[above][phase] += own[phase]);
        }
    }
    for (k, device) in setup.devices.iter().enumerate() {
        let phases = if device.phases_known { device.phases.clone() } else { vec![0, 1, 2] };
        for above in setup.chain(device.node) {
            for &phase in &phases {
                flows[above][phase] += amount(k);
            }
        }
    }
    flows
}

/// Whether a limit that device `k` loads is broken at a change of the hour, when all may hold the value of either.
fn breaks(setup: &Setup, k: usize, change: usize) -> bool {
    let before = (change + 23) % 24;
    let device = &setup.devices[k];
    let phases = if device.phases_known { device.phases.clone() } else { vec![0, 1, 2] };
    [before, change].into_iter().any(|hour| {
        let held = |other: usize| {
            let by_hour = counted(&setup.devices[other]);
            by_hour[before].max(by_hour[change])
        };
        let flows = flows(setup, hour, held);
        setup
            .chain(device.node)
            .any(|node| phases.iter().any(|&phase| flows[node][phase] > setup.nodes[node].limit_a[phase] + 1e-6))
    })
}

proptest! {
    #![proptest_config(cases(256))]

    /// Whoever is offline at whatever hour holds its own or a neighbouring hour's value, the others draw up to what is
    /// left: no limit is exceeded by anything but the building and what counts with its rating.
    #[test]
    fn any_subset_may_be_offline(
        site in random(),
        constant in any::<bool>(),
        hour in 0_usize..24,
        offline in prop::collection::vec(any::<bool>(), 8),
        late in prop::collection::vec(any::<bool>(), 8),
    ) {
        let setup = setup(&site);
        let values = propose(&setup, |_| constant);
        let setup = with(&setup, &values);
        let held = |k: usize| {
            let by_hour = counted(&setup.devices[k]);
            // The clock of some is late.
            if late[k] { by_hour[(hour + 23) % 24] } else { by_hour[hour] }
        };
        let alone = flows(&setup, hour, |k| if is_open(&setup.devices[k]) { 0.0 } else { setup.devices[k].max_a });
        let reserved = flows(&setup, hour, held);
        // The others, one after the other, up to what is left beside the reserve of those offline.
        let mut granted = vec![0.0; setup.devices.len()];
        for k in (0..granted.len()).filter(|&k| !offline[k] && is_open(&setup.devices[k])) {
            let amount = |other: usize| {
                if other == k { 0.0 } else if offline[other] || !is_open(&setup.devices[other]) { held(other) } else { granted[other] }
            };
            let others = flows(&setup, hour, amount);
            let phases = if setup.devices[k].phases_known { setup.devices[k].phases.clone() } else { vec![0, 1, 2] };
            let room = setup.chain(setup.devices[k].node).flat_map(|node| {
                let (limit, others) = (setup.nodes[node].limit_a, others[node]);
                phases.iter().map(move |&phase| limit[phase] - others[phase])
            }).fold(setup.devices[k].max_a, f64::min);
            granted[k] = room.max(0.0);
        }
        let flowing = flows(&setup, hour, |k| if offline[k] || !is_open(&setup.devices[k]) { held(k) } else { granted[k] });
        for (k, node) in setup.nodes.iter().enumerate() {
            for phase in 0..3 {
                let allowed = node.limit_a[phase].max(alone[k][phase]);
                prop_assert!(reserved[k][phase] <= allowed + 1e-6, "stored: board {k} {} > {allowed}", reserved[k][phase]);
                prop_assert!(flowing[k][phase] <= allowed + 1e-6, "granted: board {k} {} > {allowed}", flowing[k][phase]);
            }
        }
    }

    /// Every value is 0 or a whole number of at least 6 A, and no single one can be raised.
    #[test]
    fn nothing_more_would_fit(site in random(), constant in any::<bool>()) {
        let setup = setup(&site);
        let values = propose(&setup, |_| constant);
        for (k, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            prop_assert!(value.iter().all(|a| *a == 0.0 || (*a >= 6.0 && a.fract() == 0.0 && *a <= setup.devices[k].max_a)));
            for hour in 0..if constant { 1 } else { 24 } {
                let next = if value[hour] == 0.0 { 6.0 } else { value[hour] + 1.0 };
                if next > setup.devices[k].max_a {
                    continue;
                }
                let mut raised = values.clone();
                let mut more = *value;
                if constant { more = [next; 24] } else { more[hour] = next }
                raised[k] = Some(more);
                let changes: Vec<usize> = if constant { (0..24).collect() } else { vec![hour, (hour + 1) % 24] };
                prop_assert!(
                    changes.iter().any(|&change| breaks(&with(&setup, &raised), k, change)),
                    "device {k} at {hour}: {next} A would fit"
                );
            }
        }
    }
}

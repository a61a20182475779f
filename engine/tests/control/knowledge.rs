//! Lost knowledge never raises a limit, and a loop that starts from what chargers hold is safe at once.

use kwartier_engine::control::{Event, Stays};
use proptest::prelude::*;

use super::cases::cases;
use super::depot::Depot;
use super::safety::{Happening, happen, happenings, sites};

/// What is withheld from a moment on.
#[derive(Debug, Clone)]
enum Loss {
    /// A board's meter.
    Meter(usize),
    /// What a charger draws.
    Draws(usize),
    /// On how many phases a vehicle charges.
    Phases(usize),
}

fn losses() -> impl Strategy<Value = Vec<Loss>> {
    let one = prop_oneof![
        (0..3_usize).prop_map(Loss::Meter),
        (0..6_usize).prop_map(Loss::Draws),
        (0..6_usize).prop_map(Loss::Phases),
    ];
    prop::collection::vec(one, 1..4)
}

/// A limit is broken above so many A more (the rule that depots are judged by).
const RULE_A: f64 = 1.0;

/// After so many s what is lost has been noticed (10 s), and what is lowered has been answered and obeyed.
const NOTICED_S: usize = 30;

fn lose(depot: &mut Depot, loss: &Loss) {
    match *loss {
        Loss::Meter(node) => depot.meter_up[node] = false,
        Loss::Draws(device) => depot.tells[device] = false,
        Loss::Phases(device) => {
            // Another vehicle comes, just as hungry, of which nobody knows how it charges.
            if depot.chargers[device].takes_a > 0.0 {
                let takes_a = depot.chargers[device].takes_a;
                depot.plug(device, takes_a);
                if let Some(Event::Session { session, .. }) = depot.events.last_mut() {
                    session.phases = None;
                }
                depot.tells[device] = false;
            }
        }
    }
}

/// What is granted to each device in A, on all phases on which it may count, or what it still draws there if that is more.
fn granted_a(depot: &Depot, node: usize, phase: usize, known: &[bool]) -> f64 {
    let below = |device: usize| depot.setup.chain(depot.setup.devices[device].node).any(|above| above == node);
    let on_phase = |device: usize| {
        let charger = &depot.chargers[device];
        let told = charger.coming.iter().rev().find_map(|(.., phase)| phase.filter(|_| charger.chooses));
        let own = charger.wired.iter().position(|grid| *grid == phase)?;
        let goes = !known[device] || told.map_or(charger.carries(own), |told| usize::from(told) == own);
        let granted_a = if goes { depot.state.as_ref()?.granted_a(device) } else { 0.0 };
        Some(granted_a.max(if charger.carries(own) { depot.draws_a(device) } else { 0.0 }))
    };
    (0..depot.chargers.len()).filter(|&device| below(device)).filter_map(on_phase).sum()
}

proptest! {
    #![proptest_config(cases(300))]

    /// The same history, and then two twins: one goes on knowing everything, the other one is told less. Once the loss has
    /// been noticed, what the ignorant twin has granted fits under every board and phase with *every* building that it cannot
    /// exclude: the installer's worst case where the meter is lost, and with every phase that its vehicles may use. What the
    /// knowing twin may grant is bounded by the building that there is, which is one of those: so nothing that is lost gives
    /// anybody more than he could have had with it.
    #[test]
    fn what_is_lost_raises_no_limit(mut knowing in sites(), what in happenings(), losses in losses(), rest_s in 1..60_usize) {
        for (seconds, happening) in &what {
            // Nobody is lied to and everybody answers: what is lost is lost here on purpose.
            if matches!(happening, Happening::Lies(..) | Happening::Meter(..) | Happening::Answers(..) | Happening::Link(..)) {
                continue;
            }
            knowing.seconds(*seconds);
            happen(&mut knowing, happening);
        }
        knowing.seconds(60 + rest_s);
        let mut ignorant = knowing.clone();
        for loss in &losses {
            lose(&mut ignorant, loss);
        }
        let known: Vec<bool> = (0..6)
            .map(|device| !losses.iter().any(|loss| matches!(loss, Loss::Phases(lost) if *lost == device)))
            .collect();
        ignorant.seconds(NOTICED_S);
        knowing.seconds(NOTICED_S);
        for second in 0..120 {
            ignorant.second();
            knowing.second();
            for (node, about) in ignorant.setup.nodes.iter().enumerate() {
                let metered = about.meter.is_some() && ignorant.meter_up[node];
                for phase in 0..3 {
                    let limit_a = about.limit_a[phase];
                    let there_a = building_a(&ignorant, node, phase, false);
                    let possible_a = if metered { there_a } else { building_a(&ignorant, node, phase, true) };
                    let granted_a = granted_a(&ignorant, node, phase, &known);
                    // The building alone may be above the limit; then nothing is granted.
                    prop_assert!(
                        granted_a <= (limit_a + RULE_A - possible_a).max(0.0),
                        "{second} s, board {node} phase {phase}: {granted_a} A granted, up to {possible_a} A of building, {limit_a} A"
                    );
                    let most_a = (limit_a + RULE_A - there_a).max(0.0);
                    prop_assert!(granted_a <= most_a, "more than the knowing twin may grant");
                }
            }
        }
        prop_assert!(ignorant.longest_over_s() <= 10 && knowing.longest_over_s() <= 10);
    }

    /// A site that has changed and is as it was: the loop knows what it knew.
    #[test]
    fn a_change_of_the_site_forgets_nothing_that_stays(mut depot in sites(), what in happenings()) {
        for (seconds, happening) in what.iter().filter(|(_, happening)| !matches!(happening, Happening::Signal(..))) {
            depot.seconds(*seconds);
            happen(&mut depot, happening);
        }
        depot.second();
        let state = depot.state.as_ref().unwrap();
        let carried = state.carried(depot.setup.clone(), &Stays::of(&depot.setup, &depot.setup));
        prop_assert!(carried == *state);
    }

    /// Whatever connected chargers hold when a loop begins, as much as all of them together at their rating: what the first
    /// tick sends brings every board below its limit, as soon as it is obeyed. Those that are cut off hold their fallback.
    #[test]
    fn one_tick_after_a_restart_everything_fits(
        mut depot in sites(),
        holds_a in prop::collection::vec(0..=32_u8, 6),
        takes_a in prop::collection::vec(prop::option::of(6.0..32.0_f64), 6),
        up in prop::collection::vec(prop::bool::weighted(0.8), 6),
        building_a in prop::collection::vec(prop::array::uniform3(0.0..12.0_f64), 3),
        speaks in prop::collection::vec(any::<bool>(), 3),
    ) {
        depot.building_a = building_a;
        depot.meter_up = speaks;
        for device in 0..6 {
            let most_a = depot.setup.devices[device].max_a;
            let charger = &mut depot.chargers[device];
            charger.up = up[device];
            charger.takes_a = takes_a[device].unwrap_or(0.0);
            charger.holds_a = if up[device] { f64::from(holds_a[device]).min(most_a) } else { 6.0 };
        }
        depot.restart();
        depot.second();
        for (device, charger) in depot.chargers.iter().enumerate().filter(|(_, charger)| charger.up) {
            let told = depot.last.setpoints.iter().rev().find(|setpoint| setpoint.device == device);
            let holds_a = told.map_or(charger.holds_a, |setpoint| setpoint.amps);
            prop_assert!(holds_a <= charger.holds_a, "the first tick raises nothing");
        }
        depot.seconds(usize::try_from(depot.reaction_s).unwrap());
        for (node, about) in depot.setup.nodes.iter().enumerate() {
            for phase in 0..3 {
                let flows_a = depot.flows_a(node)[phase];
                prop_assert!(flows_a <= about.limit_a[phase] + 1.0, "board {node} phase {phase}: {flows_a} A");
            }
        }
        depot.over_s.iter_mut().flatten().for_each(|over| *over = (0, 0));
        depot.seconds(120);
        prop_assert!(depot.longest_over_s() <= 10);
    }
}

/// What the building draws at and below a board, or the most that the installer wrote.
fn building_a(depot: &Depot, node: usize, phase: usize, worst: bool) -> f64 {
    (0..depot.setup.nodes.len())
        .filter(|&board| depot.setup.chain(board).any(|above| above == node))
        .map(|board| {
            // A board that is measured itself is no worse than it is.
            let measured = depot.setup.nodes[board].meter.is_some() && depot.meter_up[board];
            match depot.setup.nodes[board].building_max_a {
                Some(figure) if worst && !measured => figure[phase][0],
                _ => depot.building_a[board][phase],
            }
        })
        .sum()
}

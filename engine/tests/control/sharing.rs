//! One step's sharing against a mixed-integer model that is solved again and again: the lexicographic max–min of
//! (granted − minimum) ÷ wanted, class by class, with minima given out in the order of the line.

use good_lp::{Expression, ProblemVariables, Solution, SolverModel, Variable, constraint, default_solver, variable};
use kwartier_engine::control::share::{Claim, LAYERS, share};
use proptest::prelude::*;

use super::cases::cases;

/// A small site: boards as rows of A, a tree two deep, three phases; claims of one or three phases.
fn sites() -> impl Strategy<Value = (Vec<f64>, Vec<Claim>)> {
    let claim = (0..3_usize, prop::bool::ANY, 0..3_usize, 6.0..12.0_f64, 0.0..26.0_f64, 0..2_u8);
    (prop::collection::vec(5.0..80.0_f64, 12), prop::collection::vec(claim, 1..7)).prop_map(|(rooms, claims)| {
        let claims = claims.into_iter().map(|(board, single, phase, min_a, more_a, class)| {
            let phases: Vec<usize> = if single { vec![phase] } else { vec![0, 1, 2] };
            let rows = [0, 1 + board].into_iter();
            let loads = rows.flat_map(|node| phases.iter().map(move |phase| (3 * node + phase, 1.0))).collect();
            Claim { min_a, want_a: [0.0, min_a + more_a, min_a + more_a], class, loads, from: 1 }
        });
        (rooms, claims.collect())
    })
}

/// What the reference gives, by claim in A.
fn reference(rooms: &[f64], claims: &[Claim]) -> Vec<f64> {
    // Who is on: the first in line is never left out for one behind, which is what adding them one by one means when
    // every minimum only ever takes room.
    let mut on = vec![false; claims.len()];
    for k in 0..claims.len() {
        on[k] = true;
        let feasible = rooms.iter().enumerate().all(|(row, room)| {
            let used: f64 =
                (0..claims.len()).filter(|&j| on[j]).map(|j| per_a(&claims[j], row) * claims[j].min_a).sum();
            used <= room + 1e-9 || per_a(&claims[k], row) == 0.0
        });
        on[k] = feasible;
    }
    let mut fixed: Vec<Option<f64>> = on.iter().map(|on| if *on { None } else { Some(0.0) }).collect();
    let mut classes: Vec<u8> = claims.iter().map(|claim| claim.class).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes.into_iter().rev() {
        while (0..claims.len()).any(|k| fixed[k].is_none() && claims[k].class == class) {
            let open: Vec<usize> =
                (0..claims.len()).filter(|&k| fixed[k].is_none() && claims[k].class == class).collect();
            let (level, _) = best(rooms, claims, &fixed, &open, None, class);
            // Those that cannot be above the level when all others are at least at it.
            let stuck: Vec<usize> = open
                .iter()
                .copied()
                .filter(|&k| best(rooms, claims, &fixed, &open, Some((k, level)), class).0 < level + 1e-6)
                .collect();
            let stuck = if stuck.is_empty() { open } else { stuck };
            for k in stuck {
                fixed[k] = Some(claims[k].min_a + level * want(&claims[k]));
            }
        }
    }
    fixed.into_iter().map(Option::unwrap_or_default).collect()
}

fn want(claim: &Claim) -> f64 {
    claim.want_a[LAYERS - 1]
}

fn per_a(claim: &Claim, row: usize) -> f64 {
    claim.loads.iter().filter(|(of, _)| *of == row).map(|(_, per_a)| per_a).sum()
}

/// The highest level that all of `open` can have; or, with one of them and a level, the highest that this one can have while
/// the others have at least that level. Claims of lower classes stay at their minimum.
fn best(
    rooms: &[f64],
    claims: &[Claim],
    fixed: &[Option<f64>],
    open: &[usize],
    alone: Option<(usize, f64)>,
    class: u8,
) -> (f64, Vec<f64>) {
    let mut variables = ProblemVariables::new();
    let level = variables.add(variable().min(0.0).max(10.0));
    let amps: Vec<Variable> = claims
        .iter()
        .enumerate()
        .map(|(k, claim)| match fixed[k] {
            Some(amps) => variables.add(variable().min(amps).max(amps)),
            None if claim.class == class => variables.add(variable().min(claim.min_a).max(want(claim))),
            None => variables.add(variable().min(claim.min_a).max(claim.min_a)),
        })
        .collect();
    let mut model = variables.maximise(level).using(default_solver);
    for (row, room) in rooms.iter().enumerate() {
        let mut used = Expression::from(0.0);
        let mut any = false;
        for (k, claim) in claims.iter().enumerate() {
            let per_a = per_a(claim, row);
            if per_a > 0.0 && fixed[k] != Some(0.0) {
                used += per_a * amps[k];
                any = true;
            }
        }
        if any {
            model = model.with(constraint!(used <= *room + 1e-9));
        }
    }
    for &k in open {
        let reached = (Expression::from(amps[k]) - claims[k].min_a) / want(&claims[k]);
        model = match alone {
            Some((one, at_least)) if one != k => model.with(constraint!(reached >= at_least - 1e-9)),
            _ => model.with(constraint!(reached >= level)),
        };
    }
    let solved = model.solve().expect("minima fit, so there is an answer");
    (solved.value(level), amps.iter().map(|amps| solved.value(*amps)).collect())
}

proptest! {
    #![proptest_config(cases(200))]

    /// Feasible always, and the same as the reference within 1 % of what is wanted.
    #[test]
    fn sharing_is_the_exact_max_min((rooms, claims) in sites()) {
        let grants = share(&rooms, &[], &claims);
        for (row, room) in rooms.iter().enumerate() {
            let used: f64 = claims.iter().zip(&grants).map(|(claim, grant)| per_a(claim, row) * grant.amps).sum();
            prop_assert!(used <= room + 1e-6, "row {row}: {used} A of {room} A");
        }
        for (claim, grant) in claims.iter().zip(&grants) {
            prop_assert!(grant.amps == 0.0 || (claim.min_a - 1e-9..=want(claim) + 1e-9).contains(&grant.amps));
        }
        let exact = reference(&rooms, &claims);
        for (k, (claim, grant)) in claims.iter().zip(&grants).enumerate() {
            let off = (grant.amps - exact[k]).abs() / want(claim);
            prop_assert!(off < 0.01, "claim {k}: {} A, the reference {} A\n{rooms:?}\n{claims:?}", grant.amps, exact[k]);
        }
    }
}

/// By hand: three on a board of 30 A, one of them of one phase on a board of its own of 10 A.
#[test]
fn those_below_a_small_fuse_stop_and_the_others_share_the_rest() {
    let claim = |rows: &[usize], class| Claim {
        min_a: 6.0,
        want_a: [0.0, 16.0, 16.0],
        class,
        loads: rows.iter().map(|row| (*row, 1.0)).collect(),
        from: 1,
    };
    let grants = share(&[30.0, 10.0], &[], &[claim(&[0, 1], 0), claim(&[0], 0), claim(&[0], 0)]);
    let amps: Vec<f64> = grants.iter().map(|grant| grant.amps).collect();
    assert_eq!(amps, [10.0, 10.0, 10.0]);
    let grants = share(&[32.0, 8.0], &[], &[claim(&[0, 1], 0), claim(&[0], 0), claim(&[0], 0)]);
    let amps: Vec<f64> = grants.iter().map(|grant| grant.amps).collect();
    assert_eq!(amps, [8.0, 12.0, 12.0]);
    // The higher class is filled first; nobody's minimum is taken for it.
    let grants = share(&[30.0, 10.0], &[], &[claim(&[0], 0), claim(&[0], 1), claim(&[0], 0)]);
    let amps: Vec<f64> = grants.iter().map(|grant| grant.amps).collect();
    assert_eq!(amps, [7.0, 16.0, 7.0]);
    // Whose minimum does not fit waits: the last in line.
    let grants = share(&[13.0, 10.0], &[], &[claim(&[0], 0), claim(&[0], 0), claim(&[0], 0)]);
    let amps: Vec<f64> = grants.iter().map(|grant| grant.amps).collect();
    assert_eq!(amps, [6.5, 6.5, 0.0]);
    // What is kept is for minima alone.
    let grants = share(&[30.0, 10.0], &[15.0, 0.0], &[claim(&[0], 0), claim(&[0], 0), claim(&[0], 0)]);
    let amps: Vec<f64> = grants.iter().map(|grant| grant.amps).collect();
    assert_eq!(amps, [6.0; 3]);
    let grants = share(&[30.0, 10.0], &[9.0, 0.0], &[claim(&[0], 0), claim(&[0], 0), claim(&[0], 0)]);
    let amps: Vec<f64> = grants.iter().map(|grant| grant.amps).collect();
    assert_eq!(amps, [7.0; 3]);
}

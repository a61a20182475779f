//! The explanation in plain sentences, in local time. Page and terminal use the same words.

use std::fmt::Write;

use chrono_tz::Tz;
use kwartier_data::{BoardLimit, Instance, PHASE_NAMES};
use kwartier_engine::explain::{
    BindingLimit, Binds, Change, Charging, Dearer, Explanation, Help, PriceMeaning, Saving, Shortfall, ShortfallCause,
    VehicleReason,
};

use kwartier_engine::figures::Limit;

use super::clock::Clock;
use super::number::{eur, grouped, label};

/// How many stretches of time a sentence names.
const SPANS: usize = 3;
/// How many limits, vehicles that fall short, and other vehicles the terminal gets.
const LIMITS: usize = 12;
const SHORT: usize = 40;
const OTHERS: usize = 20;

/// The whole explanation for a terminal. Of many vehicles it holds those that fall short and a sample of the others.
pub fn explanation(instance: &Instance, explanation: &Explanation, tz: Tz) -> String {
    let clock = Clock::of(instance, tz);
    let mut text = format!("\nWhy the plan is as it is (times in {})\n\n", clock.zone());
    let mut paragraph = |title: &str, lines: &[String]| {
        let _ = writeln!(text, "{title}");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
        text.push('\n');
    };

    let mut limits: Vec<String> = explanation.limits.iter().take(LIMITS).map(|of| limit(&clock, of)).collect();
    if limits.is_empty() {
        limits.push(no_limits(explanation.prices).to_owned());
    }
    limits.extend(more(explanation.limits.len(), LIMITS, "limits"));
    limits.push(explanation.prices.text().to_owned());
    paragraph("Limits that bind", &limits);

    let savings: Vec<String> = explanation.savings.iter().map(saving).collect();
    if !savings.is_empty() {
        paragraph("What a change of the site would save on this day", &savings);
    }

    let (short, others): (Vec<_>, Vec<_>) = explanation.vehicles.iter().partition(|of| of.shortfall.is_some());
    for (title, vehicles, most) in
        [("Vehicles that leave with less than they need", short, SHORT), ("Vehicles", others, OTHERS)]
    {
        if vehicles.is_empty() {
            continue;
        }
        // A sample over the whole list, not its beginning.
        let count = vehicles.len().min(most);
        let shown: Vec<&VehicleReason> = (0..count).map(|at| vehicles[at * vehicles.len() / count]).collect();
        let mut lines: Vec<String> = shown.iter().map(|of| vehicle(&clock, of)).collect();
        lines.extend(more(vehicles.len(), shown.len(), "vehicles"));
        paragraph(title, &lines);
    }
    text
}

fn more(all: usize, shown: usize, what: &str) -> Option<String> {
    (all > shown).then(|| format!("{shown} of {all} {what} are named; the others are in the output of --json."))
}

/// What is said where nothing binds.
pub fn no_limits(prices: PriceMeaning) -> &'static str {
    match prices {
        PriceMeaning::None => "Not known, without prices.",
        _ => "None costs anything: more amperes or kilowatts would save nothing on this day.",
    }
}

/// The name of a limit, such as `UV3 L2`.
pub fn limit_name(binds: &Binds) -> String {
    match binds {
        Binds::Board { node, limit } => format!("{} {}", label(node, usize::MAX), board_limit(*limit)),
        Binds::ImportCap => "The cap on import".to_owned(),
        Binds::ExportCap => "The cap on export".to_owned(),
        Binds::Peak => "The import peak".to_owned(),
    }
}

/// The name of a limit that a plan breaks, such as `UV3 L2`.
pub fn broken_limit(instance: &Instance, limit: Limit) -> String {
    let node = |node: usize| label(&instance.nodes[node].id, usize::MAX);
    match limit {
        Limit::Phase { node: of, phase } => format!("{} {}", node(of), PHASE_NAMES[phase]),
        Limit::Imbalance { node: of } => format!("{} imbalance", node(of)),
        Limit::Import => "import cap".to_owned(),
        Limit::Export => "export cap".to_owned(),
    }
}

fn board_limit(limit: BoardLimit) -> &'static str {
    match limit {
        BoardLimit::L1 => "L1",
        BoardLimit::L2 => "L2",
        BoardLimit::L3 => "L3",
        BoardLimit::L1L2 => "L1 against L2",
        BoardLimit::L2L3 => "L2 against L3",
        BoardLimit::L3L1 => "L3 against L1",
    }
}

/// A limit that binds: when, and what one more unit would save.
pub fn limit(clock: &Clock, limit: &BindingLimit) -> String {
    let when = clock.spans(&limit.spans, SPANS);
    let name = limit_name(&limit.binds);
    let (value, saves) = (grouped(limit.limit, 0), eur_fine(limit.saves_eur));
    match &limit.binds {
        Binds::Board { limit: BoardLimit::L1L2 | BoardLimit::L2L3 | BoardLimit::L3L1, .. } => {
            format!("{name} differs by all of the {value} A allowed, {when}; one more ampere would save {saves}.")
        }
        Binds::Board { .. } => format!("{name} ({value} A) is full {when}; one more ampere would save {saves}."),
        Binds::ImportCap | Binds::ExportCap => {
            format!("{name} ({value} kW) is reached {when}; one more kW would save {saves}.")
        }
        Binds::Peak => {
            let peak = grouped(limit.limit, 1);
            format!(
                "The import is held at a peak of {peak} kW {when}; one more kW without a peak price would save {saves}."
            )
        }
    }
}

/// An amount small enough to need more digits than a cent.
fn eur_fine(value: f64) -> String {
    if value.abs() < 0.1 { format!("{} EUR", grouped(value, 3)) } else { eur(value) }
}

/// What a vehicle does and why.
pub fn vehicle(clock: &Clock, vehicle: &VehicleReason) -> String {
    let mut text = label(&vehicle.session, usize::MAX);
    text.push(' ');
    text.push_str(&reasons(clock, vehicle));
    text
}

/// What a vehicle does and why, without its name: the sentence begins with the verb.
pub fn reasons(clock: &Clock, vehicle: &VehicleReason) -> String {
    let mut text = vehicle.charging.as_ref().map_or_else(
        || format!("does not charge during its stay {}.", clock.span(&vehicle.stay)),
        |of| charging(clock, of),
    );
    if !vehicle.discharging.is_empty() {
        let _ = write!(text, " It feeds energy back {}.", clock.spans(&vehicle.discharging, SPANS));
    }
    if let Some(short) = &vehicle.shortfall {
        text.push(' ');
        text.push_str(&shortfall(clock, short));
    }
    text
}

fn charging(clock: &Clock, charging: &Charging) -> String {
    let mut text = format!(
        "charges {}: {} kWh at {} EUR/kWh on average, limits and peak counted in; its whole stay averages {}.",
        clock.spans(&charging.spans, SPANS),
        grouped(charging.energy_kwh, 1),
        grouped(charging.paid_eur_kwh, 3),
        grouped(charging.stay_eur_kwh, 3)
    );
    if !charging.as_good.is_empty() {
        let _ = write!(text, " {} would have been as good.", capital(&clock.spans(&charging.as_good, SPANS)));
    }
    // Limits that make the same time dear share a sentence.
    let mut together: Vec<(String, bool, Vec<String>)> = Vec::new();
    for dearer in &charging.dearer {
        let when = clock.spans(&dearer.spans, SPANS);
        let adds = format!("{} adds {} EUR/kWh", limit_of(dearer), grouped(dearer.adds_eur_kwh, 3));
        match together.iter_mut().find(|(other, ..)| *other == when) {
            Some((.., limits)) => limits.push(adds),
            None => together.push((when, dearer.spans.len() > 1, vec![adds])),
        }
    }
    for (when, several, limits) in together {
        let is = if several { "are" } else { "is" };
        let _ = write!(text, " {when} {is} cheaper by the tariff, but {} there.", limits.join(" and "));
    }
    text
}

/// The text with a capital letter at its beginning.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The name of a limit in the middle of a sentence.
fn limit_of(dearer: &Dearer) -> String {
    named(&dearer.limit)
}

fn named(limit: &str) -> String {
    match limit {
        "peak" => "the import peak".to_owned(),
        "connection" => "the limit of the grid connection".to_owned(),
        board => label(board, usize::MAX),
    }
}

/// Why a vehicle falls short, and what would help.
pub fn shortfall(clock: &Clock, shortfall: &Shortfall) -> String {
    let short = format!("It leaves {} kWh short: ", grouped(shortfall.short_kwh, 2));
    let cause = match &shortfall.cause {
        ShortfallCause::BatteryFull { room_kwh } => {
            format!("its battery has room for {} kWh only.", grouped(*room_kwh, 2))
        }
        ShortfallCause::StayTooShort { possible_kwh } => {
            format!("at full power all the time it could have {} kWh.", grouped(*possible_kwh, 2))
        }
        ShortfallCause::Limits { limits } => {
            let named: Vec<String> = limits
                .iter()
                .map(|of| {
                    format!(
                        "{} ({}, {} EUR/kWh)",
                        limit_of(of),
                        clock.spans(&of.spans, SPANS),
                        grouped(of.adds_eur_kwh, 3)
                    )
                })
                .collect();
            format!("a kWh more would cost too much at {}.", named.join(" and "))
        }
        ShortfallCause::TooDear { eur_kwh } => {
            format!("the cheapest kWh left would cost {} EUR, more than it is worth.", grouped(*eur_kwh, 3))
        }
        ShortfallCause::SmallestStep { step_kwh } => {
            let step = grouped(*step_kwh, 2);
            format!("that is less than the smallest step, one slot at the lowest current ({step} kWh).")
        }
    };
    let help: Vec<String> = shortfall.help.iter().map(help).collect();
    if help.is_empty() { short + &cause } else { format!("{short}{cause} What would help: {}.", help.join("; or ")) }
}

fn help(help: &Help) -> String {
    match help {
        Help::StayLonger { hours } => {
            let minutes = (hours * 60.0).ceil();
            if minutes <= 90.0 {
                format!("to stay {} min longer", grouped(minutes.max(1.0), 0))
            } else {
                format!("to stay {} h longer", grouped(*hours, 1))
            }
        }
        Help::FasterCharging { a } => format!("{} A per phase, of vehicle and charger", grouped(a.ceil(), 0)),
        Help::LargerLimit { limit, saves_eur } => {
            let saves = eur_fine(*saves_eur);
            match limit.as_str() {
                "peak" => format!("an import peak without a price (one kW of it would save {saves})"),
                "connection" => format!("a larger grid connection (one more kW would save {saves})"),
                board => format!("more room at {} (one more A would save {saves})", named(board)),
            }
        }
        Help::HigherPriority { above_eur_kwh } => {
            format!("a missing kWh that counts clearly more than {} EUR", grouped(*above_eur_kwh, 2))
        }
        Help::LowerNeed { need_kwh } => format!("to ask for {} kWh", grouped(*need_kwh, 2)),
    }
}

/// What one change of the site would save.
pub fn saving(saving: &Saving) -> String {
    format!(
        "{} would save {}; certainly {}, {} at most.",
        change(&saving.change),
        eur(saving.saves_eur),
        eur(saving.at_least_eur),
        eur(saving.at_most_eur)
    )
}

fn change(change: &Change) -> String {
    match change {
        Change::Fuse { node, from_a, to_a } => {
            format!("A larger fuse at {} ({} instead of {})", label(node, usize::MAX), fuse(to_a), fuse(from_a))
        }
        Change::Contract { factor } => format!("A cap on import {} % higher", grouped(100.0 * (factor - 1.0), 0)),
        Change::Battery { capacity_kwh, power_kw } => {
            format!(
                "One more battery ({} kWh, {} kW) at the grid connection",
                grouped(*capacity_kwh, 0),
                grouped(*power_kw, 0)
            )
        }
    }
}

/// A fuse: one value, or three where they differ.
fn fuse(limit_a: &[f64; 3]) -> String {
    if limit_a.iter().all(|a| (a - limit_a[0]).abs() < 1e-9) {
        return format!("{} A", grouped(limit_a[0], 0));
    }
    let values: Vec<String> = limit_a.iter().map(|a| grouped(*a, 0)).collect();
    format!("{} A", values.join("/"))
}

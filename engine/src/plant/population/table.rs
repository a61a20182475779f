//! What was observed, as small tables.
//!
//! Source: arrival, stay and energy at Dutch private, public and workplace charge points as published by `ElaadNL`, and
//! eight car models with Dutch registrations, as they come with the Python package `ev2gym` 2.0.0 (`PyPI`), MIT licence,
//! copyright its authors. Condensed here: arrivals by hour, stay and energy as 21 quantiles; efficiency by current as a
//! straight line of own draw and slope (least squares over the currents that a model can).

/// A kind of place.
pub(super) struct Place {
    /// Share of arrivals by hour of the local day, in percent.
    pub(super) arrivals: [f64; 24],
    /// Stay in h: 0 %, 5 % … 100 % are shorter.
    pub(super) stay_h: [f64; 21],
    /// Mean stay in h by hour of arrival; 0, not known.
    pub(super) mean_stay_h: [f64; 24],
    /// Energy in kWh: 0 %, 5 % … 100 % are less.
    pub(super) kwh: [f64; 21],
}

/// At home (the source's "private").
pub(super) const HOME: Place = Place {
    arrivals: [
        2.13, 0.53, 0.21, 0.12, 0.11, 0.08, 0.17, 0.57, 1.38, 1.13, 1.13, 1.54, 2.18, 2.23, 2.68, 3.65, 5.68, 12.15,
        17.02, 11.54, 9.1, 8.93, 9.12, 6.62,
    ],
    stay_h: [
        0.0, 1.0, 1.5, 2.2, 3.1, 4.2, 6.5, 8.5, 9.5, 10.3, 11.0, 11.8, 12.5, 13.2, 13.8, 14.6, 15.7, 17.4, 20.3, 29.3,
        72.0,
    ],
    mean_stay_h: [
        9.1, 8.9, 7.2, 5.7, 4.7, 4.3, 4.6, 4.5, 3.2, 3.5, 3.4, 3.8, 4.2, 4.7, 7.0, 14.9, 15.3, 14.7, 13.8, 13.0, 12.2,
        11.2, 10.2, 9.6,
    ],
    kwh: [
        0.0, 1.8, 3.3, 5.0, 6.6, 8.2, 10.1, 12.3, 14.6, 17.1, 19.4, 22.1, 24.9, 28.2, 31.9, 35.8, 40.4, 45.6, 51.4,
        59.6, 99.9,
    ],
};

/// At public points.
pub(super) const PUBLIC: Place = Place {
    arrivals: [
        0.98, 0.45, 0.24, 0.16, 0.16, 0.22, 0.73, 3.23, 7.86, 7.72, 5.11, 4.66, 5.35, 5.35, 5.02, 5.12, 5.66, 8.34,
        10.91, 8.06, 5.05, 3.96, 3.37, 2.28,
    ],
    stay_h: [
        0.0, 0.3, 0.6, 1.0, 1.3, 1.7, 2.1, 2.5, 3.0, 3.6, 4.4, 5.5, 7.4, 8.9, 10.4, 12.1, 13.5, 14.9, 17.1, 21.7, 72.0,
    ],
    mean_stay_h: [
        10.0, 9.9, 9.5, 8.4, 6.8, 5.6, 5.2, 5.2, 4.9, 4.0, 3.0, 2.8, 3.0, 3.0, 3.0, 3.5, 4.7, 10.9, 12.4, 11.7, 11.3,
        11.1, 10.5, 10.1,
    ],
    kwh: [
        0.0, 0.6, 1.6, 2.5, 3.4, 4.2, 4.9, 5.6, 6.2, 6.7, 7.2, 7.9, 8.6, 9.5, 11.3, 13.8, 17.2, 22.2, 29.0, 41.6, 99.8,
    ],
};

/// At work.
pub(super) const WORK: Place = Place {
    arrivals: [
        0.03, 0.0, 0.0, 0.01, 0.13, 1.43, 4.33, 14.26, 26.66, 18.07, 7.73, 4.94, 5.4, 5.28, 3.99, 3.04, 2.04, 1.02,
        0.58, 0.5, 0.3, 0.14, 0.08, 0.04,
    ],
    stay_h: [0.0, 0.6, 1.2, 1.7, 2.0, 2.5, 2.9, 3.3, 3.8, 4.3, 4.9, 5.7, 6.5, 7.4, 8.0, 8.5, 8.8, 9.2, 9.8, 13.2, 72.0],
    mean_stay_h: [
        0.0, 0.0, 0.0, 0.0, 0.0, 8.2, 8.5, 8.4, 7.8, 6.2, 4.8, 4.0, 3.7, 3.2, 2.6, 2.2, 2.1, 2.6, 2.5, 0.0, 0.0, 0.0,
        0.0, 0.0,
    ],
    kwh: [
        0.0, 1.4, 2.7, 3.8, 4.7, 5.4, 6.2, 6.8, 7.4, 8.2, 8.8, 9.5, 10.9, 12.6, 14.4, 16.7, 19.2, 22.3, 26.1, 31.9,
        95.7,
    ],
};

/// A car model.
pub(super) struct Model {
    /// How many there are: its weight in a draw.
    pub(super) registered: f64,
    pub(super) phases: u8,
    pub(super) max_a: f64,
    pub(super) capacity_kwh: f64,
    pub(super) efficiency: f64,
    pub(super) own_kw: f64,
}

const fn model(registered: f64, phases: u8, max_a: f64, capacity_kwh: f64, efficiency: f64, own_kw: f64) -> Model {
    Model { registered, phases, max_a, capacity_kwh, efficiency, own_kw }
}

/// The models. The last two are not of the source, which has neither hybrids nor cars on two phases: their figures and
/// weights are assumptions.
pub(super) const MODELS: [Model; 10] = [
    // Tesla Model 3, Model Y.
    model(47_783.0, 3, 16.0, 57.5, 0.923, 0.243),
    model(39_261.0, 3, 16.0, 57.5, 0.923, 0.243),
    // Kia Niro.
    model(28_028.0, 3, 16.0, 64.8, 0.9, 0.0),
    // Volkswagen ID.3.
    model(23_033.0, 3, 16.0, 58.0, 0.923, 0.243),
    // Skoda Enyaq.
    model(21_186.0, 3, 16.0, 58.0, 0.913, 0.13),
    // Hyundai Kona.
    model(19_815.0, 3, 16.0, 64.0, 0.953, 0.235),
    // Peugeot 208.
    model(17_785.0, 1, 32.0, 46.3, 0.912, 0.407),
    // Volkswagen ID.4.
    model(16_449.0, 3, 16.0, 77.0, 0.9, 0.0),
    // A plug-in hybrid on one phase.
    model(30_000.0, 1, 16.0, 12.0, 0.91, 0.2),
    // A small electric car on two phases.
    model(12_000.0, 2, 16.0, 36.0, 0.92, 0.2),
];

/// The delivery van of a depot: 11 kW, 75 kWh. An assumption.
pub(super) const VAN: Model = model(1.0, 3, 16.0, 75.0, 0.92, 0.25);

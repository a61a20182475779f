//! The shape of a site file: every key, what it takes, and whether it must be there. The types in [`site`](crate::site)
//! say the same to serde; a test holds the two against each other, and the documentation against both.

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text in quotes.
    Text,
    /// A date, in quotes or as TOML's own.
    Date,
    /// A number.
    Number,
    /// A whole number from 0 to 255.
    Whole,
    /// `true` or `false`.
    Flag,
    /// A number, or a list of three.
    PerPhase,
    /// A number, or a list of numbers by hour.
    Hourly,
    /// A number, a list of three, or a table of three lists by hour.
    HourlyByPhase,
    /// A list of numbers.
    Numbers,
    /// A list of texts.
    Texts,
    /// One of some texts.
    Choice(&'static [&'static str]),
    /// A list of some texts.
    Choices(&'static [&'static str]),
    /// A table.
    Table(&'static Shape),
    /// A list of tables.
    Tables(&'static Shape),
    /// A table whose shape depends on its key `kind`.
    Variants(&'static [(&'static str, Shape)]),
}

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
}

/// A table.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// What such a table is called.
    pub kind: &'static str,
    /// Its keys.
    pub fields: &'static [Field],
}

const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

use Kind::{
    Choice, Choices, Date, Flag, Hourly, HourlyByPhase, Number, Numbers, PerPhase, Table, Tables, Text, Texts,
    Variants, Whole,
};

/// The whole file.
pub static SITE: Shape = Shape {
    kind: "site",
    fields: &[
        must("format", Number),
        must("name", Text),
        must("time_zone", Text),
        may("voltage_v", Number),
        may("latitude_deg", Number),
        may("longitude_deg", Number),
        may("price_area", Text),
        may("building_power_factor", Number),
        may("connection", Table(&CONNECTION)),
        may("tariff", Table(&TARIFF)),
        may("vehicle_defaults", Table(&VEHICLE_DEFAULTS)),
        must("boards", Tables(&BOARD)),
        may("stations", Tables(&STATION)),
        may("meters", Tables(&METER)),
        may("pv", Tables(&PV)),
        may("batteries", Tables(&BATTERY)),
        may("loads", Tables(&LOAD)),
        may("groups", Tables(&GROUP)),
        may("vehicles", Tables(&VEHICLE)),
        may("templates", Tables(&TEMPLATE)),
    ],
};

static CONNECTION: Shape =
    Shape { kind: "connection", fields: &[may("import_cap_kw", Number), may("export_cap_kw", Number)] };

static TARIFF: Shape = Shape {
    kind: "tariff",
    fields: &[
        may("preset", Text),
        may("vat_percent", Number),
        may("vat_counts", Flag),
        may("used", Table(&USED)),
        may("components", Tables(&COMPONENT)),
    ],
};

static USED: Shape = Shape { kind: "used", fields: &[must("until", Date), must("kwh", Number)] };

static COMPONENT: Shape = Shape {
    kind: "component",
    fields: &[
        must("name", Text),
        may("direction", Choice(&["import", "export"])),
        may("from", Date),
        may("until", Date),
        may("vat", Flag),
        must("price", Variants(&PRICE)),
    ],
};

static PRICE: [(&str, Shape); 5] = [
    ("spot", Shape { kind: "price", fields: &[must("kind", Text), may("factor", Number)] }),
    ("fixed", Shape { kind: "price", fields: &[must("kind", Text), must("eur_kwh", Number)] }),
    ("brackets", Shape { kind: "price", fields: &[must("kind", Text), must("brackets", Tables(&BRACKET))] }),
    (
        "time_of_use",
        Shape {
            kind: "price",
            fields: &[must("kind", Text), must("eur_kwh", Number), must("windows", Tables(&WINDOW))],
        },
    ),
    ("peak", Shape { kind: "price", fields: &[must("kind", Text), must("eur_kw_month", Number)] }),
];

static BRACKET: Shape = Shape { kind: "bracket", fields: &[must("above_kwh", Number), must("eur_kwh", Number)] };

static WINDOW: Shape = Shape {
    kind: "window",
    fields: &[may("days", Text), must("from", Text), must("until", Text), must("eur_kwh", Number)],
};

static VEHICLE_DEFAULTS: Shape = Shape {
    kind: "vehicle defaults",
    fields: &[
        may("phases", Whole),
        may("min_a", Number),
        may("max_a", Number),
        may("efficiency", Number),
        may("capacity_kwh", Number),
        may("shortfall_eur_kwh", Number),
    ],
};

static BOARD: Shape = Shape {
    kind: "board",
    fields: &[
        must("id", Text),
        may("parent", Text),
        must("limit_a", PerPhase),
        may("imbalance_limit_a", Number),
        may("imbalance_limit_percent", Number),
        may("tolerance_s", Number),
        may("building_max_a", HourlyByPhase),
    ],
};

/// `building_max_a` by hour and phase.
pub(super) static BY_PHASE: Shape =
    Shape { kind: "", fields: &[must("l1", Numbers), must("l2", Numbers), must("l3", Numbers)] };

static STATION: Shape = Shape {
    kind: "station",
    fields: &[
        must("id", Text),
        must("board", Text),
        may("model", Text),
        may("serial", Text),
        may("rotation", Text),
        must("max_a", Number),
        may("fallback_a", Hourly),
        may("guaranteed_a", Number),
        may("managed", Flag),
        may("reaction_s", Number),
        may("keeps_fallback", Flag),
        may("switches_phases", Flag),
        may("chooses_phase", Flag),
        may("max_discharge_a", Number),
    ],
};

static METER: Shape = Shape {
    kind: "meter",
    fields: &[
        must("id", Text),
        must("board", Text),
        may("includes", Choices(&["building", "stations", "pv", "batteries", "loads"])),
    ],
};

static PV: Shape = Shape {
    kind: "pv",
    fields: &[
        must("id", Text),
        must("board", Text),
        may("phases", Texts),
        must("peak_kw", Number),
        may("curtailable", Flag),
        may("tilt_deg", Number),
        may("azimuth_deg", Number),
    ],
};

static BATTERY: Shape = Shape {
    kind: "battery",
    fields: &[
        must("id", Text),
        must("board", Text),
        must("capacity_kwh", Number),
        must("max_charge_kw", Number),
        must("max_discharge_kw", Number),
        may("efficiency", Number),
        may("wear_eur_kwh", Number),
        may("soc_kwh", Number),
        may("end_soc_kwh", Number),
    ],
};

static LOAD: Shape = Shape {
    kind: "load",
    fields: &[
        must("id", Text),
        must("board", Text),
        may("phases", Texts),
        may("from", Text),
        may("until", Text),
        may("min_kw", Number),
        must("max_kw", Number),
        must("need_kwh", Number),
        may("shortfall_eur_kwh", Number),
        may("priority", Whole),
    ],
};

static GROUP: Shape = Shape {
    kind: "group",
    fields: &[must("id", Text), may("priority", Whole), may("shortfall_eur_kwh", Number), may("guaranteed_a", Number)],
};

static VEHICLE: Shape = Shape {
    kind: "vehicle",
    fields: &[
        must("id", Text),
        may("group", Text),
        may("phases", Whole),
        may("min_a", Number),
        may("max_a", Number),
        may("efficiency", Number),
        may("capacity_kwh", Number),
        may("v2g", Table(&V2G)),
    ],
};

static TEMPLATE: Shape = Shape {
    kind: "template",
    fields: &[
        must("id", Text),
        may("vehicle", Text),
        may("group", Text),
        may("days", Text),
        must("arrival", Text),
        must("departure", Text),
        may("need_kwh", Number),
        may("plugged_in_by", Text),
    ],
};

static V2G: Shape = Shape {
    kind: "v2g",
    fields: &[
        may("min_a", Number),
        must("max_a", Number),
        may("efficiency", Number),
        must("min_soc_kwh", Number),
        may("wear_eur_kwh", Number),
    ],
};

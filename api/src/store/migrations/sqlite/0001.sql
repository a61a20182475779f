-- Times are microseconds since 1970 (UTC); bodies are JSON text; plans are JSON compressed with zstd.

CREATE TABLE document (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT,
    PRIMARY KEY (kind, owner, id, version)
);

-- The newest version of each document, so that lists need not look at old ones.
CREATE TABLE document_head (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    deleted BIGINT NOT NULL,
    PRIMARY KEY (kind, owner, id)
) WITHOUT ROWID;

-- Numbers that only rise.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
) WITHOUT ROWID;

INSERT INTO counter (name, value) VALUES ('log', 0);

-- A row that is written to see whether writing works, large enough to fail before others do.
CREATE TABLE health (
    number BIGINT NOT NULL PRIMARY KEY,
    filling TEXT NOT NULL
);

INSERT INTO health (number, filling) VALUES (1, '');

CREATE TABLE log (
    number BIGINT NOT NULL PRIMARY KEY,
    stream TEXT NOT NULL,
    at BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    site TEXT,
    body TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX log_by_stream ON log (stream, number);
CREATE INDEX log_by_site ON log (stream, site, number);
CREATE INDEX log_by_tenant ON log (stream, tenant, number);
CREATE INDEX log_by_time ON log (stream, at);

CREATE TABLE job (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    site TEXT,
    once TEXT,
    due BIGINT NOT NULL,
    input TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    progress DOUBLE PRECISION NOT NULL,
    result TEXT,
    error TEXT,
    made BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    lease BIGINT
);

CREATE UNIQUE INDEX job_once ON job (once) WHERE state IN ('waiting', 'running');
CREATE INDEX job_open ON job (due, id) WHERE state IN ('waiting', 'running');
CREATE INDEX job_by_tenant ON job (tenant, id);

CREATE TABLE answer (
    name TEXT NOT NULL PRIMARY KEY,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    until BIGINT NOT NULL
);

CREATE INDEX answer_by_time ON answer (until);

CREATE TABLE plan (
    id TEXT NOT NULL PRIMARY KEY,
    site TEXT NOT NULL,
    at BIGINT NOT NULL,
    summary TEXT NOT NULL,
    instance BLOB NOT NULL,
    plan BLOB NOT NULL
);

CREATE INDEX plan_by_site ON plan (site, at, id);

-- Names of sites and of places at them, so that measurements carry numbers only.
CREATE TABLE name (
    number INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

CREATE TABLE site_place (
    site BIGINT NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (site, place)
) WITHOUT ROWID;

-- By time before place: what a site measures in a second is written to one page, not to one page a place.
CREATE TABLE measurement (
    site BIGINT NOT NULL,
    at BIGINT NOT NULL,
    place BIGINT NOT NULL,
    l1_a DOUBLE PRECISION NOT NULL,
    l2_a DOUBLE PRECISION NOT NULL,
    l3_a DOUBLE PRECISION NOT NULL,
    power_kw DOUBLE PRECISION,
    energy_kwh DOUBLE PRECISION,
    PRIMARY KEY (site, at, place)
) WITHOUT ROWID;

-- Minutes and quarter-hours: sums, so that what comes late is added.
CREATE TABLE rolled (
    site BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    place BIGINT NOT NULL,
    at BIGINT NOT NULL,
    count BIGINT NOT NULL,
    l1_sum_a DOUBLE PRECISION NOT NULL,
    l2_sum_a DOUBLE PRECISION NOT NULL,
    l3_sum_a DOUBLE PRECISION NOT NULL,
    l1_highest_a DOUBLE PRECISION NOT NULL,
    l2_highest_a DOUBLE PRECISION NOT NULL,
    l3_highest_a DOUBLE PRECISION NOT NULL,
    power_count BIGINT NOT NULL,
    power_sum_kw DOUBLE PRECISION NOT NULL,
    energy_kwh DOUBLE PRECISION,
    PRIMARY KEY (site, seconds, place, at)
) WITHOUT ROWID;

-- Which file holds a month of quarter-hours of a site; its rows are gone from `rolled`.
CREATE TABLE archive (
    site BIGINT NOT NULL,
    month BIGINT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (site, month)
) WITHOUT ROWID;

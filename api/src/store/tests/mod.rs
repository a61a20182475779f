//! The conformance suite: what every store must do, run on SQLite and on a real PostgreSQL.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod archive;
mod backup;
mod bench;
mod cluster;
mod documents;
mod house;
mod jobs;
mod killed;
mod logs;
mod measurements;
mod model;
mod plans;
mod postgres;
mod sqlite;
mod upgrade;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{Change, Expect, Key, Kind, Store};

/// So many seconds after midnight of 2 March 2026, UTC.
fn at(seconds: i64) -> DateTime<Utc> {
    "2026-03-02T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

fn put(key: Key, body: Value) -> Change {
    Change::Put { key, body, expect: Expect::Any }
}

fn vehicle(site: &str, id: &str) -> Key {
    Key::new(Kind::Vehicle, site, id)
}

/// Every case of the suite, each on a SQLite of its own as a test of its own, and all of them on PostgreSQL in one test,
/// each in a database of its own: a cluster takes seconds to start.
macro_rules! suite {
    ($($module:ident :: $case:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    let store = crate::store::sqlite::open(folder.path()).await.unwrap();
                    super::$module::$case(&store).await;
                }
            )*
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn on_postgres() {
            let Some(cluster) = cluster::Cluster::start() else { return };
            $(
                eprintln!("on PostgreSQL: {}", stringify!($case));
                let url = cluster.database(stringify!($case)).await;
                let store = crate::store::postgres::open(&url).await.unwrap();
                $module::$case(&store).await;
                store.close().await;
            )*
            postgres::two_nodes_are_as_one(&cluster).await;
            backup::everything_moves_to_postgres_and_back(&cluster).await;
        }
    };
}

suite! {
    documents::versions_count_up_and_stay_readable,
    documents::a_version_that_is_not_the_expected_one_is_a_conflict_and_nothing_is_written,
    documents::deleted_documents_are_gone_now_and_there_as_of_then,
    documents::erased_documents_leave_nothing,
    documents::lists_go_by_owner_and_id_in_pages,
    documents::lists_can_be_asked_as_of_an_instant,
    documents::one_of_many_at_once_wins,
    documents::an_answered_request_is_not_done_again,
    documents::an_answer_may_follow_what_was_done,
    documents::old_versions_can_be_forgotten,
    documents::any_text_and_number_comes_back,
    logs::entries_are_numbered_over_all_logs_and_filtered,
    logs::readers_of_a_log_that_is_written_by_many_miss_nothing,
    logs::old_entries_are_forgotten_and_numbers_never_used_again,
    jobs::a_job_is_claimed_by_one_only,
    jobs::jobs_are_claimed_in_the_order_they_fell_due,
    jobs::a_lease_that_ran_out_is_claimed_again_and_the_first_claimer_is_told,
    jobs::a_report_prolongs_the_lease_and_ends_or_delays_the_job,
    jobs::of_one_name_only_one_job_waits_or_runs,
    jobs::a_cancelled_job_takes_no_report,
    jobs::lists_of_jobs_go_from_the_newest_and_keep_to_tenants,
    measurements::a_measurement_for_the_same_place_and_time_is_replaced,
    measurements::finer_measurements_are_rolled_up_for_the_answer,
    measurements::rolling_up_changes_no_sum_and_twice_is_as_once,
    measurements::what_comes_late_is_added,
    measurements::pages_of_every_grain_miss_and_repeat_nothing,
    plans::a_plan_comes_back_with_all_it_was_made_from,
    plans::the_newest_plan_of_a_site_is_never_forgotten,
    house::what_is_old_is_made_coarser_or_dropped,
    model::random_changes_are_as_in_a_model,
}

//! A page of measurements: what is there as measured and rolled up, put together place by place.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};

use super::super::document::Page;
use super::super::fault::Fault;
use super::super::measurement::{Grain, Measurements, Point};
use super::super::rolling::{Piece, ceil, floor, roll};
use super::connection::Connection;
use super::history::History;
use super::measurements::{Span, is_there, pieces};
use super::{names, value};

/// Rows that are read at once: some MB.
const AT_ONCE: u32 = 20_000;

/// Measurements as they are at one instant, whatever is rolled up meanwhile.
pub async fn read(
    mut connection: Connection,
    folder: Option<PathBuf>,
    ask: &Measurements,
) -> Result<Page<Point>, Fault> {
    connection.command(connection.dialect().begin_reading()).await?;
    let page = of_snapshot(&mut connection, folder.as_deref(), ask).await;
    match connection.command("COMMIT").await {
        Ok(()) => page,
        Err(fault) => {
            connection.discard().await;
            page.and(Err(fault))
        }
    }
}

/// Measurements of a site in the order of place and time. A point is on it when it begins within the time asked for, and
/// always holds all that was measured in its interval.
async fn of_snapshot(
    connection: &mut Connection,
    folder: Option<&Path>,
    ask: &Measurements,
) -> Result<Page<Point>, Fault> {
    let nothing = Page { items: Vec::new(), more: false };
    let Some(site) = names::of(connection, &ask.site).await? else { return Ok(nothing) };
    let mut places: BTreeMap<String, i64> = names::places(connection, site).await?;
    if let Some(wanted) = &ask.place {
        places.retain(|name, _| name == wanted);
    }
    let mut history = match folder {
        Some(folder) => Some(History::of(connection, folder, site).await?),
        None => None,
    };
    let span = Span {
        from: ceil(ask.from.timestamp_micros(), ask.grain),
        until: ceil(ask.until.timestamp_micros(), ask.grain),
    };
    let mut sources = Vec::new();
    for grain in [Grain::Raw, Grain::Minute, Grain::Quarter] {
        if is_there(connection, site, grain, span).await? {
            sources.push(grain);
        }
    }
    let wanted = ask.limit as usize + 1;
    let mut items: Vec<Point> = Vec::new();
    let first = ask.after.as_ref().map_or(Bound::Unbounded, |(place, _)| Bound::Included(place.clone()));
    for (name, place) in places.range((first, Bound::Unbounded)) {
        let mut rest = span;
        if let Some((after, at)) = &ask.after
            && after == name
        {
            let step = ask.grain.seconds().max(0) * 1_000_000;
            rest.from = rest.from.max(floor(at.timestamp_micros(), ask.grain) + step.max(1));
        }
        while rest.from < rest.until && items.len() < wanted {
            let kept = match &mut history {
                Some(history) => history.pieces(name, rest).await?,
                None => (Vec::new(), rest.until),
            };
            let (rolled, until) =
                some(connection, (site, *place), &sources, ask.grain, rest, kept, wanted - items.len()).await?;
            for piece in rolled {
                items.push(piece.sum.point(&ask.site, name, value::time(piece.at)?, piece.grain));
            }
            rest.from = until;
        }
        if items.len() >= wanted {
            break;
        }
    }
    let more = items.len() >= wanted;
    items.truncate(ask.limit as usize);
    Ok(Page { items, more })
}

/// Points of a place from the beginning of a span on, and until when they are complete. Each source is read up to a limit,
/// and what is kept in files is known up to an end; what lies beyond the first of these is left for later.
async fn some(
    connection: &mut Connection,
    place: (i64, i64),
    sources: &[Grain],
    grain: Grain,
    span: Span,
    (kept, kept_until): (Vec<Piece>, i64),
    wanted: usize,
) -> Result<(Vec<Piece>, i64), Fault> {
    let mut at_once = match grain {
        Grain::Raw => u32::try_from(wanted + 1).map_or(AT_ONCE, |wanted| wanted.min(AT_ONCE)),
        Grain::Minute | Grain::Quarter => AT_ONCE,
    };
    loop {
        let mut found = kept.clone();
        let mut until = kept_until;
        for &source in sources {
            let part = pieces(connection, place, source, span, at_once).await?;
            if part.len() == at_once as usize
                && let Some(last) = part.last()
            {
                until = until.min(floor(last.at, grain));
            }
            found.extend(part);
        }
        if until > span.from {
            found.retain(|piece| piece.at < until);
            return Ok((roll(found, grain), until));
        }
        // More rows in a single interval than are read at once.
        at_once = at_once.saturating_mul(4);
    }
}

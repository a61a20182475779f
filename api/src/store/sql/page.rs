//! A page of measurements: what is there as measured and rolled up, put together place by place.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::super::document::Page;
use super::super::fault::Fault;
use super::super::measurement::{Grain, Measurements, Point};
use super::super::rolling::{Piece, ceil, floor, roll};
use super::connection::Connection;
use super::measurements::{Span, pieces};
use super::{names, value};

/// Rows that are read at once: some MB.
const AT_ONCE: u32 = 20_000;

/// Measurements of a site in the order of place and time. A point is on it when it begins within the time asked for, and
/// always holds all that was measured in its interval.
pub async fn read(connection: &mut Connection, ask: &Measurements) -> Result<Page<Point>, Fault> {
    let nothing = Page { items: Vec::new(), more: false };
    let Some(site) = names::of(connection, &ask.site).await? else { return Ok(nothing) };
    let mut places: BTreeMap<String, i64> = names::places(connection, site).await?;
    if let Some(wanted) = &ask.place {
        places.retain(|name, _| name == wanted);
    }
    let span = Span {
        from: ceil(ask.from.timestamp_micros(), ask.grain),
        until: ceil(ask.until.timestamp_micros(), ask.grain),
    };
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
            let (rolled, until) = some(connection, site, *place, ask.grain, rest, wanted - items.len()).await?;
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

/// Points of a place from the beginning of a span on, and until when they are complete. Each source is read up to a limit;
/// what lies beyond the end of one that has more is left for later.
async fn some(
    connection: &mut Connection,
    site: i64,
    place: i64,
    grain: Grain,
    span: Span,
    wanted: usize,
) -> Result<(Vec<Piece>, i64), Fault> {
    let mut at_once = match grain {
        Grain::Raw => u32::try_from(wanted + 1).map_or(AT_ONCE, |wanted| wanted.min(AT_ONCE)),
        Grain::Minute | Grain::Quarter => AT_ONCE,
    };
    loop {
        let mut found: Vec<Piece> = Vec::new();
        let mut until = span.until;
        for source in [Grain::Raw, Grain::Minute, Grain::Quarter] {
            let part = pieces(connection, site, Some(place), source, span, at_once).await?;
            if part.len() == at_once as usize
                && let Some((_, last)) = part.last()
            {
                until = until.min(floor(last.at, grain));
            }
            found.extend(part.into_iter().map(|(_, piece)| piece));
        }
        if until > span.from {
            found.retain(|piece| piece.at < until);
            return Ok((roll(found, grain), until));
        }
        // More rows in a single interval than are read at once.
        at_once = at_once.saturating_mul(4);
    }
}

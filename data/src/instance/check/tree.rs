//! The boards: limits, and that they form one tree.

use super::MAX_BOARD_SLOTS;
use super::rules::{At, Rules};
use crate::instance::{Node, wire};
use crate::refusal::{names, quoted};

const LIST: &str = "nodes";
const KIND: &str = "node";

/// Most boards of a circle that a fault names.
const NAMED: usize = 8;

/// Checks and converts the boards; `rules` know their names afterwards.
pub(super) fn nodes(rules: &mut Rules, nodes: Vec<wire::Node>) -> Vec<Node> {
    if nodes.is_empty() {
        let remedy = "give at least the grid connection, the node with parent null";
        rules.fault(At::TOP, LIST, "[]", "holds no node", remedy);
        return Vec::new();
    }
    if let Some(slots) = rules.slots
        && nodes.len() * slots > MAX_BOARD_SLOTS
    {
        let wrong = format!("has {} nodes; times {slots} slots that is over {MAX_BOARD_SLOTS}", nodes.len());
        rules.fault(At::TOP, LIST, "", wrong, "plan fewer slots, or leave out nodes that cannot bind");
        rules.slots = None;
    }
    rules.nodes = rules.ids(LIST, KIND, nodes.iter().map(|node| node.id.as_str()));
    rules.node_names = names(nodes.iter().map(|node| node.id.as_str()));
    let parents: Vec<Option<usize>> = nodes.iter().enumerate().map(|(k, node)| parent(rules, k, node)).collect();
    one_root(rules, &nodes);
    no_circle(rules, &nodes, &parents);
    let checked = nodes.into_iter().zip(parents).enumerate().map(|(k, (node, parent))| {
        let limit_a = limits(rules, At::item(LIST, k, KIND, &node.id), &node);
        Node { id: node.id, parent, limit_a, imbalance_limit_a: node.imbalance_limit_a }
    });
    checked.collect()
}

/// The index of a board's parent; `None` also where the name is unknown.
fn parent(rules: &mut Rules, index: usize, node: &wire::Node) -> Option<usize> {
    let name = node.parent.as_ref()?;
    let parent = rules.nodes.get(name).copied();
    if parent.is_none() {
        let at = At::item(LIST, index, KIND, &node.id);
        rules.fault(at, "parent", quoted(name), "is no node", "name a node, or give null for the grid connection");
    }
    parent
}

fn limits(rules: &mut Rules, at: At<'_>, node: &wire::Node) -> [f64; 3] {
    if let Some(spread_a) = node.imbalance_limit_a {
        rules.not_negative(at, "imbalance_limit_a", spread_a, "give amperes, or null for no limit");
    }
    for (phase, &limit_a) in node.limit_a.iter().take(3).enumerate() {
        rules.positive(at, format_args!("limit_a[{phase}]"), limit_a, "give the rating of fuse or cable in amperes");
    }
    <[f64; 3]>::try_from(node.limit_a.as_slice()).unwrap_or_else(|_| {
        let wrong = format!("is of length {}, not 3", node.limit_a.len());
        rules.fault(at, "limit_a", "", wrong, "give one limit for each of L1, L2, L3");
        [1.0; 3]
    })
}

fn one_root(rules: &mut Rules, nodes: &[wire::Node]) {
    let mut roots = nodes.iter().enumerate().filter(|(_, node)| node.parent.is_none());
    let Some((_, first)) = roots.next() else {
        let remedy = "give the grid connection the parent null";
        rules.fault(At::TOP, LIST, "", "has no node with parent null", remedy);
        return;
    };
    for (k, node) in roots {
        let wrong = format!("stands for the grid connection, and {} is that already", quoted(&first.id));
        let remedy = "name the node that feeds this one";
        rules.fault(At::item(LIST, k, KIND, &node.id), "parent", "null", wrong, remedy);
    }
}

/// Walks up from every board until it meets the top, or a board seen before: seen in the same walk, it is a circle.
fn no_circle(rules: &mut Rules, nodes: &[wire::Node], parents: &[Option<usize>]) {
    let mut seen_in: Vec<Option<usize>> = vec![None; nodes.len()];
    for walk in 0..nodes.len() {
        let mut next = Some(walk);
        while let Some(here) = next {
            match seen_in[here] {
                Some(earlier) if earlier == walk => circle(rules, nodes, parents, here),
                Some(_) => {}
                None => {
                    seen_in[here] = Some(walk);
                    next = parents[here];
                    continue;
                }
            }
            break;
        }
    }
}

/// The fault of a circle that `member` is in.
fn circle(rules: &mut Rules, nodes: &[wire::Node], parents: &[Option<usize>], member: usize) {
    let around =
        |from: usize| std::iter::successors(parents[from], move |&node| parents[node].filter(|_| node != from));
    let first = around(member).min().unwrap_or(member);
    let length = around(first).count();
    let name = |node: usize| quoted(&nodes[node].id);
    let wrong = if length == 1 {
        "is the node itself".to_owned()
    } else {
        let mut ring = name(first);
        for node in around(first).take(NAMED.min(length)) {
            ring.push_str(" under ");
            ring.push_str(&name(node));
        }
        if length > NAMED {
            ring.push_str(" and so on");
        }
        format!("closes a circle of {length} nodes: {ring}")
    };
    let at = At::item(LIST, first, KIND, &nodes[first].id);
    let value = parents[first].map(name).unwrap_or_default();
    rules.fault(at, "parent", value, wrong, "name the node that feeds this one, or null for the grid connection");
}

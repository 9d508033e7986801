//! Which file uses which, and where that goes in circles.

use std::collections::BTreeSet;

use crate::sources::Sources;

/// Which file uses which, by their numbers. What a module only hands on of its children is no use.
pub(crate) fn arrows(sources: &Sources) -> BTreeSet<(usize, usize)> {
    let numbers = 0..sources.files.len();
    numbers
        .flat_map(|from| sources.named_in(from).into_iter().map(move |to| (from, to)))
        .collect()
}

/// The sets of files that use each other, directly or over others.
pub(crate) fn circles(sources: &Sources) -> Vec<BTreeSet<usize>> {
    let arrows = arrows(sources);
    let count = sources.files.len();
    let reached = |from: usize| {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![from];
        while let Some(file) = waiting.pop() {
            for (_, to) in arrows.range((file, 0)..(file + 1, 0)) {
                if seen.insert(*to) {
                    waiting.push(*to);
                }
            }
        }
        seen
    };
    let reached: Vec<BTreeSet<usize>> = (0..count).map(reached).collect();
    let circle = |file: usize| -> BTreeSet<usize> {
        let others = reached[file].iter().copied();
        others
            .filter(|other| reached[*other].contains(&file))
            .collect()
    };
    let circles: BTreeSet<BTreeSet<usize>> = (0..count).map(circle).collect();
    circles
        .into_iter()
        .filter(|circle| circle.len() > 1)
        .collect()
}

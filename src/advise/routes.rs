//! What `--explain --route auto` prints: the tree of routes that the lines would teach, and the options that say the
//! same.

use crate::order;
use std::fmt::Write;

/// The tree with the share of each route in the lines, then the routes as options.
pub fn learned(routes: &[(String, u64)]) -> String {
    let all = routes.iter().map(|(_, lines)| lines).sum::<u64>();
    if all == 0 {
        return "\nNo line teaches a route.\n".to_owned();
    }
    let mut sorted: Vec<(Vec<&str>, u64)> =
        routes.iter().map(|(route, lines)| (cut(route), *lines)).collect();
    sorted.retain(|(_, lines)| *lines > 0);
    order::sort_by_key(&mut sorted, |(segments, _)| {
        segments.iter().map(|segment| (rank(segment), *segment)).collect::<Vec<_>>()
    });
    let mut text = format!("\nRoutes that these lines teach, with their share of {all} requests:\n");
    let mut above: Vec<&str> = Vec::new();
    for (segments, lines) in &sorted {
        let known = above.iter().zip(segments).take_while(|(one, other)| one == other).count();
        let percent = format!("{}.{} %", lines * 100 / all, lines * 1000 / all % 10);
        if segments.is_empty() {
            let _ = writeln!(text, "    {percent:>7}  /");
        }
        for (depth, segment) in segments.iter().enumerate().skip(known) {
            let share = if depth + 1 == segments.len() { percent.as_str() } else { "" };
            let _ = writeln!(text, "    {share:>7}  {}/{segment}", "  ".repeat(depth));
        }
        above.clone_from(segments);
    }
    text.push_str("\nAs options, which do not learn any more:\n");
    let mut shapes: Vec<Vec<&str>> = Vec::new();
    for (segments, _) in &sorted {
        let shape = segments
            .iter()
            .map(|segment| if pattern_of(segment).starts_with(':') { ":" } else { *segment })
            .collect();
        if !shapes.contains(&shape) {
            let pattern: Vec<&str> = segments.iter().map(|segment| pattern_of(segment)).collect();
            let _ = writeln!(text, "    --route '/{}'", pattern.join("/"));
            shapes.push(shape);
        }
    }
    text
}

fn cut(route: &str) -> Vec<&str> {
    route.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// A segment as `--route` has it, which tells no `@:any` apart.
fn pattern_of(segment: &str) -> &str {
    segment.strip_prefix(['@', '~']).filter(|rest| rest.starts_with(':')).unwrap_or(segment)
}

/// The first route that fits wins, so words stand before what takes any segment, and that before what takes all.
fn rank(segment: &str) -> u8 {
    match segment {
        "*" => 3,
        ":any" => 2,
        _ if pattern_of(segment).starts_with(':') => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_has_shares_and_the_options_the_order_in_which_they_win() {
        let routes =
            [("/u/:any", 50), ("/u/:id", 10), ("/u/me", 20), ("/*", 5), ("/", 15), ("/u/:any/posts", 100)];
        let text = learned(&routes.map(|(route, lines)| (route.to_owned(), lines)));
        let tree = "      7.5 %  /\n             /u\n     10.0 %    /me\n      5.0 %    /:id\n     25.0 %    /:any\n     \
                    50.0 %      /posts\n      2.5 %  /*\n";
        assert!(text.contains(tree), "{text}");
        let options: Vec<&str> =
            text.lines().filter_map(|line| line.trim().strip_prefix("--route ")).collect();
        assert_eq!(options, ["'/'", "'/u/me'", "'/u/:id'", "'/u/:any/posts'", "'/*'"]);
    }
}

//! The runs of a simulation, in the order in which they are computed and written.

use super::shard::Shard;
use crate::record::design::Design;
use crate::sim::Point;

/// A run to do: its point and its index there.
pub type Task = (usize, u64);

/// Most tasks in one list: their memory does not grow with the number of runs.
const MOST_AT_ONCE: usize = 1 << 16;

/// All runs, point after point; with a sequential design block after block, and in a block point after point. Lists end
/// where verdicts are looked at, and are never longer than 65,536 with a fixed design. Of a `shard` only its own runs.
pub fn tasks(points: &[Point], design: Design, shard: Option<Shard>) -> Box<dyn Iterator<Item = Vec<Task>> + '_> {
    let own = move |(number, task): (u64, Task)| shard.is_none_or(|shard| shard.takes(number)).then_some(task);
    match design {
        Design::Fixed => {
            let all = points.iter().flat_map(|point| (0..point.seeds).map(move |run| (point.index, run)));
            let mut rest = (0..).zip(all).filter_map(own);
            Box::new(std::iter::from_fn(move || {
                let list: Vec<Task> = rest.by_ref().take(MOST_AT_ONCE).collect();
                (!list.is_empty()).then_some(list)
            }))
        }
        Design::Sequential { block } => {
            let most = points.iter().map(|point| point.seeds).max().unwrap_or(0);
            Box::new((0..most.div_ceil(block)).map(move |number| {
                let runs = |point: &Point| number * block..point.seeds.min((number + 1) * block);
                points.iter().flat_map(|point| runs(point).map(move |run| (point.index, run))).collect()
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Overrides, Simulation};
    use proptest::prelude::*;

    fn points(seeds: u64, values: usize) -> Vec<Point> {
        let list: Vec<String> = (0..values).map(|value| (20 + value).to_string()).collect();
        let set = [format!("training.batch=[{}]", list.join(","))];
        let simulation = Simulation::parse("x", "name = \"x\"", &Overrides { set: &set, seeds: Some(seeds) });
        simulation.and_then(|simulation| simulation.points()).expect("points")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]
        #[test]
        fn shards_are_equal_parts_of_the_whole(seeds in 1u64..40, values in 1usize..5, count in 1u64..20) {
            let points = points(seeds, values);
            let whole: Vec<Task> = tasks(&points, Design::Fixed, None).flatten().collect();
            let shard = |index| Shard::new(index, count).expect("legal");
            let mut parts: Vec<_> = (1..=count)
                .map(|index| tasks(&points, Design::Fixed, Some(shard(index))).flatten().collect::<Vec<_>>().into_iter())
                .collect();
            for (part, index) in parts.iter().zip(1..) {
                prop_assert_eq!(part.len() as u64, shard(index).share(whole.len() as u64));
            }
            let mut dealt = Vec::new();
            'dealing: loop {
                for part in &mut parts {
                    let Some(task) = part.next() else { break 'dealing };
                    dealt.push(task);
                }
            }
            prop_assert_eq!(dealt, whole);
        }
    }

    #[test]
    fn a_long_simulation_comes_in_lists_of_bounded_length() {
        let points = points(100_000, 2);
        let lengths: Vec<usize> = tasks(&points, Design::Fixed, None).map(|list| list.len()).collect();
        assert_eq!(lengths, [65_536, 65_536, 65_536, 3392]);
        assert_eq!(tasks(&points, Design::Fixed, None).flatten().last(), Some((1, 99_999)));
    }

    #[test]
    fn a_shard_is_read_as_i_of_n() {
        assert_eq!("3/7".parse(), Ok(Shard { index: 3, count: 7 }));
        for wrong in ["0/4", "5/4", "1/0", "1/1000001", "1", "", "a/b", "1/2/3", "-1/2", "1/ 2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}

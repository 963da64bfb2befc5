//! The ring against a naive model, its exact properties, and the law of its balance.

use std::collections::BTreeSet;

use proptest::prelude::*;
use seedbed::machine::NodeId;
use seedbed::proto::Path;
use seedbed::proto::ring::{HashKind, Point, Ring, Ties};

/// All positions of the circle.
const CIRCLE: f64 = 18_446_744_073_709_551_616.0;

fn nodes(numbers: impl IntoIterator<Item = u16>) -> Vec<NodeId> {
    numbers.into_iter().map(NodeId::node).collect()
}

fn path(text: &str) -> Path {
    Path::new(text).unwrap()
}

fn point(hash: u64, node: u16, number: u32) -> Point {
    Point { hash, node: NodeId::node(node), number }
}

fn by_hand(replicas: usize, points: &[Point]) -> Ring {
    Ring::from_points(HashKind::Sha1, replicas, points.to_vec())
}

/// The definition, word by word: walk clockwise from the key and note each node when first met.
fn owners_by_walking(points: &[Point], replicas: usize, key: u64) -> Vec<NodeId> {
    let mut sorted = points.to_vec();
    sorted.sort_by_key(|p| (p.hash, p.node, p.number));
    let (before, after): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|p| p.hash < key);
    let mut met = Vec::new();
    for p in after.into_iter().chain(before) {
        if met.len() < replicas && !met.contains(&p.node) {
            met.push(p.node);
        }
    }
    met
}

/// Few positions, so that collisions are common, but with both ends of the circle among them.
fn crowded_points() -> impl Strategy<Value = Vec<Point>> {
    let hash = prop_oneof![0..16u64, u64::MAX - 3..=u64::MAX, any::<u64>()];
    prop::collection::vec((hash, 1..8u16, 0..4u32).prop_map(|(h, n, k)| point(h, n, k)), 0..40)
}

proptest! {
    #[test]
    fn owners_are_those_of_a_walk_clockwise(
        points in crowded_points(),
        replicas in 0..9usize,
        key in any::<u64>(),
    ) {
        let ring = by_hand(replicas, &points);
        for key in (0..20).chain(u64::MAX - 5..=u64::MAX).chain([key]) {
            let owners = ring.owners_at(key);
            prop_assert_eq!(owners, owners_by_walking(&points, replicas, key));
            prop_assert_eq!(owners.iter().collect::<BTreeSet<_>>().len(), owners.len());
        }
    }

    #[test]
    fn points_in_any_order_make_one_ring(
        (points, shuffled) in crowded_points()
            .prop_flat_map(|points| (Just(points.clone()), Just(points).prop_shuffle())),
        replicas in 0..9usize,
    ) {
        prop_assert_eq!(by_hand(replicas, &points), by_hand(replicas, &shuffled));
    }

    #[test]
    fn members_in_any_order_and_repeated_make_one_ring(
        members in Just(nodes(1..=7)).prop_shuffle(),
        again in 0..7usize,
    ) {
        let sorted = Ring::new(HashKind::Sha1, 10, 3, &nodes(1..=7));
        let repeated = [&members[..], &members[again..]].concat();
        prop_assert_eq!(Ring::new(HashKind::Sha1, 10, 3, &repeated), sorted);
    }

    #[test]
    fn a_joining_node_only_pushes_itself_in(points in crowded_points(), replicas in 1..5usize) {
        let joiner = NodeId::node(1);
        let old: Vec<_> = points.iter().copied().filter(|p| p.node != joiner).collect();
        let (before, after) = (by_hand(replicas, &old), by_hand(replicas, &points));
        for key in (0..20).chain(u64::MAX - 5..=u64::MAX) {
            let stayed: Vec<_> =
                after.owners_at(key).iter().copied().filter(|n| *n != joiner).collect();
            prop_assert_eq!(&before.owners_at(key)[..stayed.len()], stayed);
        }
    }
}

/// Some members, a few points each, a coarse ring: points collide.
fn coarse_rings() -> impl Strategy<Value = (u32, u32, usize, Vec<u16>, Vec<u16>)> {
    let members = || prop::collection::vec(1..12u16, 0..9);
    (4..12u32, 1..6u32, 1..4usize, members(), members())
}

proptest! {
    #[test]
    fn a_changed_ring_is_the_ring_of_its_members(
        (bits, virtual_nodes, replicas, before, after) in coarse_rings(),
    ) {
        let ring = |numbers: &[u16]| {
            let members = nodes(numbers.iter().copied());
            Ring::coarse(HashKind::Sha1, bits, virtual_nodes, replicas, &members)
        };
        let members = nodes(after.iter().copied());
        let changed = ring(&before).changed(virtual_nodes, replicas, &members, Ties::ByName);
        prop_assert_eq!(changed, ring(&after));
    }

    #[test]
    fn what_a_node_owns_is_where_it_is_an_owner(
        points in crowded_points(),
        replicas in 0..5usize,
        key in any::<u64>(),
    ) {
        let ring = by_hand(replicas, &points);
        let owned = ring.owned();
        for node in nodes(1..8) {
            let owned = owned.get(&node).cloned().unwrap_or_default();
            for key in (0..20).chain(u64::MAX - 5..=u64::MAX).chain([key]) {
                prop_assert_eq!(owned.contains(key), ring.owners_at(key).contains(&node));
            }
        }
    }
}

#[test]
fn ties_in_the_order_of_meeting_differ_from_machine_to_machine() {
    let members = nodes(1..=4);
    let ring = |members: &[NodeId]| Ring::coarse(HashKind::Sha1, 4, 8, 1, members);
    let one = ring(&members[1..]).changed(8, 1, &members, Ties::AsMet);
    let other = ring(&members[..3]).changed(8, 1, &members, Ties::AsMet);
    assert_ne!(one, other);
}

#[test]
fn colliding_points_are_ordered_by_node_then_number() {
    let sorted = [point(5, 1, 1), point(5, 2, 0), point(5, 2, 3), point(5, 3, 0), point(9, 2, 1)];
    let mut points = sorted.to_vec();
    points.reverse();
    let ring = by_hand(3, &points);
    assert!(ring.points().eq(sorted));
    // n1 has the lowest name, so the arc that ends at 5 is its own; n3's point there owns nothing.
    assert_eq!(ring.owners_at(5), nodes([1, 2, 3]));
    assert_eq!(ring.owners_at(6), nodes([2, 1, 3]));
}

#[test]
fn a_ring_of_eight_bits_has_one_owner_per_position_whatever_the_order() {
    let points: Vec<Point> = Ring::new(HashKind::Sha1, 100, 2, &nodes(1..=8))
        .points()
        .map(|p| Point { hash: p.hash >> 56, ..p })
        .collect();
    let mut reversed = points.clone();
    reversed.reverse();
    let (ring, other) = (by_hand(2, &points), by_hand(2, &reversed));
    for key in 0..256 {
        assert_eq!(ring.owners_at(key), other.owners_at(key));
        assert_eq!(ring.owners_at(key), owners_by_walking(&points, 2, key));
    }
}

#[test]
fn a_key_on_a_point_is_the_points_and_one_behind_it_is_the_next_ones() {
    let ring = by_hand(1, &[point(10, 1, 0), point(20, 2, 0)]);
    assert_eq!(ring.owners_at(10), nodes([1]));
    assert_eq!(ring.owners_at(11), nodes([2]));
    assert_eq!(ring.owners_at(20), nodes([2]));
}

#[test]
fn behind_the_last_point_the_circle_starts_again() {
    let ring = by_hand(2, &[point(10, 1, 0), point(20, 2, 0), point(30, 3, 0)]);
    assert_eq!(ring.owners_at(31), nodes([1, 2]));
    assert_eq!(ring.owners_at(u64::MAX), nodes([1, 2]));
    assert_eq!(ring.owners_at(0), nodes([1, 2]));
    assert_eq!(ring.owners_at(30), nodes([3, 1]));
}

#[test]
fn more_replicas_than_nodes_give_all_nodes() {
    let ring = Ring::new(HashKind::Sha1, 10, 5, &nodes([1, 2, 3]));
    let mut owners = ring.owners(&path("/a")).to_vec();
    owners.sort();
    assert_eq!(owners, nodes([1, 2, 3]));
}

#[test]
fn without_members_points_or_replicas_no_node_owns_anything() {
    for (virtual_nodes, replicas, members) in [(10, 2, 0), (0, 2, 3), (10, 0, 3)] {
        let ring = Ring::new(HashKind::Sha1, virtual_nodes, replicas, &nodes(1..=members));
        assert_eq!(ring.owners(&path("/a")), []);
        assert!(!ring.owns(NodeId::node(1), &path("/a")));
    }
}

#[test]
fn a_node_owns_what_it_is_among_the_owners_of() {
    let ring = Ring::new(HashKind::Md5, 50, 2, &nodes(1..=5));
    let owning = nodes(1..=5).into_iter().filter(|n| ring.owns(*n, &path("/x/y")));
    assert_eq!(owning.count(), 2);
    assert_eq!(ring.owners(&path("/x/y")), ring.owners_at(ring.position(&path("/x/y"))));
}

#[test]
fn positions_are_the_first_eight_bytes_of_the_hash() {
    // `printf %s 'n1#0' | sha1sum | cut -c1-16`, and the same with md5sum.
    for (text, sha1, md5) in [
        ("n1#0", 0x8b93_0e42_6713_b0e1, 0xc799_4810_3660_9527),
        ("n2#99", 0x9312_b5d8_ae0c_7cfd, 0xe215_740d_7c62_903f),
        ("/a", 0x2256_c6ac_80d3_eb26, 0x0639_767f_3e9e_aad7),
    ] {
        assert_eq!(HashKind::Sha1.position(text), sha1);
        assert_eq!(HashKind::Md5.position(text), md5);
    }
    let ring = Ring::new(HashKind::Sha1, 1, 1, &nodes([1]));
    assert!(ring.points().eq([point(0x8b93_0e42_6713_b0e1, 1, 0)]));
}

#[test]
fn hashes_are_read_by_the_names_they_print() {
    for kind in HashKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(*kind));
    }
    let unknown = "sha256".parse::<HashKind>().unwrap_err();
    assert_eq!(unknown.to_string(), "unknown hash `sha256`: expected `sha1` or `md5`");
}

#[test]
fn a_ring_prints_in_one_short_line() {
    let ring = Ring::new(HashKind::Sha1, 100, 2, &nodes([1, 2]));
    assert_eq!(format!("{ring:?}"), "Ring(sha1, 2 owners, 200 points, {n1, n2})");
}

// Balance. Shares are exact: the lengths of the arcs, not a count of sample keys.

/// The arcs between the neighbouring boundaries of all `rings`: each with a position for which
/// every one of them has a single answer, and its length as a share of the circle.
fn arcs(rings: &[&Ring]) -> Vec<(u64, f64)> {
    let ends: BTreeSet<u64> = rings.iter().flat_map(|r| r.points()).map(|p| p.hash).collect();
    let mut before = *ends.last().unwrap();
    let mut arcs = Vec::new();
    for end in ends {
        arcs.push((end, end.wrapping_sub(before) as f64 / CIRCLE));
        before = end;
    }
    arcs
}

/// Share of the circle of each member, in units of the mean share.
fn loads(ring: &Ring, members: &[NodeId]) -> Vec<f64> {
    let mut loads = vec![0.0; members.len()];
    for (at, share) in arcs(&[ring]) {
        let owner = members.iter().position(|node| *node == ring.owners_at(at)[0]).unwrap();
        loads[owner] += share * members.len() as f64;
    }
    loads
}

/// Loads of `count` rings of `n` nodes, salted by node numbers that no other of them uses.
fn salted_loads(hash: HashKind, n: u16, virtual_nodes: u32, count: u16) -> Vec<Vec<f64>> {
    (0..count)
        .map(|salt| {
            let members = nodes(salt * n + 1..=salt * n + n);
            loads(&Ring::new(hash, virtual_nodes, 1, &members), &members)
        })
        .collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// Root mean square, over rings, of the coefficient of variation of the loads.
fn rms_cv(rings: &[Vec<f64>]) -> f64 {
    let square = |loads: &Vec<f64>| mean(loads.iter().map(|load| (load - 1.0).powi(2)));
    mean(rings.iter().map(square)).sqrt()
}

/// Checks the measured variation against the law within four of its own standard errors.
///
/// A load is near Gamma(V)/V, whose excess kurtosis is 6/V, so the relative variance of one ring's
/// sample variance is 2/(N-1) + 6/(V N); a root has half the relative error.
fn check_law(hash: HashKind, n: u16, virtual_nodes: u32, count: u16) {
    let (nodes, v) = (f64::from(n), f64::from(virtual_nodes));
    let law = ((nodes - 1.0) / (nodes * v + 1.0)).sqrt();
    let variance = (2.0 / (nodes - 1.0) + 6.0 / (v * nodes)) / f64::from(count);
    let measured = rms_cv(&salted_loads(hash, n, virtual_nodes, count));
    let off = (measured / law - 1.0).abs();
    assert!(off < 4.0 * variance.sqrt() / 2.0, "{hash} {n}x{virtual_nodes}: {measured}, law {law}");
}

#[test]
fn balance_follows_the_law_of_virtual_nodes() {
    for hash in [HashKind::Sha1, HashKind::Md5] {
        check_law(hash, 10, 1, 1000);
        check_law(hash, 10, 100, 200);
        check_law(hash, 30, 100, 60);
    }
}

#[test]
fn with_a_hundred_virtual_nodes_one_load_in_a_hundred_is_outside_its_band() {
    let loads = salted_loads(HashKind::Sha1, 30, 100, 100).concat();
    let outside = loads.iter().filter(|load| !(0.761..=1.276).contains(*load)).count();
    // 0.5% on either side in the limit of many nodes: 30 of 3000, give or take four times 5.5; with
    // 30 nodes the loads vary 1.7% less, which makes it about 26.
    assert!((8..=52).contains(&outside), "{outside} of {}", loads.len());
}

/// Mean, over rings, of the largest load.
fn mean_largest(n: u16, virtual_nodes: u32, count: u16) -> f64 {
    let largest = |loads: &Vec<f64>| loads.iter().copied().fold(0.0, f64::max);
    mean(salted_loads(HashKind::Sha1, n, virtual_nodes, count).iter().map(largest))
}

#[test]
fn with_one_point_each_the_fullest_of_ten_nodes_has_three_times_the_mean() {
    // The longest of n random arcs has 1 + 1/2 + ... + 1/n times the mean length: 2.93. The largest
    // of ten exponentials has a standard deviation of 1.24, so 1000 rings tell it to 0.04.
    let law: f64 = (1..=10).map(|i| 1.0 / f64::from(i)).sum();
    let measured = mean_largest(10, 1, 1000);
    assert!((measured - law).abs() < 0.16, "{measured}, law {law}");
}

#[test]
fn with_a_hundred_points_each_the_fullest_of_ten_nodes_has_a_sixth_more_than_the_mean() {
    // The largest of ten normal draws is 1.54 deviations up, 0.59 of them its own deviation; with
    // cv 9.5% that is 1.146, a little more for the skew of Gamma(100), told to 0.004 by 200 rings.
    let measured = mean_largest(10, 100, 200);
    assert!((1.13..1.18).contains(&measured), "{measured}");
}

// Movement.

/// The shares of the circle whose primary `change`s accept, between the two rings.
fn moved(from: &Ring, to: &Ring, change: impl Fn(NodeId, NodeId) -> bool) -> f64 {
    let owner = |ring: &Ring, at| ring.owners_at(at)[0];
    let arcs = arcs(&[from, to]).into_iter();
    arcs.filter(|(at, _)| change(owner(from, *at), owner(to, *at))).map(|arc| arc.1).sum()
}

#[test]
fn an_eleventh_node_takes_an_eleventh_and_nothing_moves_between_the_old() {
    for (hash, virtual_nodes) in [(HashKind::Sha1, 1), (HashKind::Sha1, 100), (HashKind::Md5, 100)]
    {
        let salts = 100;
        let measured = mean((0..salts).map(|salt| {
            let members = nodes(salt * 11 + 1..=salt * 11 + 11);
            let before = Ring::new(hash, virtual_nodes, 1, &members[..10]);
            let after = Ring::new(hash, virtual_nodes, 1, &members);
            let among_old = moved(&before, &after, |a, b| a != b && b != members[10]);
            assert_eq!(among_old, 0.0);
            moved(&before, &after, |a, b| a != b)
        }));
        // The newcomer's share is Beta(V, 10 V): mean 1/11, cv sqrt(10 / (11 V + 1)).
        let cv = (10.0 / (11.0 * f64::from(virtual_nodes) + 1.0)).sqrt();
        let sigma = cv / 11.0 / f64::from(salts).sqrt();
        assert!((measured - 1.0 / 11.0).abs() < 4.0 * sigma, "{measured} +- {sigma}");
    }
}

#[test]
fn a_leaver_gives_up_only_its_own_and_gets_exactly_that_back() {
    let members = nodes(1..=10);
    let gone = members[3];
    let rest: Vec<NodeId> = members.iter().copied().filter(|n| *n != gone).collect();
    let whole = Ring::new(HashKind::Sha1, 100, 3, &members);
    let without = Ring::new(HashKind::Sha1, 100, 3, &rest);
    assert_eq!(moved(&whole, &without, |a, b| a != b && a != gone), 0.0);
    let given_up = moved(&whole, &without, |a, b| a != b);
    assert!((given_up - loads(&whole, &members)[3] / 10.0).abs() < 1e-12);
    // Of three owners, too, the two that stay keep their order, and one is added behind.
    for (at, _) in arcs(&[&whole, &without]) {
        let stayed: Vec<_> = whole.owners_at(at).iter().filter(|n| **n != gone).collect();
        assert!(without.owners_at(at).iter().take(stayed.len()).eq(stayed));
    }
    let returned: Vec<NodeId> = rest.into_iter().chain([gone]).collect();
    assert_eq!(Ring::new(HashKind::Sha1, 100, 3, &returned), whole);
}

#[test]
fn hash_modulo_nodes_would_move_ten_elevenths() {
    let keys = 50_000;
    let moves = |key: &u32| {
        let hash = HashKind::Sha1.position(&format!("/file{key}"));
        hash % 10 != hash % 11
    };
    let moved = f64::from((0..keys).filter(moves).count() as u32) / f64::from(keys);
    let law = 10.0 / 11.0;
    let sigma = (law * (1.0 - law) / f64::from(keys)).sqrt();
    assert!((moved - law).abs() < 4.0 * sigma, "{moved}");
}

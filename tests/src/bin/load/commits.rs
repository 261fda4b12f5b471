//! Validated, durable commits in rooms of 100, hybrid suite. The commits are made before anything is measured.

use crate::{report::Report, setting::Town};
use firstlight_protocol::{
    RoomId,
    api::{CommitBundle, Committed, RoomView, WelcomeBundle},
    mls::SUITE_HYBRID,
};
use firstlight_tests::world::{
    mls::{Change, Hand},
    random,
};
use futures_util::future::join_all;
use std::time::Instant;

const ROOMS: usize = 4;
const SIZE: usize = 100;
/// Members whose commits fill every node beside the first member's path, as in a room that has lived for a while.
const LIVELY: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

pub(crate) async fn measure(report: &mut Report, town: &Town, each: usize) {
    eprintln!("commits: {ROOMS} rooms of {SIZE}, {each} commits each");
    let rooms = join_all((0..ROOMS).map(|n| prepare(town, n * SIZE, each))).await;
    let size = rooms[0].1[0].commit.len();
    let cpu = town.host.cpu_seconds();
    let began = Instant::now();
    join_all(rooms.into_iter().enumerate().map(|(n, (room, commits))| async move {
        for bundle in commits {
            let path = format!("/v1/rooms/{room}/commits");
            let _: Committed = town.devices[n * SIZE].post(path, &bundle).await.expect("a commit that lands");
        }
    }))
    .await;
    let elapsed = began.elapsed().as_secs_f64();
    report.at_least("validated, durable commits at N=100", (ROOMS * each) as f64 / elapsed, "/s", 500.0);
    report.told("size of such a commit", size as f64, "bytes");
    report.told("server CPU per commit", (town.host.cpu_seconds() - cpu) * 1_000.0 / (ROOMS * each) as f64, "ms");
}

async fn prepare(town: &Town, first: usize, each: usize) -> (RoomId, Vec<CommitBundle>) {
    let devices = &town.devices[first..first + SIZE];
    let hands: Vec<Hand> = devices.iter().map(Hand::of).collect();
    let packages = hands[1..].iter().map(|hand| hand.key_package(SUITE_HYBRID, false)).collect();
    let mut room = hands[0].found(RoomId(random()), &town.advocate_room(), SUITE_HYBRID);
    let request = hands[0].create(&mut room, packages);
    let _: RoomView = devices[0].post("/v1/rooms", &request).await.expect("a room");
    let mut lively = Vec::new();
    for i in LIVELY {
        let path = format!("/v1/rooms/{}/welcomes/{}", room.id, room.epoch());
        let welcome: WelcomeBundle = devices[i].get(path).await.expect("a Welcome");
        lively.push((i, hands[i].join(&welcome)));
    }
    for turn in 0..lively.len() {
        let (i, own) = &mut lively[turn];
        let bundle = hands[*i].commit(own, Change::default());
        let _: Committed =
            devices[*i].post(format!("/v1/rooms/{}/commits", room.id), &bundle).await.expect("a commit that lands");
        hands[*i].merge(own);
        hands[0].receive(&mut room, &bundle.commit);
        for (other, (j, theirs)) in lively.iter_mut().enumerate() {
            if other != turn {
                hands[*j].receive(theirs, &bundle.commit);
            }
        }
    }
    let commits = (0..each).map(|_| {
        let bundle = hands[0].commit(&mut room, Change::default());
        hands[0].merge(&mut room);
        bundle
    });
    let commits = commits.collect();
    (room.id, commits)
}

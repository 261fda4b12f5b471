//! Catching up after a long time away.

use firstlight_client::{
    storage::{LineBody, SqliteStorage, seal::Unlock},
    testing::prepare_catch_up,
};
use firstlight_protocol::mls::{Content, SUITE_CLASSIC};
use zeroize::Zeroizing;

#[test]
fn a_thousand_missed_messages_are_read_in_order_into_a_sealed_file() {
    let mut prepared = prepare_catch_up(SUITE_CLASSIC, 4, 1_000);
    let dir = tempfile::tempdir().unwrap();
    let unlock = Unlock::Key(Zeroizing::new([1; 32]));
    let storage = SqliteStorage::create(&dir.path().join("state.db"), &unlock).unwrap();
    let mut host = prepared.load_into(storage).unwrap();
    prepared.run(&mut host).unwrap();
    let texts: Vec<String> = host
        .lines(prepared.room, 0, usize::MAX)
        .unwrap()
        .into_iter()
        .filter_map(|line| match line.body {
            LineBody::Message(Content::Text { text, .. }) => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 1_000);
    assert!(texts.iter().enumerate().all(|(n, text)| *text == format!("{n:0>250}")));
    let marked = "0".repeat(200);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(200).any(|w| w == marked.as_bytes()), "content stands in the clear");
    }
    // The keys of what was read are forgotten, and the room goes on after a restart.
    let host = firstlight_client::storage::Host::open(host.into_storage()).unwrap();
    assert_eq!(host.engine().room(prepared.room).unwrap().unread, 1_000);
}

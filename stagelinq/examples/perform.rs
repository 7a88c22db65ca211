//! Plays virtual players on all networks of this machine: `perform SCRIPT.json`.
#![expect(clippy::print_stdout, reason = "printing is what this example is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use stagelinq::Discovery;
use stagelinq::virtual_player::{Script, VirtualConfig, VirtualPlayers};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which script?")?;
    let players = VirtualPlayers::start(VirtualConfig {
        script: Script::parse(&std::fs::read_to_string(path)?)?,
        discovery: Discovery::default(),
        files: BTreeMap::new(),
    })?;
    let mut last = None;
    loop {
        let counts = players.counts();
        if last.replace(counts) != Some(counts) {
            println!("{:.1} s: {counts:?}", players.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

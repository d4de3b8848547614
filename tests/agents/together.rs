//! Agents and a hook in one workspace at once.

use serde_json::json;

use super::Server;
use crate::support::world::World;

/// All wait in turn: each is answered, everything arrives in central once, and nothing is lost.
#[test]
fn two_agents_and_a_hook_lose_nothing() {
    let world = World::new();
    let api = world.workspace("api");
    let web = world.workspace("web");
    let mut agents = [Server::of(&api), Server::of(&api)];
    let mut number = 0;
    for _ in 0..4 {
        let mut asked = Vec::new();
        for agent in &mut agents {
            for _ in 0..2 {
                number += 1;
                api.write(&format!("API-T-{number:04}"), "Text.\n");
                let params = json!({ "name": "sync_data", "arguments": {} });
                asked.push(agent.send("tools/call", &params));
            }
        }
        let hook = api.start_sync();
        for agent in &mut agents {
            for _ in 0..2 {
                let heard = agent.hear();
                assert_eq!(heard["result"]["isError"], false, "{heard}");
            }
        }
        hook.finish().success();
    }
    let last = agents[0].answer("sync_data", &json!({}));
    assert!(
        ["synced", "up-to-date"].contains(&last["outcome"].as_str().unwrap()),
        "{last}"
    );
    web.sync().report();
    assert_eq!(web.hydrated("api").len(), number);
    for agent in agents {
        assert_eq!(agent.end().1, Some(0));
    }
}

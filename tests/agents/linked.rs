//! Documents whose links were made to be followed for ever.

use serde_json::json;

use super::Server;
use crate::support::world::World;

/// Documents that are linked in circles, to themselves, in a chain without end and by the thousand: an agent gets an answer, of a size
/// that it can read.
#[test]
fn documents_that_are_linked_to_be_read_for_ever() {
    let world = World::new();
    let (api, web) = (world.workspace("api"), world.workspace("web"));
    let put = |number: usize, parent: usize, blockers: &[String]| {
        let code = format!("API-T-{number:04}");
        let text = format!(
            "---\ntitle: \"x\"\nlevel: task\nphase: todo\nshort_code: {code}\nparent: API-T-{parent:04}\nblocked_by: [{}]\n---\n",
            blockers.join(",")
        );
        api.write_at(format!("{code}.md"), &code, text);
    };
    let all: Vec<String> = (1000..1250).map(|number| format!("API-T-{number}")).collect();
    put(1, 1, &["API-T-0001".into()]);
    put(2, 3, &["API-T-0003".into()]);
    put(3, 2, &["API-T-0002".into()]);
    for number in 1000..1250 {
        put(number, number + 1, &all);
    }
    api.sync().report();
    web.sync().report();
    let mut server = Server::of(&web);
    let mut ask = |question: &str, code: &str| {
        let answer = server.answer("query", &json!({ "question": question, "code": code }));
        let len = answer.to_string().len();
        assert!(len < 1 << 20, "{question} {code}: {len}");
        answer
    };
    for code in ["API-T-0001", "API-T-0002", "API-T-1000"] {
        for question in ["children", "blocks", "progress", "upstream"] {
            ask(question, code);
        }
    }
    assert_eq!(ask("upstream", "API-T-0002")["answer"]["end"], "cycle");
    assert_eq!(ask("upstream", "API-T-1000")["answer"]["end"], "too-long");
    assert_eq!(
        ask("blocks", "API-T-1000")["total"],
        json!({ "blocks": 250, "blocked_by": 100 })
    );
    for args in [
        &["list"][..],
        &["query", "blocks", "API-T-1000"],
        &["query", "ready"],
        &["board", "b.html"],
        &["search", "x"],
    ] {
        web.run(args).success();
    }
}

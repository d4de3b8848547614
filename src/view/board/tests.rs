use super::*;

pub fn document(code: &str, phase: &str, parent: &str, blocked_by: &[&str]) -> Document {
    let (project, rest) = code.split_once('-').unwrap();
    Document {
        code: code.into(),
        title: format!("About {code}").into(),
        kind: Some(if rest.starts_with('T') { "task" } else { "initiative" }.into()),
        phase: (!phase.is_empty()).then(|| phase.into()),
        parent: (!parent.is_empty()).then(|| parent.into()),
        blocked_by: blocked_by.iter().map(|code| (*code).into()).collect(),
        archived: false,
        tags: vec!["#task".into(), format!("#phase/{phase}").into(), "#keys".into()],
        shared_tags: Vec::new(),
        collections: Vec::new(),
        assigned: Vec::new(),
        workspace: project.to_lowercase().into(),
        owned: project == "API",
        path: format!("{code}.md").into(),
    }
}

pub fn board(documents: &[Document]) -> Board {
    let text = |document: &Document| Some(format!("Text of {}", document.code));
    plan(documents, &text, Vec::new(), AsOf::default(), Timestamp::UNIX_EPOCH)
}

#[test]
fn columns_stand_in_the_order_of_work() {
    let documents =
        ["completed", "todo", "", "shaping", "Active", "todo"].map(|phase| document("API-T-0001", phase, "", &[]));
    let board = board(&documents);
    assert_eq!(board.phases, ["todo", "active", "completed", "shaping", ""]);
    let cards: Vec<_> = board.cards.iter().map(|card| card.phase).collect();
    assert_eq!(cards, [2, 0, 4, 3, 1, 0]);
    assert_eq!(board.cards[0].tags, ["keys"]);
    assert_eq!(board.cards[0].text, "Text of API-T-0001");
}

#[test]
fn progress_is_rolled_up_over_all_levels_and_workspaces() {
    let board = board(&[
        document("API-I-0001", "active", "", &[]),
        document("API-I-0002", "completed", "API-I-0001", &[]),
        document("API-T-0001", "todo", "API-I-0002", &[]),
        document("WEB-T-0001", "completed", "API-I-0002", &[]),
    ]);
    let below: Vec<_> = board
        .cards
        .iter()
        .map(|card| (card.below, card.below_finished))
        .collect();
    assert_eq!(below, [(3, 2), (2, 1), (0, 0), (0, 0)]);
    let shares: Vec<_> = board
        .workspaces
        .iter()
        .map(|share| (share.prefix.raw(), share.owned, share.total, share.finished))
        .collect();
    assert_eq!(shares, [("api", true, 3, 1), ("web", false, 1, 1)]);
}

#[test]
fn circles_and_endless_chains_of_parents_end() {
    let mut documents = vec![
        document("API-T-0001", "todo", "API-T-0002", &[]),
        document("API-T-0002", "todo", "API-T-0001", &[]),
        document("API-T-0003", "todo", "API-T-0001", &[]),
        document("API-T-0004", "todo", "API-T-0004", &[]),
    ];
    for number in 1000..1300 {
        let parent = format!("API-T-{}", number + 1);
        documents.push(document(&format!("API-T-{number}"), "todo", &parent, &[]));
    }
    let below: Vec<_> = board(&documents).cards.iter().map(|card| card.below).collect();
    assert_eq!(below[..5], [2, 2, 0, 0, 0]);
    assert_eq!(below[4 + 299], MAX_LEVELS);
}

#[test]
fn references_lead_to_the_nearest_document_or_nowhere() {
    let mut fork = document("API-T-0001", "todo", "API-I-0001", &["OPS-T-0009\u{202e}"]);
    fork.workspace = "fork".into();
    let mut nearer = document("API-I-0001", "active", "", &[]);
    nearer.workspace = "fork".into();
    let board = board(&[
        document("API-I-0001", "active", "", &[]),
        document("API-T-0002", "todo", "API-I-0001", &[]),
        nearer,
        fork,
        document("WEB-T-0001", "todo", "API-I-0001", &[]),
    ]);
    let parents: Vec<_> = board.cards.iter().filter_map(|card| card.parent.clone()).collect();
    assert_eq!(parents, [Target::Card(0), Target::Card(2), Target::Card(0)]);
    assert_eq!(
        board.cards[3].blocked_by,
        [Target::Nowhere("OPS-T-0009\u{202e}".into())]
    );
}

#[test]
fn ready_is_what_waits_for_nothing() {
    let mut put_away = document("API-T-0005", "todo", "", &[]);
    put_away.archived = true;
    let board = board(&[
        document("API-T-0001", "completed", "", &[]),
        document("API-T-0002", "todo", "", &["API-T-0001", "API-T-0005"]),
        document("API-T-0003", "todo", "", &["API-T-0002"]),
        document("API-T-0004", "todo", "", &["OPS-T-0001"]),
        put_away,
        document("API-I-0001", "todo", "", &[]),
    ]);
    let ready: Vec<_> = board.cards.iter().filter(|card| card.ready).collect();
    assert_eq!(
        ready.iter().map(|card| card.code.raw()).collect::<Vec<_>>(),
        ["API-T-0002"]
    );
}

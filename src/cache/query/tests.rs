use super::super::fixture::{World, made_here};
use super::*;

fn cache_of(world: &World) -> (tempfile::TempDir, Cache) {
    let dir = tempfile::tempdir().unwrap();
    world.rebuild(dir.path()).unwrap();
    let cache = Cache::open(dir.path(), &made_here).unwrap();
    (dir, cache)
}

fn code(text: &str) -> ShortCode {
    text.parse().unwrap()
}

fn codes(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.code.raw()).collect()
}

#[test]
fn relations_cross_workspaces_in_both_directions() {
    let (_dir, cache) = cache_of(&World::small());

    let children = cache.children(&code("API-I-0001")).unwrap();
    assert_eq!(codes(&children), ["API-T-0001", "API-T-0002", "WEB-T-0001"]);
    assert_eq!(children[2].workspace, "web");
    assert_eq!(children[2].tags, ["#ui", "#task"]);
    assert!(children[0].archived && children[0].owned && !children[2].owned);

    let blocks = cache.blocks(&code("API-T-0002")).unwrap();
    assert_eq!(codes(&blocks.blocks), ["WEB-T-0001"]);
    assert_eq!(blocks.blocked_by[0].document.as_ref().unwrap().title, "Token");
    assert_eq!(
        blocks.blocked_by[1],
        Link {
            code: "OPS-T-0009".into(),
            document: None
        }
    );

    let upstream = cache.upstream(&code("WEB-T-0001")).unwrap();
    let chain: Vec<_> = upstream.chain.iter().map(|link| link.code.raw()).collect();
    assert_eq!(
        (chain, upstream.end),
        (vec!["API-I-0001", "API-V-0001"], ChainEnd::Root)
    );
}

#[test]
fn progress_counts_all_levels_by_phase() {
    let (_dir, cache) = cache_of(&World::small());
    let progress = cache.progress(&code("API-V-0001")).unwrap();
    assert_eq!((progress.children, progress.total, progress.completed), (1, 4, 1));
    let phases: Vec<_> = progress
        .by_phase
        .iter()
        .map(|p| (p.phase.as_ref().unwrap().raw(), p.documents))
        .collect();
    assert_eq!(phases, [("active", 1), ("completed", 1), ("todo", 2)]);
}

#[test]
fn workspaces_are_listed_own_first() {
    let (_dir, cache) = cache_of(&World::small());
    let overview = cache.workspaces().unwrap();
    assert_eq!(
        overview
            .iter()
            .map(|w| (w.prefix.raw(), w.owned, w.documents))
            .collect::<Vec<_>>(),
        [("api", true, 4), ("web", false, 1)]
    );
    let web = cache.workspace(&"web".parse().unwrap()).unwrap();
    assert_eq!(codes(&web.documents), ["WEB-T-0001"]);
    let json = serde_json::to_value(&web).unwrap();
    assert_eq!(
        (&json["documents"], &json["list"][0]["type"]),
        (&1.into(), &"task".into())
    );
}

#[test]
fn cycles_and_endless_chains_end() {
    let mut world = World::default();
    world.put("api", "A-T-0001", "title: a\nparent: A-T-0002\nblocked_by: A-T-0001");
    world.put("api", "A-T-0002", "title: b\nparent: A-T-0001");
    world.put("api", "A-T-0003", "title: c\nparent: A-T-0003");
    for number in 1000..1500 {
        world.put(
            "api",
            &format!("A-T-{number}"),
            &format!("title: d\nparent: A-T-{}", number + 1),
        );
    }
    let (_dir, cache) = cache_of(&world);

    let upstream = cache.upstream(&code("A-T-0001")).unwrap();
    assert_eq!((upstream.chain.len(), upstream.end), (1, ChainEnd::Cycle));
    assert_eq!(cache.progress(&code("A-T-0001")).unwrap().total, 1);
    assert_eq!(cache.progress(&code("A-T-0003")).unwrap().total, 0);
    assert_eq!(cache.blocks(&code("A-T-0001")).unwrap().blocks.len(), 1);

    let long = cache.upstream(&code("A-T-1000")).unwrap();
    assert_eq!((long.chain.len(), long.end), (MAX_LEVELS, ChainEnd::TooLong));
    assert_eq!(cache.progress(&code("A-T-1499")).unwrap().total, 499);
    let near = cache.upstream(&code("A-T-1490")).unwrap();
    assert_eq!((near.chain.len(), near.end), (10, ChainEnd::Missing));
}

#[test]
fn a_code_in_two_workspaces_leads_to_the_nearer_one() {
    let mut world = World::default();
    for workspace in ["api", "fork"] {
        world.put(workspace, "A-I-0001", &format!("title: {workspace}"));
        world.put(workspace, "A-T-0001", "title: task\nparent: A-I-0001");
    }
    world.put("fork", "A-T-0002", "title: task\nparent: A-I-0001");
    let (_dir, cache) = cache_of(&world);
    let parent = |text| {
        cache.upstream(&code(text)).unwrap().chain[0]
            .document
            .clone()
            .unwrap()
            .title
    };
    assert_eq!(parent("A-T-0001"), "api", "this clone's own");
    assert_eq!(parent("A-T-0002"), "fork", "the same workspace");
    assert_eq!(cache.children(&code("A-I-0001")).unwrap().len(), 3);
}

#[test]
fn a_slug_means_a_document_of_the_same_workspace() {
    let mut world = World::default();
    for (workspace, letter) in [("api", "A"), ("web", "W")] {
        world.put(
            workspace,
            &format!("{letter}-V-0001"),
            "title: Shop\nid: shop\nlevel: vision",
        );
        world.put(
            workspace,
            &format!("{letter}-I-0001"),
            "title: Ship it\nid: ship-it\nlevel: initiative\nparent: shop",
        );
        world.put(
            workspace,
            &format!("{letter}-T-0001"),
            "title: First\nid: first\nlevel: task\nphase: completed\nparent: ship-it",
        );
        world.put(
            workspace,
            &format!("{letter}-T-0002"),
            "title: Second\nid: second\nlevel: task\nphase: todo\nparent: ship-it\nblocked_by: first elsewhere",
        );
    }
    world.put(
        "web",
        "W-T-0003",
        "title: Third\nlevel: task\nphase: todo\nparent: A-I-0001",
    );
    world.put("web", "W-T-0004", "title: Lost\nlevel: task\nparent: nowhere");
    let (_dir, cache) = cache_of(&world);

    let children = cache.children(&code("A-I-0001")).unwrap();
    assert_eq!(
        codes(&children),
        ["A-T-0001", "A-T-0002", "W-T-0003"],
        "slugs and codes together"
    );
    assert_eq!(children[0].parent, Some("A-I-0001".into()));
    assert_eq!(
        codes(&cache.children(&code("W-I-0001")).unwrap()),
        ["W-T-0001", "W-T-0002"]
    );

    let blocks = cache.blocks(&code("W-T-0001")).unwrap();
    assert_eq!(codes(&blocks.blocks), ["W-T-0002"]);
    let blocked = cache.blocks(&code("W-T-0002")).unwrap();
    assert_eq!(blocked.document.blocked_by, ["W-T-0001", "elsewhere"]);
    assert_eq!(blocked.blocked_by[0].document.as_ref().unwrap().title, "First");
    assert_eq!(blocked.blocked_by[1].document, None);

    let progress = cache.progress(&code("A-V-0001")).unwrap();
    assert_eq!((progress.children, progress.completed, progress.total), (1, 1, 4));

    let upstream = cache.upstream(&code("A-T-0002")).unwrap();
    let chain: Vec<_> = upstream.chain.iter().map(|link| link.code.raw()).collect();
    assert_eq!((chain, upstream.end), (vec!["A-I-0001", "A-V-0001"], ChainEnd::Root));
    let lost = cache.upstream(&code("W-T-0004")).unwrap();
    assert_eq!((lost.chain[0].code.raw(), lost.end), ("nowhere", ChainEnd::Missing));
}

#[test]
fn documents_of_one_title_are_not_taken_for_each_other() {
    let mut world = World::default();
    world.put("api", "A-I-0001", "title: Search\nid: search\nlevel: initiative");
    for task in ["A-T-0001", "A-T-0002"] {
        world.put("api", task, "title: Search\nid: search\nlevel: task\nparent: search");
    }
    world.put("api", "A-T-0003", "title: Sly\nid: A-I-0001\nlevel: task");
    world.put(
        "api",
        "A-T-0004",
        "title: Mine\nid: mine\nlevel: task\nparent: A-I-0001",
    );
    world.put("api", "A-T-0005", "title: Own\nid: own\nlevel: task\nparent: own");
    let (_dir, cache) = cache_of(&world);
    let children = cache.children(&code("A-I-0001")).unwrap();
    assert_eq!(codes(&children), ["A-T-0001", "A-T-0002", "A-T-0004"]);
    for childless in ["A-T-0001", "A-T-0002", "A-T-0003", "A-T-0005"] {
        assert_eq!(cache.progress(&code(childless)).unwrap().total, 0, "{childless}");
        assert_eq!(cache.children(&code(childless)).unwrap(), [], "{childless}");
    }
    let upstream = cache.upstream(&code("A-T-0001")).unwrap();
    assert_eq!(
        (upstream.chain[0].code.raw(), upstream.end),
        ("A-I-0001", ChainEnd::Root)
    );
    assert_eq!(cache.upstream(&code("A-T-0005")).unwrap().end, ChainEnd::Missing);
}

#[test]
fn what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |dir: &Path| Cache::open(dir, &made_here).err().unwrap().to_string();
    assert!(refused(dir.path()).contains("there is no "));
    assert!(!dir.path().join("metis.db").exists(), "asking creates nothing");

    Connection::open(dir.path().join("metis.db"))
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    assert!(refused(dir.path()).contains("has nothing that this clone made"));

    let (_dir, cache) = cache_of(&World::small());
    assert!(matches!(
        cache.children(&code("NO-T-0001")),
        Err(QueryError::UnknownCode { .. })
    ));
    assert!(matches!(
        cache.workspace(&"nobody".parse().unwrap()),
        Err(QueryError::UnknownWorkspace { .. })
    ));
}
